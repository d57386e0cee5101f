"""The letter to whoever has to find the photos one day: one printed page, for no program's reader.

Pure: from what is known of a backup to the page. It has no script, loads nothing, links nowhere,
and whatever came from SmugMug or from a file system is escaped. No secret is ever handed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.page import day, size
from smugmug_backup.archive.titles import shown

_MARK = b'<meta name="generator" content="smugmug-backup letter">'
_SEALED = b"<!-- as it was made: "
_END = b" -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDisk:
    """A folder. ``label``: what the disk calls itself. ``share``: the network place that it is on.
    ``inside``: where it lies, from the top of that disk or share. ``machine``: where it was seen.
    """

    folder: str
    machine: str = ""
    label: str | None = None
    share: str | None = None
    inside: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InBucket:
    """A bucket. ``host``: whose S3 it is, None for AWS's own. ``account``: the AWS account that the
    bucket was proved to belong to."""

    bucket: str
    prefix: str
    region: str | None = None
    account: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the page says. ``bytes``: what there is to save, the past included. ``gone``: photos
    that SmugMug shows no more. ``taken``: the first and the last day that cameras wrote down, and
    of how many photos that is known. ``page``: a run's page beside the newest reports. ``heads``:
    file and SHA-256 of each report that no other names: the seal."""

    made_at: datetime
    version: str
    account: str
    place: OnDisk | InBucket
    albums: int
    photos: int
    videos: int
    gone: int
    bytes: int
    taken: tuple[str, str, int] | None
    is_complete: bool
    complete_as_of: datetime | None
    heads: Sequence[tuple[str, str]]
    page: str | None


def page_of(letter: Letter) -> bytes:
    """The page, in UTF-8."""
    body = "".join(f"{line}\n" for line in _page(letter)).encode("utf-8", "replace")
    return body + _SEALED + sha256(body).encode() + _END


def may_be_replaced(found: bytes) -> bool:
    """Whether what lies where a letter shall go may give way to it.

    ===========================================  ==================================
    what lies there                              may it go
    ===========================================  ==================================
    a letter, as it was made                     yes: nothing is in it but what the
                                                 backup says
    a letter that somebody wrote into            no: their words are nowhere else
    anything else                                no
    ===========================================  ==================================
    """
    body, mark, digest = found.rpartition(_SEALED)
    return bool(mark) and _MARK in body and digest == sha256(body).encode() + _END


def _page(letter: Letter) -> Iterator[str]:
    name = escape(shown(letter.account)) or "SmugMug"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="robots" content="noindex">'
    yield _MARK.decode()
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )
    yield f"<title>Where the photos of {name} are ({day(letter.made_at)})</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield f'<body class="{"long" if _is_long(letter) else "usual"}">'
    yield "<main>"
    yield "<header>"
    yield f"<h1>Where the photos of <bdi>{name}</bdi> are</h1>"
    yield f"<p>{_greeting(letter)}</p>"
    yield "</header>"
    yield from _facts(letter)
    yield '<div class="ways">'
    yield from _way_in(letter.place)
    yield from _without(letter)
    yield "</div>"
    yield from _with(letter)
    yield from _seal(letter)
    yield from _by_hand(letter.place)
    yield (
        f"<footer>Made on {day(letter.made_at)} by smugmug-backup {escape(letter.version)}. No "
        "password stands here. Print it anew each year: <code>smugmug-backup letter</code>."
        "</footer>"
    )
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _greeting(letter: Letter) -> str:
    return (
        "This page is for the person who looks for these photos one day. There is a "
        f"{'complete ' if letter.is_complete else ''}copy of the SmugMug account "
        f"<b><bdi>{escape(shown(letter.account))}</bdi></b> outside SmugMug: photos as they were "
        "uploaded, videos as SmugMug plays them, with albums, captions and keywords. It consists "
        "of plain files, and no program is needed to read it."
    )


def _facts(letter: Letter) -> Iterator[str]:
    yield '<dl class="facts">'
    for name, told in (
        *_where(letter.place),
        ("What", _what(letter)),
        ("Complete", _complete(letter)),
    ):
        yield f"<dt>{name}</dt><dd>{told}</dd>"
    yield "</dl>"


def _what(letter: Letter) -> str:
    photos, videos = _some(letter.photos, "photo"), _some(letter.videos, "video")
    albums = _some(letter.albums, "album")
    told = [f"<b>{photos}</b> and <b>{videos}</b> in <b>{albums}</b>, {size(letter.bytes)} in all"]
    if letter.taken is not None:
        first, last, known = letter.taken
        some = "" if known >= letter.photos + letter.videos else f" (known of {known:,})"
        days = f"from <b>{_date(first)}</b> to <b>{_date(last)}</b>"
        told.append(f"taken {days if first != last else f'on <b>{_date(first)}</b>'}{some}")
    if letter.gone:
        is_kept = "is" if letter.gone == 1 else "are"
        told.append(f"{letter.gone:,} more that SmugMug does not show any more {is_kept} kept, too")
    return "; ".join(told)


def _date(text: str) -> str:
    try:
        return day(datetime.fromisoformat(f"{text}T12:00:00Z"))
    except ValueError:
        return escape(shown(text))  # A camera's own day, such as 2024-00-00.


def _complete(letter: Letter) -> str:
    as_of = letter.complete_as_of
    if as_of is None:
        return "<b>no</b>, it never was when this was printed: look at SmugMug, too"
    if letter.is_complete:
        return f"<b>yes</b>: all that SmugMug showed on {day(as_of)} is in it"
    return (
        f"<b>not</b> when this was printed. It was on {day(as_of)}; for what came later, look at "
        "SmugMug, too"
    )


def _where(place: OnDisk | InBucket) -> Iterator[tuple[str, str]]:
    if isinstance(place, InBucket):
        inside = f", in it the folder {_code(place.prefix)}" if place.prefix else ""
        if place.host is not None:
            yield "Where", f"S3 at {_code(place.host)}, bucket {_code(place.bucket)}{inside}"
            return
        yield "Where", f"Amazon Web Services (AWS), S3: bucket {_code(place.bucket)}{inside}"
        account = _code(place.account) if place.account else _BLANK
        yield "Account", f"AWS account {account}, region {_code(place.region or '') or _BLANK}"
        return
    if place.share is not None:
        yield "Where", f"network share {_code(place.share)}, folder {_code(place.inside or '/')}"
    elif place.label is not None:
        label = escape(shown(place.label))
        inside = _code(place.inside or "/")
        yield "Where", f"a disk that is called <b>{label}</b>, folder {inside}"
    machine = f" on the computer <b>{escape(shown(place.machine))}</b>" if place.machine else ""
    named = "Seen" if place.share is not None or place.label is not None else "Where"
    yield named, f"folder {_code(place.folder)}{machine}"


def _way_in(place: OnDisk | InBucket) -> Iterator[str]:
    yield "<section><h2>1. Get in</h2><ol>"
    if isinstance(place, InBucket) and place.host is None:
        yield (
            "<li>Sign in at <code>console.aws.amazon.com</code>, with the account number above, a "
            "user and a password. Where they lie is written below. AWS may ask for a code from the "
            "owner's phone, too.</li>"
        )
        yield "<li>Open the service S3 and go to the place above: you see README.txt.</li>"
        yield (
            "<li><b>Do not wait.</b> AWS is paid month by month. When nobody pays any more, the "
            "account is closed, and 90 days later AWS deletes what lies in it. Let the payment go "
            "on until the photos are out.</li>"
        )
    elif isinstance(place, InBucket):
        yield (
            "<li>It is reached with a key of two parts, by any program that speaks S3. Where the "
            "key lies is written below.</li>"
        )
        yield "<li>Somebody pays for it, perhaps month by month: get the photos out first.</li>"
    else:
        yield (
            "<li>Find the disk, and plug it into any computer; the folder is the one with "
            "<code>README.txt</code> in it.</li>"
        )
        yield (
            "<li>If it asks for a password, the disk is encrypted: where the password lies is "
            "written below.</li>"
        )
        yield (
            "<li>Copy the whole folder onto a second disk first, and work with that copy. Disks "
            "die.</li>"
        )
    yield "</ol></section>"


def _without(letter: Letter) -> Iterator[str]:
    yield "<section><h2>2. Get the photos, without any program of ours</h2><ol>"
    if isinstance(letter.place, InBucket):
        at, endpoint = _location(letter.place), _endpoint(letter.place)
        command = f"aws s3 sync {at} photos-backup{endpoint}"
        yield (
            f"<li>Fetch it all, onto a disk with more than {size(letter.bytes)} free. With "
            f"Amazon's own program, which is free: <code>{escape(command)}</code></li>"
        )
    yield (
        "<li>Read <code>README.txt</code>: it explains every file. The photos themselves are the "
        "files in <code>originals/</code>; photo programs can import that folder.</li>"
    )
    if letter.page is not None:
        yield f"<li>For the albums by name, open {_code(letter.page)} in a browser.</li>"
    yield (
        "<li>File names, titles and captions stand in <code>manifests/</code> and "
        "<code>records/</code>, as text.</li>"
    )
    yield "</ol></section>"


def _with(letter: Letter) -> Iterator[str]:
    at = _location(letter.place)
    instead = f", with the place above for {at}" if at in (_FOLDER, _LONG) else ""
    yield '<section class="with"><h2>Or with the program that made it</h2>'
    yield (
        "<p>It gives albums as folders, and files under their own names. It is free, needs Python "
        f"3.11 or later, and lies where it is written below. In a terminal{instead}:</p>"
    )
    command = f"smugmug-backup restore {at} photos{_endpoint(letter.place)}"
    yield f"<pre>{escape(command)}</pre></section>"


def _endpoint(place: OnDisk | InBucket) -> str:
    """What says of a command that another S3 than AWS's is meant."""
    if isinstance(place, InBucket) and place.host is not None:
        return f" --endpoint-url https://{place.host}"
    return ""


def _location(place: OnDisk | InBucket) -> str:
    """As it is written in a command; a word for it where nobody would copy it from paper."""
    if isinstance(place, OnDisk):
        return _FOLDER
    at = f"s3://{place.bucket}/{place.prefix}".rstrip("/")
    return at if len(at) <= _COPYABLE else _LONG


def _seal(letter: Letter) -> Iterator[str]:
    yield '<section class="seal"><h2>How to know that nothing was changed or lost since</h2>'
    if not letter.heads:
        yield "<p>No run has left a report in it so far; so it has no seal yet.</p></section>"
        return
    reports, these, those = "reports", "these", "those files"
    if len(letter.heads) == 1:
        reports, these, those = "report", "this", "that file"
    yield (
        f"<p>On the day of this letter the newest {reports} in the backup had {these} SHA-256, and "
        f"no later run changes {those}. <code>sha256sum</code> and the file's name (on a Mac "
        "<code>shasum -a 256</code>) must print the same. README.txt, part 4, goes on from there "
        "to every photo; so does <code>smugmug-backup check --read-data all</code>.</p>"
    )
    for key, digest in letter.heads[:_HEADS]:
        yield f'<p class="hash">{_code(key)}<br><b>{escape(digest)}</b></p>'
    yield "</section>"


def _by_hand(place: OnDisk | InBucket) -> Iterator[str]:
    key = "Where the password of the disk lies, if it has one"
    first = "Where the disk or the computer stands"
    if isinstance(place, InBucket):
        first = "Which user or mail address signs in"
        key = "Where the password lies, and who has the phone for the code"
        if place.host is not None:
            first, key = "Who runs it, and who pays", "Where the key lies"
    yield '<section class="hand">'
    yield "<h2>By hand <small>(where a secret lies, not the secret)</small></h2>"
    for what in (
        first,
        key,
        "Who can help: name, telephone",
        "Where another copy lies, and the program",
        "What I wish for these photos",
    ):
        yield f"<p><span>{what}</span></p>"
    yield "<p><span>Day and signature</span></p></section>"


def _is_long(letter: Letter) -> bool:
    """Whether names are so long that the page has to be set smaller, so that it stays one."""
    place = letter.place
    named = place.folder * 2 if isinstance(place, OnDisk) else place.prefix + (place.host or "") * 4
    return len(named) + len(letter.account) > _LONG_NAMES


def _code(text: str) -> str:
    return f"<code><bdi>{escape(shown(text))}</bdi></code>" if text else ""


def _some(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_FOLDER = "FOLDER"
_LONG = "s3://BUCKET/FOLDER"
_COPYABLE = 90
_LONG_NAMES = 200
_BLANK = '<span class="blank"></span>'
_HEADS = 2
"""Two runs at once leave two reports that no other names; more of them is a store in disorder, for
which one page is not enough."""

_STYLE = """
@page{size:auto;margin:13mm 15mm}
*{box-sizing:border-box}
html{color-scheme:light;background:#e9ebee}
body{margin:0;color:#16181b;font:9.6pt/1.36 Georgia,"Times New Roman",serif;overflow-wrap:anywhere}
main{display:flex;flex-direction:column;width:180mm;height:252mm;margin:8mm auto;padding:0;
background:#fff;outline:13mm solid #fff;overflow:hidden}
h1{margin:0 0 1.5mm;font-size:18pt;line-height:1.15;letter-spacing:-.01em}
h2{margin:0 0 .8mm;font-size:10.4pt;line-height:1.2}
h2 small{font-weight:400;font-size:8.6pt;color:#555}
p{margin:0 0 1mm}
header,.facts,.ways,.with,.seal,footer{flex:none}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.8mm 4mm;margin:2mm 0 3.4mm;
padding:2.4mm 0;border:solid #16181b;border-width:.4mm 0}
dt{color:#555}
dd{margin:0}
.ways{display:grid;grid-template-columns:1fr 1fr;gap:2.6mm 7mm;margin-bottom:2.6mm}
.with{margin-bottom:3.4mm}
.ways section,.facts dd{min-width:0}
ol{margin:0;padding-left:4.4mm}
li{margin:0 0 .9mm}
code,pre{font:8pt/1.35 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{margin:0;padding:1.6mm 2mm;border:.2mm solid #bbb;border-radius:.8mm;white-space:pre-wrap}
.seal{padding-top:2.4mm;border-top:.2mm solid #999}
.hash{margin:.6mm 0 0}
.hash b{font:700 8.6pt/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.hand{flex:1 1 0;min-height:0;display:flex;flex-direction:column;margin-top:3mm;padding-top:2.4mm;
border-top:.2mm solid #999;overflow:hidden}
.hand p{flex:1 1 0;min-height:6mm;margin:0;border-bottom:.2mm solid #777}
.hand span{font-size:8.4pt;color:#555}
.blank{display:inline-block;width:36mm;border-bottom:.2mm solid #777}
.long{font-size:8.2pt}
.long h1{font-size:14pt}
.long .facts code{font-size:6.6pt}
.long .hand p{min-height:5.4mm}
footer{margin-top:2.4mm;font-size:8.2pt;color:#555}
@media print{html{background:none}main{margin:0;outline:0}}
@media screen and (max-width:206mm){main{width:auto;height:auto;margin:0;padding:5mm;outline:0}
.ways{grid-template-columns:1fr}.hand p{min-height:11mm}}
"""
