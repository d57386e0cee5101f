"""A run's report as one page for people: what a browser shows of the backup, with nothing else.

It is made from the report alone and adds nothing to it. It has no script, loads nothing, links
nowhere, and every text of SmugMug's in it is escaped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from smugmug_backup.archive.changes import What
from smugmug_backup.archive.manifest import Pending, Unavailable
from smugmug_backup.archive.report import AlbumState, Failure, RunReport, RunStatus
from smugmug_backup.archive.titles import album_name, shown

ROWS = 5_000
"""So many albums the table shows at most."""
_NAMES = 60
_FEW = 12
"""So many file names of one kind are shown of one album; fewer of what came, or merely changed."""
_ALBUMS = 200
"""So many albums are shown of one kind."""


def page_of(report: RunReport) -> bytes:
    """The page, in UTF-8."""
    return "".join(f"{line}\n" for line in _page(report)).encode("utf-8", "replace")


def headline(report: RunReport) -> str:
    """How the backup stands after that run, in one sentence."""
    as_of = report.complete_as_of
    last = f"It was last complete on {day(as_of.when)}." if as_of else "It was never complete yet."
    match report.status:
        case RunStatus.COMPLETE if report.part:
            return "The albums that were asked for are backed up whole."
        case RunStatus.COMPLETE:
            return "The backup is complete: all that SmugMug showed that night is stored."
        case RunStatus.CONTINUING:
            return f"The backup goes on by itself; this run had no time for the rest. {last}"
        case RunStatus.REFUSED:
            said = "SmugMug's answer could not be believed, so nothing was changed in the backup."
            return f"{said} {last}"
    return f"The backup is not complete: {_lacking(report)}. {last}"


def _lacking(report: RunReport) -> str:
    failed = len(_failed(report)) + report.more_failures
    waits = report.counts.pending
    said = []
    if failed:
        said.append(f"{_some(failed, 'thing')} failed")
    if waits:
        said.append(f"{_some(waits, 'photo')} {_are(waits)} still awaited")
    return " and ".join(said) or "some of it was not reached"


def _failed(report: RunReport) -> list[Failure]:
    """The failures but for those of images that are named as awaited, or not to be had, anyway."""
    named = {(each.album_key, each.image_key) for each in report.pending}
    named |= {(each.album_key, each.image_key) for each in report.unavailable}
    return [each for each in report.failures if (each.album_key, each.image_key) not in named]


_MARKS = {
    RunStatus.COMPLETE: ("good", "Complete"),
    RunStatus.CONTINUING: ("wait", "Goes on"),
    RunStatus.INCOMPLETE: ("bad", "Not complete"),
    RunStatus.REFUSED: ("bad", "Not believed"),
}


def _page(report: RunReport) -> Iterator[str]:
    name = shown(report.account.nickname) if report.account else "SmugMug"
    at = report.dated_at or report.started_at
    mark, word = _MARKS[RunStatus(report.status)]
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="robots" content="noindex">'
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )
    yield f"<title>{escape(name)}: backup of {day(at)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield "<header>"
    yield f'<p class="kicker">SmugMug Backup · {escape(name)}</p>'
    yield f"<h1>{day(at)} <small>{at.astimezone(UTC):%H:%M} UTC</small></h1>"
    yield f'<p class="verdict {mark}"><b>{word}</b> {escape(headline(report))}</p>'
    yield "</header>"
    yield "<main>"
    yield from _figures(report)
    yield from _missed(report)
    for title, intro, kinds in _SECTIONS:
        yield from _section(report, title, intro, kinds)
    yield from _albums(report)
    yield from _proof(report)
    yield from _more(report)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _figures(report: RunReport) -> Iterator[str]:
    counts = report.counts
    here = [state for state in report.albums.values() if state.live]
    stored = counts.originals_stored
    figures = [
        (f"{counts.albums:,}", "album" if counts.albums == 1 else "albums"),
        (f"{counts.images:,}", "photos and videos"),
        (size(sum(state.bytes for state in here)), "stored of them"),
        (f"{stored:,}", f"new that night{f' ({size(counts.bytes_stored)})' if stored else ''}"),
    ]
    yield '<ul class="figures">'
    for figure, what in figures:
        yield f"<li><b>{figure}</b> {what}</li>"
    yield "</ul>"


_SECTIONS: Sequence[tuple[str, str, Sequence[tuple[What, str]]]] = (
    (
        "Left SmugMug",
        (
            "Not shown there any more. All of it stays in the backup. If you did not remove it, "
            "look at SmugMug."
        ),
        (
            (What.ALBUM_MISSING, "the whole album is not shown any more"),
            (What.MISSING, "not shown any more"),
            (What.ALBUM_LEFT, "the whole album has left; confirmed by a second look"),
            (What.LEFT, "left; confirmed by a second look"),
            (What.MOVED, "moved to another album"),
        ),
    ),
    (
        "Changed",
        "What it was before stays in the backup, too.",
        (
            (What.REPLACED, "replaced by other bytes"),
            (What.CAPTION_LOST, "lost title or caption"),
            (What.KEYWORDS_LOST, "lost all keywords"),
            (What.MADE_PUBLIC, "in an album that everybody can see now"),
            (What.MADE_PRIVATE, "in an album that not everybody can see any more"),
            (What.CHANGED, "changed"),
        ),
    ),
    (
        "Came",
        "",
        (
            (What.ALBUM_NEW, "in a new album"),
            (What.NEW, "new"),
            (What.ALBUM_BACK, "in an album that is back"),
            (What.BACK, "back"),
        ),
    ),
)


def _section(
    report: RunReport, title: str, intro: str, kinds: Sequence[tuple[What, str]]
) -> Iterator[str]:
    order = [what for what, _ in kinds]
    wanted = set(order)
    counted = {
        key: {what: number for what, number in found.items() if what in wanted}
        for key, found in report.changes.albums.items()
    }
    found = [key for key, kept in counted.items() if kept]
    if not found:
        return
    names: dict[tuple[str, str], list[str]] = {}
    for told in report.changes.images:
        names.setdefault((told.album_key, told.what), []).append(
            shown(told.file_name) or told.image_key
        )
    found.sort(key=lambda key: (-max(counted[key].values()), _title(report, key).casefold(), key))
    yield f"<section><h2>{title}</h2>"
    if intro:
        yield f"<p>{intro}</p>"
    for key in found[:_ALBUMS]:
        yield f"<h3>{_called(report, key)}</h3>"
        yield "<dl>"
        for what, words in kinds:
            number = counted[key].get(what)
            if number is None or (what is What.NEW and counted[key].get(What.ALBUM_NEW) == number):
                continue  # Of a new album all is new.
            yield f"<dt><b>{_some(number, 'photo')}</b> {words}</dt>"
            few = _FEW if what in (What.NEW, What.BACK, What.CHANGED) else _NAMES
            yield from _names(names.get((key, what), ()), of=number, most=few)
        yield "</dl>"
    yield from _and_more(len(found) - _ALBUMS, "album")
    yield "</section>"


def _names(names: Sequence[str], *, of: int = 0, most: int = _NAMES) -> Iterator[str]:
    """Some of the names, and how many more there are ``of`` that kind."""
    if not names:
        return
    named = names[:most]
    listed = " ".join(f'<span dir="auto">{escape(each)}</span>' for each in named)
    left = max(of, len(names)) - len(named)
    more = f" and {left:,} more" if left > 0 else ""
    yield f'<dd class="names">{listed}{more}</dd>'


REASONS: Mapping[str, str] = {
    "processing": "SmugMug is still working on it",
    "download_failed": "the transfer broke off; it is tried again",
    "md5_mismatch": "SmugMug sends other bytes than it announces",
    "no_original_url": "SmugMug offers no file of it",
    "refused_by_source": "SmugMug refuses to deliver it",
    "bad_at_source": "SmugMug delivers it whole, but broken",
    "too_large": "larger than the limit that was set",
    "damaged": "what was stored is damaged, and SmugMug has it no more",
    "forgotten": "deleted for good by you",
    "record_lost": "its caption and keywords are lost in the backup",
}
"""Why bytes are not there, in words for a photographer."""


def _missed(report: RunReport) -> Iterator[str]:
    failures, pending, unavailable = _failed(report), report.pending, report.unavailable
    if not (failures or report.more_failures or pending or unavailable or report.ignored_albums):
        return
    yield "<section><h2>Missing</h2>"
    if failures:
        yield "<h3>What failed that night</h3><ul>"
        for each in failures[:_ALBUMS]:
            yield f"<li>{_where(report, each)}{escape(shown(each.message))}</li>"
        yield "</ul>"
        yield from _and_more(len(failures) + report.more_failures - _ALBUMS, "thing")
    yield from _waiting(report, "Awaited: stored as soon as SmugMug delivers", pending)
    yield from _and_more(report.more_pending, "photo")
    yield from _waiting(report, "Not to be had from SmugMug", unavailable)
    yield from _and_more(report.more_unavailable, "photo")
    if report.ignored_albums:
        named = ", ".join(_title(report, key) for key in report.ignored_albums)
        yield f'<h3>Left out by your own setting</h3><p dir="auto">{escape(named)}</p>'
    yield "</section>"


def _where(report: RunReport, failure: Failure) -> str:
    if failure.album_key is None:
        return ""
    return f"<b>{_called(report, failure.album_key)}</b>: "


def _waiting(
    report: RunReport, title: str, images: Iterable[Pending | Unavailable]
) -> Iterator[str]:
    by_album: dict[str, dict[str, list[str]]] = {}
    for each in images:
        reasons = by_album.setdefault(each.album_key, {})
        reasons.setdefault(each.reason, []).append(shown(each.file_name) or each.image_key)
    if not by_album:
        return
    yield f"<h3>{title}</h3>"
    yield "<dl>"
    for key in list(by_album)[:_ALBUMS]:
        for reason, names in by_album[key].items():
            why = REASONS.get(reason) or shown(reason)
            yield f"<dt><b>{_called(report, key)}</b>: {escape(why)}</dt>"
            yield from _names(names)
    yield "</dl>"
    yield from _and_more(len(by_album) - _ALBUMS, "album")


def _albums(report: RunReport) -> Iterator[str]:
    ranked = sorted(
        report.albums.items(), key=lambda each: (album_name(each[1]).casefold(), each[0])
    )
    yield "<section><h2>All albums</h2>"
    yield "<table><thead><tr><th>Album</th><th>Photos</th><th>Size</th></tr></thead><tbody>"
    for key, state in ranked[:ROWS]:
        yield from _row(report, key, state)
    yield "</tbody></table>"
    yield from _and_more(len(ranked) - ROWS, "album")
    yield "</section>"


def _row(report: RunReport, key: str, state: AlbumState) -> Iterator[str]:
    folder = " / ".join(shown(part) for part in state.path)
    said = _said(state, ignored=key in report.ignored_albums)
    yield "<tr><td>"
    yield f'<b dir="auto">{escape(shown(state.title) or key)}</b>'
    if folder:
        yield f'<span class="folder" dir="auto">{escape(folder)}</span>'
    if said:
        yield f'<span class="note">{escape(said)}</span>'
    yield f"</td><td>{state.image_count:,}</td><td>{size(state.bytes)}</td></tr>"


def _said(state: AlbumState, *, ignored: bool) -> str:
    """What a person should know of an album, in a few words; empty if all is well."""
    if state.deleted_at is not None:
        return f"has left SmugMug ({day(state.deleted_at)}); kept here"
    if state.missing_since is not None:
        return f"not shown by SmugMug since {day(state.missing_since)}; kept here"
    words = []
    if ignored:
        words.append("left out by your own setting")
    elif not state.generation:
        words.append("nothing stored yet")
    if state.doubt is not None:
        words.append("SmugMug's list of it is not believed")
    if state.pending:
        words.append(f"{state.pending:,} awaited")
    if state.unavailable:
        words.append(f"{state.unavailable:,} not to be had")
    return ", ".join(words)


def _proof(report: RunReport) -> Iterator[str]:
    check = report.check
    yield "<section><h2>Is it sound?</h2>"
    if check is None:
        yield "<p>It was not checked so far.</p>"
    elif check.open:
        yield (
            f"<p>The last check ended on {_minute(check.ended_at)}. It found damage, and "
            f"{_some(check.open, 'finding')} {_are(check.open)} not mended yet.</p>"
        )
    else:
        yield f"<p>The last check ended on {_minute(check.ended_at)}: nothing is damaged.</p>"
    if report.sha256:
        yield (
            "<p>The seal of this report, which proves every photo in it "
            f'(README.txt tells how):</p><p class="seal">{report.sha256}</p>'
        )
    yield "</section>"


def _more(report: RunReport) -> Iterator[str]:
    yield "<section><h2>To see more</h2>"
    yield "<p>In a terminal, with the bucket (s3://…) or the folder in the place of LOCATION:</p>"
    yield '<dl class="commands">'
    earlier = report.previous[-1].run_id if report.previous else None
    commands = [
        ("status LOCATION", "how the backup stands, all problems by name"),
        ("check LOCATION", "whether every file is what it should be"),
        ("restore LOCATION FOLDER", "the photos, back as files"),
    ]
    if earlier:
        commands.insert(
            1, (f"diff LOCATION {earlier} {report.run_id}", "each change of this run, by name")
        )
    for command, what in commands:
        yield f"<dt><code>smugmug-backup {command}</code></dt><dd>{what}</dd>"
    yield "</dl>"
    yield (
        f"<p>This page shows the report of run <code>{report.run_id}</code>, which lies beside it. "
        "README.txt at the top of the backup explains every file, also without any program.</p>"
    )
    yield "</section>"


def _called(report: RunReport, key: str) -> str:
    """An album's title and, softer, its folders, as HTML."""
    state = report.albums.get(key)
    if state is None or not state.title:
        return escape(key)
    folder = " / ".join(shown(part) for part in state.path)
    beside = f' <small dir="auto">{escape(folder)}</small>' if folder else ""
    return f'<bdi dir="auto">{escape(shown(state.title))}</bdi>{beside}'


def _title(report: RunReport, key: str) -> str:
    state = report.albums.get(key)
    return (album_name(state) if state is not None and state.title else "") or key


def _and_more(number: int, noun: str) -> Iterator[str]:
    if number > 0:
        yield f'<p class="note">and {_some(number, noun)} more</p>'


def _some(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def size(number: int) -> str:
    """Bytes for a person, by powers of 1,000: ``7.9 MB``."""
    value, unit = float(number), "bytes"
    for larger in ("KB", "MB", "GB", "TB", "PB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    digits = 1 if unit != "bytes" and value < 99.95 else 0
    return f"{value:,.{digits}f}\N{NO-BREAK SPACE}{unit}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(instant: datetime) -> str:
    """``28 November 2026``, in whatever language the machine speaks."""
    found = instant.astimezone(UTC)
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def _minute(instant: datetime) -> str:
    return f"{day(instant)}, {instant.astimezone(UTC):%H:%M} UTC"


_STYLE = """
:root{--ink:#1b1d20;--soft:#5d646d;--line:#e2e5e9;--paper:#fff;--card:#f6f7f8;
--good:#17683a;--goodbg:#e6f4ea;--bad:#9c2a1c;--badbg:#fbe9e6;--wait:#7a5200;--waitbg:#fdf3dc}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa3ad;--line:#30353b;
--paper:#15171a;--card:#1d2024;--good:#7ed6a1;--goodbg:#16301f;--bad:#ffa898;--badbg:#3a1b16;
--wait:#f0c66b;--waitbg:#352a10}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:52rem;padding:1.5rem 1.1rem 4rem;background:var(--paper);
color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%;overflow-wrap:anywhere}
h1{margin:.1rem 0 1rem;font-size:1.7rem;line-height:1.2;letter-spacing:-.01em}
h1 small{font-size:.95rem;color:var(--soft);letter-spacing:0;white-space:nowrap}
small{font-size:.86rem;font-weight:400;color:var(--soft)}
h2{margin:2.6rem 0 .5rem;padding-top:1.1rem;border-top:1px solid var(--line);font-size:1.2rem}
h3{margin:1.3rem 0 .3rem;font-size:1rem}
p{margin:.4rem 0}
.kicker{margin:0;color:var(--soft);font-size:.9rem}
.verdict{margin:0;padding:.8rem 1rem;border-radius:.6rem}
.verdict b{display:block}
.good{background:var(--goodbg)}.good b{color:var(--good)}
.bad{background:var(--badbg)}.bad b{color:var(--bad)}
.wait{background:var(--waitbg)}.wait b{color:var(--wait)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;
margin:1rem 0 0;padding:0;list-style:none}
.figures li{padding:.7rem .9rem;border-radius:.6rem;background:var(--card);color:var(--soft);
font-size:.88rem}
.figures b{display:block;color:var(--ink);font-size:1.3rem;font-variant-numeric:tabular-nums}
ul{padding-left:1.2rem}
dl{margin:.2rem 0}
dt{margin-top:.4rem}
dd{margin:.15rem 0 .3rem}
.names{color:var(--soft);font-size:.9rem}
.names span{display:inline-block;margin:.15rem .3rem .15rem 0;padding:0 .45rem;
border-radius:.35rem;background:var(--card);max-width:100%}
table{width:100%;border-collapse:collapse}
th{padding:.4rem 0;text-align:left;color:var(--soft);font-size:.85rem;font-weight:400}
td{padding:.5rem 0;border-top:1px solid var(--line);vertical-align:top}
th+th,td+td{padding-left:1rem;text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}
td b{font-weight:600}
.folder,.note{display:block;color:var(--soft);font-size:.86rem}
td .note{color:var(--wait)}
.seal,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.86rem}
.seal{padding:.6rem .8rem;border-radius:.5rem;background:var(--card)}
.commands dd{color:var(--soft);font-size:.9rem}
.commands{margin:.6rem 0 1.2rem}
@media print{body{max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
"""
