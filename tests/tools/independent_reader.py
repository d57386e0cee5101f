"""A reader of stores that knows the format, `archive/FORMAT.md`, and nothing of the product.

It imports nothing but the standard library, so that it can judge what the product writes:

    python tests/tools/independent_reader.py FOLDER

`look` reads a folder, a mapping of keys to bytes, or anything with ``list("")`` and ``read(key)``,
and says what is wrong (nothing is the only good answer), what is worth telling though it is not
wrong, and which keys are proved from the seal. It reads every object, and all of the history.
"""

import hashlib
import json
import os
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

# -- names -----------------------------------------------------------------------------------------

_ID = r"[A-Za-z0-9_-]{1,64}"
_DIR = rf"{_ID}(?:=[0-9a-f]+)?"
_N = r"(?:\.(?:[2-9]|[1-9][0-9]+))?"
_EXT = r"(?:jpg|png|gif|heic|webp|tif|mp4|mov|bin)"
_RUN = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
_DATED = rf"(\d{{4}})/(\d\d)/({_RUN})"
_KINDS = {
    "readme": rf"README{_N}\.txt",
    "manifest": rf"manifests/({_DIR})/(\d{{8}}){_N}\.jsonl",
    "records": rf"records/({_DIR})/([0-9a-f]{{32}}){_N}\.jsonl",
    "original": rf"originals/({_DIR})/([0-9a-f]{{32}}|rev-[0-9a-f]{{16}}){_N}\.{_EXT}",
    "report": rf"runs/{_DATED}{_N}\.json",
    "page": rf"runs/{_DATED}\.html",
    "check": rf"checks/{_DATED}{_N}\.json",
    "drill": rf"drills/{_DATED}{_N}\.json",
    "forgotten": rf"forgotten/({_DIR}){_N}\.json",
    "plan": rf"work/({_RUN})/plan\.jsonl",
    "outcome": rf"work/({_RUN})/({_DIR})-(\d{{3}})\.json",
    "probe": r"work/probe\.txt",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
_FOLDERS = ("manifests", "records", "originals", "runs", "checks", "drills", "forgotten", "work")
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{n}{i}" for n in ("com", "lpt") for i in range(10)}
_NUMBER = re.compile(r"\.(?:[2-9]|[1-9][0-9]+)(?=\.[a-z0-9]+\Z)")


def directory(key):
    """The name of the directory of an album or image."""
    mask = sum(1 << place for place, letter in enumerate(key) if letter.isupper())
    return f"{key}={mask:x}" if mask or key.lower() in _RESERVED else key


def plain(key):
    """``key`` without a number before its extension."""
    return _NUMBER.sub("", key)


# -- fields ----------------------------------------------------------------------------------------
#
# A shape is a function that says whether a value has it, a list of one shape (a list of such), a
# dict of shapes (an object with these fields), or a tuple (one of these shapes or constants).


class _Later:
    """A field that early files lack."""

    def __init__(self, shape):
        self.shape = shape


def _text(pattern):
    match = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and match(value) is not None


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _natural(value):
    return _whole(value) and value >= 0


def _positive(value):
    return _whole(value) and value >= 1


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _flag(value):
    return isinstance(value, bool)


def _any_text(value):
    return isinstance(value, str)


def _object(value):
    return isinstance(value, dict)


def _list(value):
    return isinstance(value, list)


def _stamp(value):
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return False
    return _instant(value) is not None


def _run_id(value):
    if not isinstance(value, str) or not re.fullmatch(_RUN, value):
        return False
    return _began(value) is not None


def _instant(stamp):
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def _began(run):
    try:
        return datetime.strptime(run[:16], "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None


def _record_at(value):
    return isinstance(value, list) and len(value) == 2 and all(map(_positive, value))


_KEY = _text(_ID)
_FINGERPRINT = _text("[0-9a-f]{16}")
_MD5 = _text("[0-9a-f]{32}")
_SHA = _text("[0-9a-f]{64}")
_ORIGINAL_KEY = _text(_KINDS["original"])
_SOURCE = ("smugmug-1.3.0", "smugmug-v2")
_URLS = [_text(r"(?s).*(?:URL|Url|Uri|Uris)")]
_NAMED = {"run_id": _run_id, "sha256": _SHA}
_REASONS = (
    "not_yet",
    "processing",
    "download_failed",
    "md5_mismatch",
    "no_original_url",
    "refused_by_source",
    "bad_at_source",
    "too_large",
    "damaged",
    "forgotten",
)
_ACCOUNT = {"nickname": _any_text, "access": ("owner", "public")}

_RECORD = {"image": _object, "image_key": _KEY, "source": _SOURCE, "urls": _URLS}
_HEADER = {
    "format": ("smugmug-backup/manifest",),
    "version": (1,),
    "album_key": _KEY,
    "generation": _positive,
    "previous": ({"generation": _positive, "sha256": _SHA}, None),
    "run_id": _run_id,
    "written_at": _stamp,
    "account": _ACCOUNT,
    "source": _SOURCE,
    "title": _any_text,
    "path": [_any_text],
    "album": _object,
    "urls": _URLS,
    "image_count": _natural,
    "line_count": _natural,
    "cursor": _natural,
    "full_listing_at": (_stamp, None),
    "deleted_at": (_stamp, None),
}
_BYTES = {"key": _ORIGINAL_KEY, "bytes": _natural, "sha256": _SHA, "md5": _MD5}
_LINE = {
    "image_key": _KEY,
    "image_id": (_whole, None),
    "file_name": (_any_text, None),
    "record": (_text(_KINDS["records"]), None),
    "record_at": (_record_at, None),
    "fingerprint": _FINGERPRINT,
    "last_updated": (_any_text, None),
    "position": (_whole, None),
    "original": {
        "kind": ("original", "rendition", "none"),
        "status": ("stored", "pending", "unavailable"),
        "key": (_ORIGINAL_KEY, None),
        "bytes": (_natural, None),
        "sha256": (_SHA, None),
        "md5": (_MD5, None),
        "source_md5": (_MD5, None),
        "verified": _flag,
        "reason": (*_REASONS, None),
        "reason_since": (_stamp, None),
        "pending_since": (_stamp, None),
        "previous": (_BYTES, None),
    },
    "missing_since": (_stamp, None),
    "deleted_at": (_stamp, None),
}
_ENTRY = {
    "title": (_any_text, None),
    "path": [_any_text],
    "generation": _natural,
    "manifest_sha256": (_SHA, None),
    "album_fingerprint": (_FINGERPRINT, None),
    "cursor": _natural,
    "full_listing_at": (_stamp, None),
    "listed_at": (_stamp, None),
    "tried_at": (_stamp, None),
    "image_count": _natural,
    "bytes": _natural,
    "count_difference": (_whole, None),
    "pending": _natural,
    "unavailable": _natural,
    "unverified": _natural,
    "next_full": (_any_text, None),
    "doubt": ({"since": _stamp, "difference": (_whole, None), "keys": _FINGERPRINT}, None),
    "missing_since": (_stamp, None),
    "deleted_at": (_stamp, None),
}
_WHOLE_COUNTS = (
    "albums",
    "albums_changed",
    "images",
    "new",
    "changed",
    "missing",
    "deleted",
    "pending",
    "unavailable",
    "unverified",
    "repaired",
    "originals_stored",
    "bytes_stored",
    "cursor_misses",
    "late_arrivals",
    "api_calls",
    "s3_requests",
)
_COUNTS = {**dict.fromkeys(_WHOLE_COUNTS, _natural), "seconds": _number}
_FAILURE = {
    "album_key": (_KEY, None),
    "image_key": (_KEY, None),
    "code": _any_text,
    "message": _any_text,
}
_NEVER_UNAVAILABLE = ("not_yet", "download_failed")
_UNAVAILABLE = {
    "album_key": _KEY,
    "image_key": _KEY,
    "reason": (*(each for each in _REASONS if each not in _NEVER_UNAVAILABLE), "record_lost"),
    "file_name": _Later((_any_text, None)),
}
_PENDING = {
    "album_key": _KEY,
    "image_key": _KEY,
    "reason": tuple(each for each in _REASONS if each != "not_yet"),
    "since": _stamp,
    "file_name": _Later((_any_text, None)),
}
_KINDS_OF_IMAGES = (
    *("new", "changed", "replaced", "caption_lost", "keywords_lost"),
    *("back", "missing", "moved", "left"),
)
_KINDS_OF_ALBUMS = (
    *("album_new", "album_back", "album_missing", "album_left"),
    *("made_public", "made_private"),
)


def _changed_albums(value):
    kinds = {*_KINDS_OF_IMAGES, *_KINDS_OF_ALBUMS}
    return isinstance(value, dict) and all(
        _KEY(key)
        and isinstance(counted, dict)
        and counted.keys() <= kinds
        and all(map(_natural, counted.values()))
        for key, counted in value.items()
    )


_CHANGES = {
    "albums": _changed_albums,
    "images": [
        {
            "album_key": _KEY,
            "image_key": _KEY,
            "file_name": (_any_text, None),
            "what": _KINDS_OF_IMAGES,
        }
    ],
    "more_images": _natural,
}
_REPORT = {
    "format": ("smugmug-backup/run-report",),
    "version": (1,),
    "run_id": _run_id,
    "previous": [_NAMED],
    "status": ("complete", "continuing", "incomplete", "refused"),
    "trigger": (_any_text, None),
    "attempt_of": (_run_id, None),
    "started_at": _stamp,
    "ended_at": _stamp,
    "dated_at": (_stamp, None),
    "clock_doubted": _flag,
    "part": _flag,
    "account": {
        "nickname": (_any_text, None),
        "access": ("owner", "public", None),
        "formerly": [_any_text],
    },
    "source": _SOURCE,
    "complete_as_of": ({"run_id": _run_id, "at": _stamp}, None),
    "counts": _COUNTS,
    "failures": [_FAILURE],
    "more_failures": _natural,
    "unavailable": [_UNAVAILABLE],
    "more_unavailable": _natural,
    "pending": [_PENDING],
    "more_pending": _natural,
    "check": (
        {
            "run_id": _run_id,
            "sha256": _SHA,
            "ended_at": _stamp,
            "sound": _flag,
            "open": _natural,
        },
        None,
    ),
    "readme_sha256": (_SHA, None),
    "ignored_albums": [_KEY],
    "notes": [_any_text],
    "changes": _Later((_CHANGES, None)),
    "albums": _object,
}
_CHECK = {
    "format": ("smugmug-backup/check-report",),
    "version": (1,),
    "run_id": _run_id,
    "previous": [_NAMED],
    "started_at": _stamp,
    "ended_at": _stamp,
    "trigger": (_any_text, None),
    "sound": _flag,
    "history": _flag,
    "of_run": (_run_id, None),
    "objects": _natural,
    "read_objects": _natural,
    "read_bytes": _natural,
    "not_checked": [_any_text],
    "findings": [
        {
            "key": _any_text,
            "album_key": (_KEY, None),
            "image_key": (_KEY, None),
            "problem": (
                "missing",
                "damaged",
                "unreadable",
                "broken_chain",
                "misnamed",
                "foreign",
            ),
            "scope": ("state", "history"),
            "since": _stamp,
            "message": _any_text,
        }
    ],
    "more_findings": _natural,
    "accepted": _list,
    "heads": [_NAMED],
}
_DRILL = {
    "format": ("smugmug-backup/drill-report",),
    "version": (1,),
    "run_id": _run_id,
    "started_at": _stamp,
    "ended_at": _stamp,
    "of_run": (_run_id, None),
    "seal": (_SHA, None),
    "sampled": _natural,
    "same": _natural,
    "read_bytes": _natural,
    "years": (lambda v: _list(v) and len(v) == 2 and all(map(_whole, v)), None),
    "images": [
        {
            "album_key": _KEY,
            "image_key": (_KEY, None),
            "key": (_ORIGINAL_KEY, None),
            "outcome": (
                "same",
                "replaced_since",
                "gone_since",
                "unavailable_at_source",
                "differs",
                "damaged",
                "unreadable",
                "broken_chain",
            ),
            "message": (_any_text, None),
        }
    ],
}
_FORGOTTEN = {
    "format": ("smugmug-backup/forgotten",),
    "version": (1,),
    "image_key": _KEY,
    "forgotten_at": _stamp,
    "keys": [(_ORIGINAL_KEY, _text(_KINDS["records"]))],
}
_PLAN = {
    "albums": [
        {
            "album": {
                "key": _KEY,
                "id": (_whole, None),
                "title": _any_text,
                "path": [_any_text],
                "image_count": (_natural, None),
                "data": _object,
                "urls": _URLS,
                "changed_at": (_stamp, None),
            },
            "state": _ENTRY,
        }
    ],
    "account": _object,
    "accept_shrink": [_any_text],
    "check": (_run_id, None),
    "open_elsewhere": _natural,
}
_OUTCOME = {
    "state": _ENTRY,
    "failures": [_FAILURE],
    "unavailable": ([_UNAVAILABLE], None),
    "pending": ([_PENDING], None),
    "notes": [_any_text],
    "changes": _Later((_CHANGES, None)),
    "mended": [_any_text],
    "counts": _COUNTS,
    "committed": _flag,
    "left_over": _flag,
    "clock_doubted": _flag,
}


def _shape(value, shape, at):
    """What is wrong with ``value``, as sentences; ``surplus`` fields are marked by a ``+``."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{at} is no object"
            return
        for name, each in shape.items():
            later = isinstance(each, _Later)
            if name not in value:
                if not later:
                    yield f"{at}.{name} is missing"
            elif later:
                yield from _shape(value[name], each.shape, f"{at}.{name}")
            else:
                yield from _shape(value[name], each, f"{at}.{name}")
        for name in value.keys() - shape.keys():
            yield f"+{at}.{name} is a field that version 1 does not have"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{at} is no list"
            return
        for index, each in enumerate(value):
            yield from _shape(each, shape[0], f"{at}[{index}]")
    elif isinstance(shape, tuple):
        answers = []
        for each in shape:
            if callable(each) or isinstance(each, (dict, list)):
                answer = list(_shape(value, each, at))
                if not [one for one in answer if not one.startswith("+")]:
                    yield from answer
                    return
                answers.append(answer)
            elif type(value) is type(each) and value == each:
                return
        # An object that is nearly right is told by its own fault.
        nearly = isinstance(value, (dict, list)) and answers
        yield from answers[0] if nearly else [f"{at} cannot be {_brief(value)}"]
    elif not shape(value):
        yield f"{at} cannot be {_brief(value)}"


def _brief(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


# -- texts -----------------------------------------------------------------------------------------


class _Bad(ValueError):
    """A text is not what the format says; the message is a sentence's end."""


def _pairs(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Bad("names a field twice")
    return found


def _constant(name):
    raise _Bad(f"holds {name}, which is no JSON")


def _json(text):
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except _Bad:
        raise
    except (ValueError, RecursionError):
        raise _Bad("is no JSON") from None


def _decoded(body):
    if body.startswith(b"\xef\xbb\xbf"):
        raise _Bad("begins with a byte order mark")
    if b"\r" in body:
        raise _Bad("has a line end that is not \\n")
    if not body.endswith(b"\n"):
        raise _Bad("does not end its last line")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _Bad("is not UTF-8") from None
    return text


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def _escaped(text):
    """Whether a character beyond ASCII is escaped that could stand for itself."""
    units = [int(found[1], 16) for found in _ESCAPE.finditer(text) if found[1]]
    if any(unit >= 0x80 and not 0xD800 <= unit < 0xE000 for unit in units):
        return True
    pair = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    return re.search(rf"(?<!\\)(?:\\\\)*{pair}", text) is not None


def canonical(value):
    """Canonical JSON; a lone surrogate, which UTF-8 cannot hold, stays an escape."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _digest(body):
    return hashlib.sha256(body).hexdigest()


_SECRET = {"Password", "PasswordHint", "DownloadPassword", "UploadKey", "GuestUploadURL"}
_SECRET_NAME = re.compile(r"(?i)token(?:_?secret)?\Z")
_ADDRESS = ("URL", "Url", "Uri", "Uris")
_VOLATILE_IN_ALBUMS = {"ImageCount", "LastUpdated", "ImagesLastUpdated", "Highlight"}


def _names(value):
    """The names of all fields at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from _names(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _names(each)


def _volatile(value, album=False):
    for name in _names(value):
        if name.endswith(_ADDRESS) or name == "Position" or (album and name in _VOLATILE_IN_ALBUMS):
            yield f"holds the volatile field {name}"


def _urls(urls):
    if urls != sorted(set(urls)):
        yield "does not sort its urls, or names one twice"
    for name in set(urls) & _SECRET:
        yield f"names the secret {name} in its urls"


# -- one file by itself ----------------------------------------------------------------------------


def _text_wrong(text, value):
    """What no text of JSON may have."""
    if "\\u" in text and _escaped(text):
        yield "escapes a character that could stand for itself"
    for name in set(_names(value)):
        if name in _SECRET or _SECRET_NAME.search(name):
            yield f"holds the secret field {name}"


class File:
    """What one object says, judged by itself.

    ``wrong`` and ``surplus`` are sentences; ``data`` is the parsed text, None if it has none.
    ``memo``: lines of manifests that were judged before; most come again in each generation.
    """

    def __init__(self, key, body, memo):
        self.key = key
        self.memo = memo
        self.kind, self.match = _kind(key)
        self.size = len(body)
        self.sha256 = _digest(body)
        self.md5 = ""
        self.body = b""
        self.data = None
        self.newer = False
        self.wrong = []
        self.surplus = []
        self.misnamed = False
        try:
            getattr(self, f"_{self.kind}", lambda body: None)(body)
        except _Bad as bad:
            self._say(str(bad))
            self.data = None
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            self._say(f"cannot be read ({error!r})")
            self.data = None

    def _say(self, what):
        self.wrong.append(f"{self.key} {what}")

    def _holds(self, value, shape, at="it"):
        """Whether ``value`` has the shape; says all that is wrong with it."""
        right = True
        for what in _shape(value, shape, at):
            if what.startswith("+"):
                self.surplus.append(f"{self.key}: {what[1:]}")
            else:
                self.wrong.append(f"{self.key}: {what}")
                right = False
        return right

    def _parsed(self, text):
        value = _json(text)
        for what in _text_wrong(text, value):
            self._say(what)
        return value

    def _known(self, value):
        """Refuse a greater version."""
        version = value.get("version") if isinstance(value, dict) else None
        if _whole(version) and version > 1:
            self.newer = True
            raise _Bad(f"is of version {version}, which this reader does not know")

    def _one(self, body, shape):
        """A file of one object."""
        value = self._parsed(_decoded(body))
        self._known(value)
        if self._holds(value, shape):
            self.data = value
        return self.data

    def _readme(self, body):
        _decoded(body)

    def _page(self, body):
        text = _decoded(body)
        if re.search(r"(?i)<script|(?:href|src)\s*=\s*[\"']?\s*(?:https?:)?//|javascript:", text):
            self._say("has a script, or a link to elsewhere")

    def _original(self, body):
        self.md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        name = self.match[2]
        self.misnamed = not name.startswith("rev-") and name != self.md5

    def _records(self, body):
        self.body = body
        self.misnamed = not self.sha256.startswith(self.match[2])
        header, *lines = _decoded(body)[:-1].split("\n")
        value = self._parsed(header)
        self._known(value)
        album = value.get("album_key")
        form = '{"format":"smugmug-backup/records","version":1,"album_key":"%s"}'
        if not _KEY(album) or header != form % album:
            raise _Bad("does not begin as a records file does")
        if directory(album) != self.match[1]:
            self._say(f"is of album {album}, which has another directory")
        if not 1 <= len(lines) <= 5000:
            self._say(f"has {len(lines)} images")
        self.data = {}
        previous = ""
        for number, line in enumerate(lines, 2):
            record = self._parsed(line)
            if not self._holds(record, _RECORD, f"line {number}"):
                continue
            raw = line.encode()
            if canonical(record) != raw:
                self._say(f"does not have canonical JSON in line {number}")
            for what in (*_volatile(record["image"]), *_urls(record["urls"])):
                self._say(f"{what}, line {number}")
            if record["image_key"] <= previous:
                self._say(f"is not sorted by image, or has one twice, at line {number}")
            previous = record["image_key"]
            self.data[(record["image_key"], _digest(raw)[:16])] = record

    def _manifest(self, body):
        header, *raw = _decoded(body)[:-1].split("\n")
        header = self._parsed(header)
        self._known(header)
        if not self._holds(header, _HEADER, "the header"):
            return
        album, number = header["album_key"], header["generation"]
        lines = []
        for at, each in enumerate(raw, 2):
            line, said, surplus = self._remembered(album, each)
            self.wrong += [f"{self.key}, line {at}: {what}" for what in said]
            self.surplus += [f"{self.key}, line {at}: {what}" for what in surplus]
            lines.append(line)
        if None in lines:
            return
        if (directory(album), number) != (self.match[1], int(self.match[2])):
            self._say(f"says that it is generation {number} of album {album}")
        if header["previous"] and header["previous"]["generation"] >= number:
            self._say("was made from a generation that is not before it")
        if header["cursor"] and header["full_listing_at"] is None:
            self._say("has a cursor and was never listed in full")
        if header["full_listing_at"] is None and any(e["position"] is not None for e in lines):
            self._say("has positions and was never listed in full")
        for what in (*_volatile(header["album"], album=True), *_urls(header["urls"])):
            self._say(what)
        keys = [line["image_key"] for line in lines]
        if keys != sorted(set(keys)):
            self._say("is not sorted by image, or has one twice")
        if header["line_count"] != len(lines):
            self._say(f"counts {header['line_count']} lines and has {len(lines)}")
        live = sum(map(_live, lines))
        if header["image_count"] != live:
            self._say(f"counts {header['image_count']} live lines and has {live}")
        self.data = header, dict(zip(keys, zip(lines, raw, strict=True), strict=True))

    def _remembered(self, album, raw):
        """A line (None if it is none), what is wrong with it, and its unknown fields."""
        if (album, raw) not in self.memo:
            line, wrong, surplus = None, [], []
            try:
                value = _json(raw)
                wrong += _text_wrong(raw, value)
                shape = list(_shape(value, _LINE, "it"))
                surplus = [what[1:] for what in shape if what.startswith("+")]
                wrong += [what for what in shape if not what.startswith("+")]
                if len(shape) == len(surplus):
                    line = value
                    wrong += _line_wrong(album, line)
            except _Bad as bad:
                wrong.append(str(bad))
            self.memo[album, raw] = line, wrong, surplus
        return self.memo[album, raw]

    def _report(self, body):
        data = self._one(body, _REPORT)
        if data is None:
            return
        self._dated(data)
        right = True
        for key, entry in data["albums"].items():
            if not _KEY(key):
                self._say(f"has an album of the key {key!r}")
                right = False
            right = self._holds(entry, _ENTRY, f"albums.{key}") and right
        if not right:
            self.data = None
            return
        for what in _report_wrong(data):
            self._say(what)

    def _check(self, body):
        data = self._one(body, _CHECK)
        if data is None:
            return
        self._dated(data)
        serious = [f for f in data["findings"] if f["problem"] not in ("foreign", "misnamed")]
        if data["sound"] and serious:
            self._say(f"says sound and has the finding {serious[0]['key']}")
        if len(data["findings"]) > 10_000 or (
            data["more_findings"] and len(data["findings"]) < 10_000
        ):
            self._say("names more or less than 10,000 findings")

    def _drill(self, body):
        data = self._one(body, _DRILL)
        if data is None:
            return
        self._dated(data)
        same = sum(each["outcome"] == "same" for each in data["images"])
        if (data["sampled"], data["same"]) != (len(data["images"]), same):
            self._say("does not count its images right")

    def _forgotten(self, body):
        data = self._one(body, _FORGOTTEN)
        if data is None:
            return
        where = directory(data["image_key"])
        if where != self.match[1]:
            self._say(f"is of image {data['image_key']}, which has another name")
        for key in data["keys"]:
            if key.startswith("originals/") and key.split("/")[1] != where:
                self._say(f"names {key}, which is another image's")

    def _plan(self, body):
        for number, line in enumerate(_decoded(body)[:-1].split("\n"), 1):
            value = self._parsed(line)
            if self._holds(value, _PLAN, f"line {number}"):
                self._holds(
                    {k: v for k, v in value["account"].items() if k != "formerly"},
                    _ACCOUNT,
                    f"line {number}.account",
                )
                for each in value["albums"]:
                    for what in _volatile(each["album"]["data"], album=True):
                        self._say(f"{what}, line {number}")

    def _outcome(self, body):
        self._one(body, _OUTCOME)

    def _dated(self, data):
        year, month, run = self.match[1], self.match[2], self.match[3]
        if data["run_id"] != run or (run[:4], run[4:6]) != (year, month):
            self._say(f"is of {data['run_id']}, which has another name")


def _directories(file):
    """The names of album and image directories in a key."""
    place = {"manifest": 1, "records": 1, "original": 1, "forgotten": 1, "outcome": 2}
    return [file.match[place[file.kind]]] if file.kind in place else []


def _kind(key):
    for kind, pattern in _PATTERNS.items():
        match = pattern.fullmatch(key)
        if match is not None:
            return kind, match
    return "foreign", None


def _live(line):
    return line["missing_since"] is None and line["deleted_at"] is None


def _line_wrong(album, line):
    """What one line of a manifest says that cannot be."""
    image, original = line["image_key"], line["original"]
    if (line["record"] is None) != (line["record_at"] is None):
        yield "names a record without its place, or a place without a record"
    if line["record"] and line["record"].split("/")[1] != directory(album):
        yield f"its record {line['record']} is another album's"
    for key in (original["key"], (original["previous"] or {}).get("key")):
        if key and key.split("/")[1] != directory(image):
            yield f"its original {key} is another image's"
    kind, status, reason = original["kind"], original["status"], original["reason"]
    waits = (original["reason_since"], original["pending_since"])
    where = [original[name] for name in ("key", "bytes", "sha256", "md5")]
    if kind == "none" and reason != "no_original_url":
        yield f"its original is of kind none with reason {reason}"
    if status != "stored":
        if where != [None] * 4:
            yield f"its original is {status} and names bytes"
        if original["verified"]:
            yield f"its original is {status} and verified"
        if reason is None or None in waits:
            yield f"its original is {status} without a reason, or since when"
        if status == "unavailable" and reason in _NEVER_UNAVAILABLE:
            yield f"its original is unavailable because of {reason}"
        return
    if None in where:
        yield "its original is stored and does not name its bytes"
        return
    key, md5, said = original["key"], original["md5"], original["source_md5"]
    name = re.fullmatch(_KINDS["original"], key)[2]
    if kind == "none":
        yield "its original is stored and of kind none"
    if not name.startswith("rev-") and name != md5:
        yield f"its original lies under {name} and has the MD5 {md5}"
    if original["verified"] and said not in (None, md5):
        yield "its original is verified, and the source states another MD5"
    if reason is None:
        if waits != (None, None):
            yield "its original is stored with nothing open, and since when"
        if original["previous"]:
            yield "its original is stored with nothing open, and names earlier bytes"
        if name == said and not original["verified"]:
            yield "its original has the source's MD5 and is not verified"
        if kind == "original" and said not in (None, md5):
            yield "its original has another MD5 than the source's, and no reason says so"
    elif reason == "md5_mismatch":
        if None in waits:
            yield "its original is a mismatch without since when"
        if original["verified"] or said in (None, md5) or not name.startswith("rev-"):
            yield "its original is called a mismatch and is none"
    else:
        yield f"its original is stored with reason {reason}"


def _left(entry):
    return entry["missing_since"] is not None or entry["deleted_at"] is not None


def _report_wrong(data):
    """What a report says of itself that cannot be."""
    counts = data["counts"]
    there = {key: entry for key, entry in data["albums"].items() if not _left(entry)}
    totals = {"albums": len(there), "images": sum(e["image_count"] for e in there.values())}
    for name in ("pending", "unavailable", "unverified"):
        totals[name] = sum(entry[name] for entry in there.values())
    for name, number in totals.items():
        if counts[name] != number:
            yield f"counts {name} {counts[name]}, its albums say {number}"
    for name in ("failures", "unavailable", "pending"):
        listed, more = len(data[name]), data[f"more_{name}"]
        if listed > 1000 or (more and listed < 1000):
            yield f"names {listed} {name} and says that there are {more} more"
    named = [e for e in data["unavailable"] if e["reason"] != "record_lost"]
    if not data["more_unavailable"] and len(named) != counts["unavailable"]:
        yield f"counts unavailable {counts['unavailable']} and names {len(named)}"
    if len(data["pending"]) + data["more_pending"] > counts["pending"]:
        yield f"counts pending {counts['pending']} and names more"
    for key, entry in data["albums"].items():
        nothing = (entry["manifest_sha256"], entry["album_fingerprint"], entry["cursor"])
        if entry["generation"] == 0 and nothing != (None, None, 0):
            yield f"says of album {key} more than an album without a generation has"
        # Of a newest manifest that cannot be read nobody knows them; then the album is listed anew.
        if entry["generation"] and None in nothing[:2] and entry["next_full"] is None:
            yield f"does not say the hashes of generation {entry['generation']} of album {key}"
    if data["run_id"] in [each["run_id"] for each in data["previous"]]:
        yield "names itself as a report before it"
    if len({each["run_id"] for each in data["previous"]}) != len(data["previous"]):
        yield "names a report before it twice"
    account = data["account"]
    if (account["nickname"] is None) != (account["access"] is None):
        yield "knows half of its account"
    if data["status"] == "complete":
        yield from _complete_wrong(data, there)
    elif (data["complete_as_of"] or {}).get("run_id") == data["run_id"]:
        yield f"is {data['status']} and calls itself the newest complete one"


def _complete_wrong(data, there):
    if data["failures"] or data["more_failures"]:
        yield "is complete with failures"
    if data["clock_doubted"] or data["dated_at"] is None:
        yield "is complete without a date to believe"
    for key, entry in there.items():
        if entry["pending"] and not data["part"] and key not in data["ignored_albums"]:
            yield f"is complete, and album {key} has images pending"
    own = {"run_id": data["run_id"], "at": data["dated_at"]}
    if not data["part"] and data["complete_as_of"] != own:
        yield "is complete, and complete_as_of does not say so"


# -- all files together ----------------------------------------------------------------------------


class Reading:
    """What a look found.

    ``wrong``: sentences. ``told``: (kind, sentence) of what is worth telling and not wrong; the
    kinds are ``ignored`` (a name that is not of the format), ``foreign``, ``misnamed``,
    ``leftover`` (no line names it), ``numbered`` (a numbered name stood in), ``moved`` (a record
    that lies in another file now), ``forgotten``, ``uncommitted`` (a generation that no report
    knows), ``damaged`` (bytes that a line itself calls damaged), ``future`` (a report) and
    ``no_checks`` (a copy). ``proved``: keys that the seal vouches for. ``heads``: (run id,
    SHA-256) of each head, sorted; ``seal``: their SHA-256. ``files``: every object by its key.
    ``albums``: the entries of the newest state. ``newest``: the newest manifest of each album,
    as (header, lines by image key).
    """

    def __init__(self):
        self.wrong = []
        self.told = []
        self.proved = set()
        self.heads = []
        self.files = {}
        self.albums = {}
        self.newest = {}

    @property
    def seal(self):
        return [sha256 for _, sha256 in self.heads]

    def told_of(self, kind):
        """The sentences of one kind."""
        return [sentence for each, sentence in self.told if each == kind]


class Folder:
    """A folder as a store; keys have slashes on every system."""

    def __init__(self, path):
        self.path = Path(path)

    def keys(self):
        for path in self.path.rglob("*"):
            if path.is_file():
                yield path.relative_to(self.path).as_posix()

    def __getitem__(self, key):
        return (self.path / key).read_bytes()


class _Store:
    """Anything with ``list("")`` and ``read(key)``."""

    def __init__(self, store):
        self.store = store

    def keys(self):
        return [each.key for each in self.store.list("")]

    def __getitem__(self, key):
        return self.store.read(key)


def look(
    store,
    *,
    now=None,
    strict=True,
    seal=None,
    secrets=(),
    accepted=(),
    revisions=False,
    cache=None,
):
    """Read all of ``store`` and judge it.

    ``now``: the reader's date as a stamp; reports more than 12 hours ahead of it do not count.
    ``strict``: a field that version 1 does not have is wrong, for what is judged is a writer.
    ``seal``: the SHA-256 of a report that must be there and be proved. ``secrets``: bytes that
    must be in no object. ``accepted``: keys whose damage is known; what is said of them is told,
    not wrong. ``revisions``: a new name ``rev-…`` must follow from the image's record, for a store
    that was made from SmugMug's own answers. ``cache``: a dict, kept between looks at the same
    store; an object that has the same bytes is not judged again by itself.
    """
    if isinstance(store, (str, os.PathLike)):
        store = Folder(store)
    elif not hasattr(store, "keys") or hasattr(store, "list"):
        store = _Store(store)
    looking = _Look(store, now, strict, cache if cache is not None else {})
    looking.revisions = revisions
    return looking.all(seal, secrets, frozenset(accepted))


QUIET = frozenset(
    ("leftover", "numbered", "moved", "forgotten", "uncommitted", "damaged", "no_checks")
)
"""What an honest history leaves behind: kills, mending, copies, `forget`."""


def assert_sound(store, *, allow=QUIET, **options):
    """The `Reading` of a store that nothing is wrong with; fails with all that is.

    ``allow``: the kinds of ``told`` that may be there. Further options are those of `look`.
    """
    reading = look(store, **options)
    said = reading.wrong + [text for kind, text in reading.told if kind not in allow]
    assert not said, "\n".join(said)
    return reading


class _Look:
    def __init__(self, store, now, strict, cache):
        self.store = store
        self.limit = None
        if now is not None:
            self.limit = f"{_instant(now) + timedelta(hours=12):%Y%m%dT%H%M%SZ}"
        self.strict = strict
        self.revisions = False
        self.cache = cache
        self.found = Reading()
        self.files = self.found.files
        self.siblings = {}
        self.named = {}
        self.lines_done = set()
        self.record_lines = {}
        self.forgotten = set()
        self.accepted = frozenset()
        self.about = {}

    def wrong(self, sentence, key=None):
        if key in self.accepted:
            self.tell("damaged", sentence)
        elif sentence not in self.about:
            self.about[sentence] = key
            self.found.wrong.append(sentence)

    def tell(self, kind, sentence):
        if (kind, sentence) not in self.about:
            self.about[(kind, sentence)] = None
            self.found.told.append((kind, sentence))

    def all(self, seal, secrets, accepted):
        self.accepted = accepted
        self.read(secrets)
        self.names()
        self.by_kind = {}
        for file in self.files.values():
            self.by_kind.setdefault(file.kind, []).append(file)
        self.index()
        checks = self.chain_of_checks()
        reports = self.chain_of_reports(checks)
        stated = self.stated(reports)
        self.manifests(stated)
        self.entries(reports)
        self.state(reports)
        self.outside()
        self.themselves()
        if seal is not None and not any(
            f.sha256 == seal and f.key in self.found.proved for f in self.by_kind.get("report", ())
        ):
            self.wrong(f"no report that a head proves has the seal {seal}")
        return self.found

    # -- what is there -----------------------------------------------------------------------------

    def read(self, secrets):
        for key in sorted(self.store.keys()):
            body = self.store[key]
            for secret in secrets:
                if secret in body:
                    self.wrong(f"{key} holds a secret")
            known = self.cache.get(key)
            if known is None or (known[0] is not body and known[1].sha256 != _digest(body)):
                known = (body, File(key, body, self.cache.setdefault("", {})))
                if known[1].size > 1_000_000:
                    known = (None, known[1])
                self.cache[key] = known
            file = known[1]
            self.files[key] = file
            self.siblings.setdefault(plain(key), []).append(key)

    def names(self):
        folded = {}
        for key in self.files:
            if key.lower() in folded:
                self.wrong(f"{key} and {folded[key.lower()]} differ in case alone", key)
            folded[key.lower()] = key
            for part in key.split("/"):
                if part.split(".")[0].lower() in _RESERVED:
                    self.wrong(f"{key} has a name that Windows reserves", key)
            file = self.files[key]
            if file.kind == "foreign":
                ours = key.split("/")[0] in _FOLDERS and "/" in key
                self.tell("foreign" if ours else "ignored", f"{key} is not of this format")
            for where in _directories(file):
                if directory(where.split("=")[0]) != where:
                    self.wrong(f"{key} has the wrong mask of capitals", key)

    def index(self):
        """Who is forgotten, and where each record lies."""
        for file in self.by_kind.get("forgotten", ()):
            if file.data:
                self.forgotten |= {plain(key) for key in file.data["keys"]}
                self.forgotten.add(file.data["image_key"])
        for file in self.by_kind.get("records", ()):
            for each in file.data or ():
                if not file.misnamed:
                    where = (file.match[1], *each)
                    self.record_lines.setdefault(where, []).append(file.key)

    def resolve(self, key, sha256):
        """The object that counts under ``key``: the one with this SHA-256, or None."""
        for each in [key, *self.siblings.get(plain(key), ())]:
            file = self.files.get(each)
            if file is not None and file.sha256 == sha256:
                if each != key:
                    self.tell("numbered", f"{each} stands in for {key}")
                return file
        return None

    def missing_or_damaged(self, key):
        return "does not have the SHA-256 stated of it" if key in self.files else "is missing"

    # -- checks and reports ------------------------------------------------------------------------

    def chain_of_checks(self):
        checks = {}
        for file in self.by_kind.get("check", ()):
            if file.data:
                checks.setdefault(file.data["run_id"], file)
        for file in list(checks.values()):
            for each in file.data["previous"]:
                key = _dated_key("checks", each["run_id"])
                if self.resolve(key, each["sha256"]) is None:
                    self.wrong(f"{file.key}: {key} {self.missing_or_damaged(key)}", key)
            for each in file.data["heads"]:
                key = _dated_key("runs", each["run_id"])
                if self.resolve(key, each["sha256"]) is None:
                    self.wrong(f"{file.key}: head {key} {self.missing_or_damaged(key)}", key)
            of_run = file.data["of_run"]
            if of_run is not None and _dated_key("runs", of_run) not in self.siblings:
                self.wrong(f"{file.key} is of a report that is not there, {of_run}")
        return checks

    def chain_of_reports(self, checks):
        """All reports by key that the heads vouch for, or that are heads; the heads are found."""
        all_reports = [file for file in self.by_kind.get("report", ()) if file.data]
        named = {}
        for file in all_reports:
            for each in file.data["previous"]:
                key = _dated_key("runs", each["run_id"])
                named.setdefault(key, set()).add(each["sha256"])
        heads = []
        for file in all_reports:
            base = plain(file.key)
            if base not in named and base == file.key:
                heads.append(file)
        # One whose own name was taken by damage is a head of its own only if nobody names it.
        self.found.heads = sorted((file.data["run_id"], file.sha256) for file in heads)
        reports, queue = {}, list(heads)
        while queue:
            file = queue.pop()
            if file.key in reports:
                continue
            reports[file.key] = file
            self.found.proved.add(file.key)
            for each in file.data["previous"]:
                key = _dated_key("runs", each["run_id"])
                before = self.resolve(key, each["sha256"])
                if before is None:
                    self.wrong(f"{file.key}: {key} {self.missing_or_damaged(key)}", key)
                elif before.data is not None:
                    queue.append(before)
            self.check_and_readme(file, checks)
        if all_reports and not heads:
            self.wrong("every report is named by another one")
        self.by_name = {(plain(each.key), each.sha256): each for each in reports.values()}
        newest = {}
        for file in self.oldest_first(heads):
            complete = [newest[each.key] for each in self.before(file)]
            if file.data["status"] == "complete" and not file.data["part"]:
                complete.append(file.data["run_id"])
            newest[file.key] = max(filter(None, complete), default=None)
            self.complete_as_of(file, reports, newest[file.key])
            self.carried(file)
        for file in self.by_kind.get("page", ()):
            if file.key[: -len("html")] + "json" not in self.files:
                self.tell("foreign", f"{file.key} is the page of no report")
        return reports

    def check_and_readme(self, file, checks):
        data = file.data
        if data["readme_sha256"] is not None:
            readme = self.resolve("README.txt", data["readme_sha256"])
            if readme is None:
                self.wrong(f"{file.key}: no README has the SHA-256 stated of it", "README.txt")
            else:
                self.found.proved.add(readme.key)
        said = data["check"]
        if said is None:
            return
        key = _dated_key("checks", said["run_id"])
        if not any(each.startswith("checks/") for each in self.files):
            self.tell("no_checks", f"{file.key} names {key}; this store has no checks")
            return
        check = self.resolve(key, said["sha256"])
        if check is None:
            self.wrong(f"{file.key}: {key} {self.missing_or_damaged(key)}", key)
        elif check.data:
            self.vouch(check)
            same = (check.data["ended_at"], check.data["sound"])
            if (said["ended_at"], said["sound"]) != same:
                self.wrong(f"{file.key} says of its check what that does not")

    def vouch(self, check):
        """A check report is proved, and those before it."""
        queue = [check]
        while queue:
            check = queue.pop()
            if check.key in self.found.proved or not check.data:
                continue
            self.found.proved.add(check.key)
            for each in check.data["previous"]:
                before = self.resolve(_dated_key("checks", each["run_id"]), each["sha256"])
                queue += [before] if before else []

    def before(self, file):
        """The reports that a report names, as far as they are there."""
        names = [(_dated_key("runs", e["run_id"]), e["sha256"]) for e in file.data["previous"]]
        return [self.by_name[name] for name in names if name in self.by_name]

    def oldest_first(self, heads):
        """All reports that ``heads`` prove, each after those that it names."""
        done, stack = {}, list(heads)
        while stack:
            waiting = [each for each in self.before(stack[-1]) if each.key not in done]
            if waiting:
                stack += waiting
            else:
                file = stack.pop()
                done[file.key] = file
        return list(done.values())

    def carried(self, file):
        """What a report has to take over from those before it: every album, and a few facts."""
        albums, all_before = file.data["albums"], self.before(file)
        for before in all_before:
            for name in ("check", "readme_sha256"):
                if before.data[name] is not None and file.data[name] is None:
                    self.wrong(f"{file.key} does not carry on the {name} of {before.key}")
            if len(all_before) == 1:
                formerly, account = before.data["account"]["formerly"], file.data["account"]
                # One that the account bears again is its name, in whatever case.
                names = [*account["formerly"], account["nickname"] or ""]
                if not {each.lower() for each in formerly} <= {each.lower() for each in names}:
                    self.wrong(f"{file.key} does not carry on the account's earlier names")
            for album, entry in before.data["albums"].items():
                if entry["generation"] and album not in albums:
                    self.wrong(f"{file.key} has lost album {album}, which {before.key} has")
                elif entry["generation"] and entry["generation"] > albums[album]["generation"]:
                    self.wrong(f"{file.key}: album {album} has a lower generation than before")

    def complete_as_of(self, file, reports, newest):
        said = file.data["complete_as_of"]
        if said is None:
            if newest is not None:
                self.wrong(f"{file.key} knows no complete report, and {newest} is one")
            return
        key = _dated_key("runs", said["run_id"])
        named = next((each for each in reports.values() if plain(each.key) == key), None)
        if named is None:
            self.wrong(f"{file.key}: the complete report {key} is not there", key)
        elif named.data["status"] != "complete" or named.data["part"]:
            self.wrong(f"{file.key} calls {key} complete")
        elif named.data["dated_at"] != said["at"]:
            self.wrong(f"{file.key} gives {key} another date than it has")
        elif newest is not None and said["run_id"] < newest <= file.data["run_id"]:
            self.wrong(f"{file.key} calls {key} the newest complete report, {newest} is newer")

    # -- manifests ---------------------------------------------------------------------------------

    def stated(self, reports):
        """The SHA-256 that reports state of manifests, by plain key: {sha256: who says it}."""
        stated = {}
        for file in reports.values():
            for album, entry in file.data["albums"].items():
                if entry["generation"] and entry["manifest_sha256"]:
                    key = _manifest_key(album, entry["generation"])
                    stated.setdefault(key, {}).setdefault(entry["manifest_sha256"], file.key)
        return stated

    def manifests(self, stated):
        albums = {}
        for file in self.by_kind.get("manifest", ()):
            albums.setdefault(file.match[1], {}).setdefault(int(file.match[2]), []).append(file)
        for key in stated:
            where, number = key.split("/")[1], int(key.split("/")[2][:8])
            albums.setdefault(where, {}).setdefault(number, [])
        for where, generations in sorted(albums.items()):
            self.album(where, generations, stated)

    def album(self, where, generations, stated):
        proved = {key for key in stated if key.split("/")[1] == where}
        newest = max(generations)
        for number in sorted(set(range(1, newest + 1)) - set(generations)):
            key = f"manifests/{where}/{number:08d}.jsonl"
            self.wrong(f"{key} is missing", key)
        sound = {}
        for number in sorted(generations, reverse=True):
            key = f"manifests/{where}/{number:08d}.jsonl"
            said = stated.get(key, {})
            if len(said) > 1:
                self.wrong(f"{key} has {len(said)} different SHA-256 stated of it", key)
            if said:
                sha256 = min(said)
                file = self.resolve(key, sha256)
                if file is None:
                    self.wrong(f"{said[sha256]}: {key} {self.missing_or_damaged(key)}", key)
                    continue
            else:
                file = self.files.get(key)
                if file is None:
                    self.wrong(f"{key} is missing, and nothing states its SHA-256", key)
                    continue
            if file.data is None:
                continue
            if key in proved:
                self.found.proved.add(file.key)
            else:
                self.tell("uncommitted", f"{key}: no report knows this generation")
            sound[number] = file
            previous = file.data[0]["previous"]
            if previous is not None:
                before = f"manifests/{where}/{previous['generation']:08d}.jsonl"
                stated.setdefault(before, {}).setdefault(previous["sha256"], file.key)
                if key in proved:
                    proved.add(before)
        for number, file in sorted(sound.items()):
            self.manifest(number, file, sound)
        if sound:
            header, lines = sound[max(sound)].data
            self.found.newest[header["album_key"]] = (
                header,
                {key: line for key, (line, _) in lines.items()},
            )

    def manifest(self, number, file, sound):
        header, lines = file.data
        previous = header["previous"]
        first = previous["generation"] if previous else 0
        # What a numbered name has brought back was not there when this one was made.
        if any(first < each < number and plain(f.key) == f.key for each, f in sound.items()):
            self.wrong(f"{file.key} passes over a sound generation")
        if previous is not None and previous["generation"] in sound:
            before, old = sound[previous["generation"]].data
            for image in old.keys() - lines.keys():
                self.wrong(f"{file.key}: the line of image {image} has gone")
            if header["cursor"] < before["cursor"]:
                self.wrong(f"{file.key}: the cursor went back")
        before = sound[first].data[1] if first in sound else {}
        for image, (line, _) in lines.items():
            if "/rev-" in (line["original"]["key"] or ""):
                old = before[image][0]["original"] if image in before else None
                self.by_revision(f"{file.key}, {image}", header, old, line)
        vouched = file.key in self.found.proved
        for image, (line, raw) in lines.items():
            done = (header["album_key"], raw, vouched)
            if done not in self.lines_done:
                self.lines_done.add(done)
                self.line(f"{file.key}, {image}", header["album_key"], line, vouched)

    def by_revision(self, at, header, old, line):
        """Bytes that are new under a revision: no MD5 vouches, and the record gives the name."""
        original = line["original"]
        known = [old["key"], (old["previous"] or {}).get("key")] if old else []
        if original["key"] in known:
            return
        if original["verified"] and original["kind"] == "original":
            self.wrong(f"{at}: its original is verified and does not lie under its MD5")
        found = (directory(header["album_key"]), line["image_key"], line["fingerprint"])
        for key in self.record_lines.get(found, ()) if self.revisions else ():
            record = self.files[key].data[found[1:]]
            if original["kind"] == "rendition" and record["source"] == "smugmug-v2":
                return
            if re.fullmatch(_KINDS["original"], original["key"])[2][4:] not in _revisions(record):
                self.wrong(f"{at}: {original['key']} does not follow from its record")
            return

    def line(self, at, album, line, vouched):
        original = line["original"]
        if line["record"] is not None and line["record_at"] is not None:
            self.record(at, album, line, vouched)
        said = [original[name] for name in ("key", "bytes", "sha256", "md5")]
        if original["status"] == "stored" and None not in said:
            self.bytes(at, line, original, vouched)
        if original["previous"] is not None:
            if original["reason"] in ("damaged", "forgotten"):
                self.tell("damaged", f"{at}: earlier bytes are {original['reason']}")
                self.named.setdefault(plain(original["previous"]["key"]), {})
            else:
                self.bytes(at, line, original["previous"], vouched)

    def bytes(self, at, line, said, vouched):
        key = said["key"]
        for sha256, (other, where) in self.named.get(plain(key), {}).items():
            if other == key and sha256 != said["sha256"]:
                self.wrong(f"{at} and {where} state different SHA-256 of {key}", key)
        self.named.setdefault(plain(key), {}).setdefault(said["sha256"], (key, at))
        file = self.resolve(key, said["sha256"])
        if file is None:
            if plain(key) in self.forgotten and key not in self.files:
                self.tell("forgotten", f"{at}: {key} was forgotten")
            else:
                self.wrong(f"{at}: {key} {self.missing_or_damaged(key)}", key)
            return
        if (file.size, file.md5) != (said["bytes"], said["md5"]):
            self.wrong(f"{at}: {key} has another length or MD5 than its line says", key)
        if vouched:
            self.found.proved.add(file.key)

    def record(self, at, album, line, vouched):
        key, image, fingerprint = line["record"], line["image_key"], line["fingerprint"]
        self.named.setdefault(plain(key), {})
        offset, length = line["record_at"]
        there = [
            self.files[each]
            for each in (key, *self.siblings.get(plain(key), ()))
            if each in self.files
        ]
        for file in there:
            raw = file.body[offset : offset + length]
            right = _digest(raw)[:16] == fingerprint and file.data is not None
            if right and not file.misnamed and (image, fingerprint) in file.data:
                if file.key != key:
                    self.tell("numbered", f"{file.key} stands in for {key}")
                if vouched:
                    self.found.proved.add(file.key)
                return
        if any(not file.misnamed and file.data is not None for file in there):
            self.wrong(f"{at}: its record is not at {line['record_at']} of {key}", key)
            return
        elsewhere = self.record_lines.get((directory(album), image, fingerprint), ())
        for each in elsewhere:
            self.tell("moved", f"{at}: its record lies in {each}")
            if vouched:
                self.found.proved.add(each)
            return
        if image in self.forgotten or plain(key) in self.forgotten:
            self.tell("forgotten", f"{at}: its record was forgotten")
            return
        what = "is damaged" if there else "is missing"
        self.wrong(f"{at}: {key} {what}, and no other file has the record", key)

    # -- entries -----------------------------------------------------------------------------------

    def entries(self, reports):
        done = set()
        for file in reports.values():
            for album, entry in file.data["albums"].items():
                if not entry["generation"] or not entry["manifest_sha256"]:
                    continue
                same = (album, json.dumps(entry, sort_keys=True))
                if same in done:
                    continue
                done.add(same)
                key = _manifest_key(album, entry["generation"])
                manifest = self.resolve(key, entry["manifest_sha256"])
                if manifest is not None and manifest.data is not None:
                    for what in _entry_wrong(entry, *manifest.data):
                        self.wrong(f"{file.key}: album {album}: {what}")
        open_ends = {}
        for file in reports.values():
            self.open_ends(file, open_ends)

    def open_ends(self, file, cache):
        """The lists of a report, against the lines of the manifests that it names."""
        lists = {"unavailable": set(), "pending": set(), "may wait": set()}
        for album, entry in file.data["albums"].items():
            if _left(entry) or not entry["generation"] or not entry["manifest_sha256"]:
                continue
            key = _manifest_key(album, entry["generation"])
            manifest = self.resolve(key, entry["manifest_sha256"])
            if manifest is None or manifest.data is None:
                return
            if manifest.key not in cache:
                cache[manifest.key] = _open_ends(album, manifest.data[1])
            for name, each in cache[manifest.key].items():
                lists[name] |= each
        for name, more in (("unavailable", set()), ("pending", lists["may wait"])):
            said = {_end(each) for each in file.data[name]}
            for each in sorted(said - lists[name] - more):
                self.wrong(f"{file.key} names as {name} {_brief(each)}, no line does")
            if not file.data[f"more_{name}"]:
                for each in sorted(lists[name] - said):
                    self.wrong(f"{file.key} does not name {name} {_brief(each)}")

    def state(self, reports):
        """The newest state, merged from the heads."""
        heads = {sha256 for _, sha256 in self.found.heads}
        counting = []
        for file in reports.values():
            if self.limit is not None and file.data["run_id"] > self.limit:
                self.tell("future", f"{file.key} lies in the future")
            elif file.sha256 in heads:
                counting += self.newest_that_counts(file)
        for file in counting:
            for album, entry in file.data["albums"].items():
                known = self.found.albums.get(album)
                if known is None or _later(entry) > _later(known):
                    self.found.albums[album] = entry

    def newest_that_counts(self, head):
        before = [
            each
            for each in self.oldest_first([head])
            if each.data["status"] != "refused"
            and not each.data["part"]
            and not each.data["clock_doubted"]
            and (self.limit is None or each.data["run_id"] <= self.limit)
        ]
        return [max(before, key=lambda each: each.data["run_id"])] if before else []

    # -- the rest ----------------------------------------------------------------------------------

    def outside(self):
        for file in self.by_kind.get("drill", ()):
            if file.data and file.data["of_run"] and file.data["seal"]:
                key = _dated_key("runs", file.data["of_run"])
                if self.resolve(key, file.data["seal"]) is None:
                    self.wrong(f"{file.key}: no report {key} has its seal", key)
        for kind in ("original", "records"):
            for file in self.by_kind.get(kind, ()):
                named = plain(file.key) in self.named
                if file.misnamed:
                    kind = "damaged" if named else "misnamed"
                    self.tell(kind, f"{file.key} is not what its name says")
                elif not named:
                    self.tell("leftover", f"{file.key} is named by no line")

    def themselves(self):
        """What is wrong with files by themselves.

        A damaged one that another stands in for, or that no line needs, is told.
        """
        for file in self.files.values():
            mended = file.key not in self.found.proved and any(
                each in self.found.proved for each in self.siblings[plain(file.key)]
            )
            for sentence in file.wrong:
                # Of a misnamed one the lines that need it have said all.
                if (mended or file.misnamed) and not file.newer:
                    self.tell("damaged", sentence)
                else:
                    self.wrong(sentence, file.key)
            if self.strict:
                for sentence in file.surplus:
                    self.wrong(sentence, file.key)


def _dated_key(folder, run):
    return f"{folder}/{run[:4]}/{run[4:6]}/{run}.json"


def _manifest_key(album, generation):
    return f"manifests/{directory(album)}/{generation:08d}.jsonl"


def _later(entry):
    return entry["generation"], entry["tried_at"] or ""


def _end(each):
    return each["album_key"], each["image_key"], each["reason"], each.get("since", "")


def _open_ends(album, lines):
    """What the live lines of a manifest bring into the lists of a report."""
    found = {"unavailable": set(), "pending": set(), "may wait": set()}
    for image, (line, _) in lines.items():
        if not _live(line):
            continue
        original = line["original"]
        since, reason = original["pending_since"], original["reason"]
        if line["record"] is None and reason != "forgotten":
            found["unavailable"].add((album, image, "record_lost", ""))
        if original["status"] == "unavailable":
            found["unavailable"].add((album, image, reason, ""))
        elif original["status"] == "pending" and reason != "not_yet":
            found["pending"].add((album, image, reason, since))
        elif original["status"] == "stored" and reason is not None:
            # For 14 days of the source's time, which stands in no report.
            found["may wait"].add((album, image, reason, since))
    return found


def _revisions(record):
    """All that ``rev-`` may be followed by for what a record offers."""
    image = record["image"]
    if record["source"] == "smugmug-v2":
        facts = [image.get(n) for n in ("Serial", "ArchivedSize", "Format", "ArchivedMD5")]
        fields = ["ArchivedUri"]
    else:
        facts = [image.get(n) for n in ("Serial", "Size", "Format", "MD5Sum")]
        fields = ["OriginalURL", *record["urls"]]
    return {_digest(canonical([*facts, field]))[:16] for field in fields}


def _entry_wrong(entry, header, lines):
    """How a report's entry differs from the manifest that it names."""
    live = [line for line, _ in lines.values() if _live(line)]
    stored = [line["original"] for line in live if line["original"]["status"] == "stored"]
    mismatches = sum(each["reason"] == "md5_mismatch" for each in stored)
    waiting = sum(line["original"]["status"] == "pending" for line in live)
    sums = {
        "image_count": header["image_count"],
        "bytes": sum(each["bytes"] for each in stored),
        "unavailable": sum(line["original"]["status"] == "unavailable" for line in live),
        "unverified": sum(not each["verified"] for each in stored),
        "album_fingerprint": _digest(canonical(header["album"]))[:16],
    }
    for name, value in sums.items():
        if entry[name] != value:
            yield f"{name} is {entry[name]}, its manifest says {value}"
    if not waiting <= entry["pending"] <= waiting + mismatches:
        yield f"pending is {entry['pending']}, its manifest says {waiting}"
    if entry["cursor"] < header["cursor"]:
        yield "the cursor is behind its manifest's"
    if entry["deleted_at"] is not None and header["deleted_at"] is None:
        yield "it is deleted, its manifest does not say so"


def main(arguments):
    """Print what a look at the folder finds; 1 if something is wrong."""
    if len(arguments) != 1:
        print("usage: independent_reader.py FOLDER", file=sys.stderr)
        return 2
    reading = look(arguments[0], strict=False)
    for kind, sentence in reading.told:
        print(f"({kind}) {sentence}")
    for sentence in reading.wrong:
        print(sentence)
    seal = ", ".join(reading.seal)
    print(f"{len(reading.proved)} of {len(reading.files)} objects are proved by the seal {seal}")
    return 1 if reading.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
