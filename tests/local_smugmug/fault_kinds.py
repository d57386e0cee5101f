"""The kinds of faults: what each makes of an answer. Their docstrings name their options."""

import json
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.local_smugmug import api_130
from tests.local_smugmug.calls import Call
from tests.local_smugmug.photos import PLACEHOLDERS
from tests.local_smugmug.wire import JSON, Answer

# -- instead of the answer -----------------------------------------------------------------------


def _code(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``code`` (and ``message``): an application's error."""
    code = int(options.get("code", 5))
    if call.method.startswith("v2:"):
        status = {5: 500, 98: 503, 99: 503, 4: 404, 18: 401, 36: 401}.get(code, 400)
        text = options.get("message") or api_130.MESSAGES.get(code, "Error")
        return Answer(status, data={"Code": status, "Message": text})
    data = api_130.failure(call.method, code, options.get("message", ""))
    return Answer(data=data, callback=answer.callback)


def _status(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``status``, ``retry_after`` (seconds, or a date): an HTTP error with an HTML page."""
    status = int(options.get("status", 500))
    broken = Answer.html(f"{status}", status)
    if call.method.startswith("v2:") and not options.get("html"):
        broken = Answer(status, data={"Code": status, "Message": "Error"})
    if "retry_after" in options:
        broken.headers["Retry-After"] = str(options["retry_after"])
    return broken


def _no_content(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    return Answer(204)


def _empty(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    return Answer(headers={"Content-Type": JSON})


def _not_json(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    return Answer(headers={"Content-Type": JSON}, body=b"Service temporarily overloaded")


def _html(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    return Answer.html("We will be back soon", int(options.get("status", 200)))


def _wrong_envelope(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``data``: JSON that is no answer to this."""
    return Answer(data=options.get("data", {"stat": "ok", "method": call.method}))


def _deep(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``depth``: JSON nested so deep."""
    depth = int(options.get("depth", 100_000))
    return Answer(headers={"Content-Type": JSON}, body=b'{"a":' * depth + b"1" + b"}" * depth)


def _gzip_bomb(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``size``: so many decoded bytes, a thousandth of it on the wire."""
    size = int(options.get("size", 1 << 30))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    spaces = b" " * (1 << 20)
    packed = b"".join(packer.compress(spaces) for _ in range(size >> 20)) + packer.flush()
    return Answer(headers={"Content-Type": JSON, "Content-Encoding": "gzip"}, body=packed)


def _endless(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """A body without an end."""
    head = b"\xff\xd8\xff\xe0" if call.kind == "photo" else b'{"stat":"ok","a":"'

    def chunks() -> Iterator[bytes]:
        yield head
        while True:
            yield b"x" * (1 << 16)

    kind = "image/jpeg" if call.kind == "photo" else JSON
    return Answer(headers={"Content-Type": kind}, chunks=chunks(), has_length=False, close=True)


def _reset(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    return Answer(reset=True)


def _redirect(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``location``, ``status``."""
    return Answer.redirect(options["location"], int(options.get("status", 302)))


def _oauth_problem(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``problem``: the signature is refused (401); ``where``: in the ``header``, or the ``body``
    (of v2 as JSON, else as a form)."""
    told = f"oauth_problem={options.get('problem', 'nonce_used')}"
    if options.get("where") == "header":
        return Answer(401, {"WWW-Authenticate": f"OAuth {told}"})
    if call.method.startswith("v2:"):
        return Answer(401, data={"Code": 401, "Message": told})
    return Answer(401, {"Content-Type": "text/plain"}, told.encode())


def _packed(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``encoding``: an answer of ``status`` in a packing that nobody asked for (``br``), or in
    one (``gzip``) of which nothing comes."""
    encoding = options.get("encoding", "br")
    body = b"" if encoding == "gzip" else b"\x0b\x02\x80packed\x03"
    headers = {"Content-Type": JSON, "Content-Encoding": encoding}
    return Answer(int(options.get("status", 503)), headers, body)


def _placeholder(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``format``: ``gif`` or ``jpeg``: a picture in the place of whatever was asked for."""
    body, kind = PLACEHOLDERS[options.get("format", "gif")]
    return Answer(headers={"Content-Type": kind}, body=body)


def _not_image(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """The right length, and neither a picture nor a video."""
    length = answer.length if answer.length is not None else len(answer.body)
    text = (b"this is not a picture " * (length // 22 + 1))[:length]
    return Answer(headers={"Content-Type": "image/jpeg"}, body=text)


# -- the answer, altered -------------------------------------------------------------------------


def _slow(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``seconds`` before the answer."""
    answer.wait += float(options.get("seconds", 1.0))
    return answer


def _trickle(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``piece`` bytes, then ``pause`` seconds, and so on."""
    answer.serialise()
    answer.piece = int(options.get("piece", 1))
    answer.pause = float(options.get("pause", 0.1))
    return answer


def _trickling_head(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """The headers too come by ``piece`` bytes, then ``pause`` seconds, and so on."""
    answer = _trickle(options, call, answer)
    answer.whole_trickles = True
    return answer


def _truncated(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Cut to ``keep`` of it, as if that were all."""
    return _cut(options, answer)


def _truncated_unsized(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Cut to ``keep`` of it, without a Content-Length: only the connection ends."""
    answer = _cut(options, answer)
    answer.has_length, answer.close = False, True
    return answer


def _close_midway(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """The connection ends after ``keep`` of the promised body."""
    answer.keep = float(options.get("keep", 0.5))
    answer.close = True
    return answer


def _length_wrong(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Content-Length is off by ``by``; the connection ends after the body."""
    answer.serialise()
    length = answer.length if answer.length is not None else len(answer.body)
    answer.length = max(0, length + int(options.get("by", 10)))
    answer.close = True
    if answer.chunks is None:
        answer.chunks, answer.body = iter([answer.body]), b""
    return answer


def _date(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``value``: the Date header as this text; None: none at all."""
    answer.dated = False
    if options.get("value") is not None:
        answer.headers["Date"] = options["value"]
    return answer


def _age(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``seconds``: an Age header, as from a cache."""
    answer.headers["Age"] = str(options.get("seconds", 3600))
    return answer


def _corrupt(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Wrong bytes of the right length; the first 64 stay."""
    whole = _whole(answer)
    rng = random.Random(len(whole))
    changed = bytes(byte ^ 0x5A if rng.random() < 0.5 else byte for byte in whole[64:4096])
    answer.body = whole[:64] + changed + whole[4096:]
    if answer.body == whole and whole:
        answer.body = whole[:-1] + bytes([whole[-1] ^ 1])
    answer.headers.pop("ETag", None)
    return answer


def _short(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Fewer bytes than Content-Length says; then the connection ends."""
    return _close_midway({"keep": options.get("keep", 0.7)}, call, answer)


def _shorter(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Fewer bytes than the listing says, with a Content-Length that agrees with them."""
    whole = _whole(answer)
    answer.body = whole[: int(len(whole) * float(options.get("keep", 0.7)))]
    answer.headers.pop("ETag", None)
    return answer


# -- the listing inside the answer ---------------------------------------------------------------


def _duplicate(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """The first entry comes twice, and API v2 counts it so."""
    entries = entries_of(answer.data)
    if entries:
        entries.append(dict(entries[0]))
        pages = answer.data.get("Response", {}).get("Pages", {})
        if "Count" in pages:
            pages["Count"] += 1
    return answer


def _missing_key(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """The first entry has no Key."""
    for entry in entries_of(answer.data)[:1]:
        for name in ("Key", "ImageKey", "AlbumKey"):
            if name in entry and (name != "AlbumKey" or "ImageKey" not in entry):
                del entry[name]
                break
    return answer


def _malformed_key(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``value``: the first entry's Key is this."""
    for entry in entries_of(answer.data)[:1]:
        name = next(name for name in ("Key", "ImageKey", "AlbumKey") if name in entry)
        entry[name] = options.get("value", "../../etc/passwd")
    return answer


def _huge_ids(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """Ids of 10^30."""
    for number, entry in enumerate(entries_of(answer.data)):
        for name in ("id", "UploadKey"):
            if name in entry:
                entry[name] = type(entry[name])(10**30 + number)
    return answer


def _wrong_md5(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``value``: the MD5 of every listed image (of ``image``, if it is given)."""
    for entry in entries_of(answer.data):
        if options.get("of") not in (None, entry.get("Key"), entry.get("ImageKey")):
            continue
        for name in ("MD5Sum", "ArchivedMD5"):
            if name in entry:
                entry[name] = options.get("value", "0" * 32)
    return answer


def _million(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``count`` entries, made up."""
    count = int(options.get("count", 1_000_000))
    entries = entries_of(answer.data)
    if entries:
        pattern = json.dumps(entries[0])
        entries[:] = [json.loads(pattern)]
        key = next(name for name in ("ImageKey", "AlbumKey", "Key") if name in entries[0])
        number = "UploadKey" if "UploadKey" in entries[0] else "id"
        small = {key: "", number: 0}
        entries[:] = [small | {key: f"m{n:07d}", number: n} for n in range(count)]
    return answer


def _shuffled(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """The entries in another order."""
    entries = entries_of(answer.data)
    random.Random(options.get("seed", 7)).shuffle(entries)
    return answer


def _dropped(options: dict[str, Any], call: Call, answer: Answer) -> Answer:
    """``count`` entries are not listed, from the front; the counts stay."""
    entries = entries_of(answer.data)
    del entries[: int(options.get("count", 1))]
    return answer


def entries_of(data: Any) -> list[dict[str, Any]]:
    """The list that an answer of either API carries; empty if it carries none."""
    if not isinstance(data, dict):
        return []
    places = [data.get("Albums"), (data.get("Album") or {}).get("Images")]
    response = data.get("Response") or {}
    places += [response.get(response.get("Locator", ""))]
    return next((place for place in places if isinstance(place, list)), [])


def _cut(options: dict[str, Any], answer: Answer) -> Answer:
    answer.body = _whole(answer)
    answer.body = answer.body[: int(len(answer.body) * float(options.get("keep", 0.5)))]
    return answer


def _whole(answer: Answer) -> bytes:
    """The body, held."""
    answer.serialise()
    if answer.chunks is not None:
        answer.body = b"".join(answer.chunks)
    answer.chunks, answer.length = None, None
    return answer.body


Striker = Callable[[dict[str, Any], Call, Answer], Answer]
KINDS: dict[str, Striker] = {
    "code": _code,
    "status": _status,
    "no_content": _no_content,
    "empty": _empty,
    "not_json": _not_json,
    "html": _html,
    "wrong_envelope": _wrong_envelope,
    "deep": _deep,
    "gzip_bomb": _gzip_bomb,
    "endless": _endless,
    "reset": _reset,
    "redirect": _redirect,
    "oauth_problem": _oauth_problem,
    "packed": _packed,
    "slow": _slow,
    "trickle": _trickle,
    "trickling_head": _trickling_head,
    "truncated": _truncated,
    "truncated_unsized": _truncated_unsized,
    "close_midway": _close_midway,
    "length_wrong": _length_wrong,
    "date": _date,
    "age": _age,
    "duplicate": _duplicate,
    "missing_key": _missing_key,
    "malformed_key": _malformed_key,
    "huge_ids": _huge_ids,
    "wrong_md5": _wrong_md5,
    "million": _million,
    "shuffled": _shuffled,
    "dropped": _dropped,
    "placeholder": _placeholder,
    "not_image": _not_image,
    "corrupt": _corrupt,
    "short": _short,
    "shorter": _shorter,
}
PHOTO_KINDS = {"placeholder", "not_image", "corrupt", "short", "shorter"}
API_KINDS = {
    "code",
    "not_json",
    "wrong_envelope",
    "deep",
    "gzip_bomb",
    "duplicate",
    "missing_key",
    "malformed_key",
    "huge_ids",
    "wrong_md5",
    "million",
    "shuffled",
    "dropped",
}
EARLY_KINDS = {
    "code",
    "status",
    "no_content",
    "empty",
    "not_json",
    "html",
    "reset",
    "redirect",
    "oauth_problem",
    "packed",
}
"""Kinds that never reach the real answer."""
