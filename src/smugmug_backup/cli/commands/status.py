"""`smugmug-backup status`: is the backup complete, as of when, and what is wrong."""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from smugmug_backup.archive.check_report import CheckReport, Finding
from smugmug_backup.archive.drill_report import sentence
from smugmug_backup.archive.original import Reason
from smugmug_backup.archive.report import AlbumState, Failure, RunReport
from smugmug_backup.archive.standing import Standing, standing_of
from smugmug_backup.archive.titles import shown
from smugmug_backup.archive.verdict import Verdict, verdict_of
from smugmug_backup.cli import known
from smugmug_backup.cli.account import AccountView, read_account, read_manifests
from smugmug_backup.cli.errors import tell, tell_problems
from smugmug_backup.cli.output import (
    Column,
    ago,
    day,
    make_console,
    moment,
    number,
    plural,
    print_json,
    print_table,
    size,
)
from smugmug_backup.cli.parsing import COULD_NOT, FINE, NOT_ALL
from smugmug_backup.cli.store import Opened, open_to_look
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.troubles import ImageTrouble, Troubles, not_believed, troubles_of
from smugmug_backup.errors import BackupError

if TYPE_CHECKING:
    from smugmug_backup.cli.stack import StackStatus


_SHOWN = 10
_SOURCES = {"smugmug-1.3.0": "SmugMug API 1.3.0", "smugmug-v2": "SmugMug API v2"}
_KINDS = ("pending", "unavailable", "unverified", "gone")
_IMAGES = (
    Column("File", elastic=True, middle=True),
    Column("Album", elastic=True, middle=True),
    Column("Reason", elastic=True),
    Column("Since"),
)
_ALBUMS = (Column("Album", elastic=True, middle=True), Column("Why", elastic=True), Column("Key"))
_FAILURES = (Column("Failure", elastic=True), Column("Album/image"), Column("Code"))
_FINDINGS = (Column("File", elastic=True, middle=True), Column("What", elastic=True))
_RUNS = (
    Column("Run (its start, UTC)"),
    Column("Status", elastic=True),
    Column("New", right=True),
    Column("Changed", right=True),
    Column("Stored", right=True),
    Column("Failures", right=True),
    Column("Took", right=True),
)


def run(args: argparse.Namespace, console: Console) -> int:
    """Tell it; 1 if it is not complete, damaged, or nothing runs any more."""
    if args.healthy:
        return _tell_health(args, console)
    opened = open_to_look(args.location)
    met, _ = known.meet_at(args.location, opened.archive)
    seen = _Seen.read(opened, runs=max(1, args.runs))
    strange = known.said_of(met, args.location)
    well = seen.is_well and strange is None
    if not args.json and not (args.quiet and well):
        _tell(console, seen, shown_lines=None if args.all else _SHOWN)
    # After the backup: what AWS does not show hides nothing of it.
    stack, problem = _stack(args.stack)
    if args.json:
        value = {**seen.as_json(), "location": strange}
        if args.stack:
            value["stack"] = asdict(stack) if stack else None
        print_json(console, value)
    elif stack is not None:
        _tell_stack(console, stack)
    if strange is not None:
        tell_problems([strange])
    if problem is not None:
        tell(make_console(stderr=True), problem)
        return COULD_NOT
    return FINE if well else NOT_ALL


def _tell_health(args: argparse.Namespace, console: Console) -> int:
    """The verdict in one line; neither manifests nor originals are looked at."""
    opened = open_to_look(args.location)
    now = SystemClock().now()
    standing = standing_of(opened.archive, now=now, runs=5)
    verdict, as_of = verdict_of(standing, now), standing.complete_as_of
    well = verdict is Verdict.COMPLETE
    silence = standing.silence(now)
    if args.json:
        value = {
            "well": well,
            "verdict": verdict.value,
            "complete": standing.is_complete,
            "complete_as_of": as_of and as_of.when,
            "silent_days": silence and silence.days,
        }
        print_json(console, value)
    elif not (args.quiet and well):
        words = [verdict.value]
        if silence is not None:
            words = [f"no run has ended for {plural(silence.days, 'day')}"]
        if as_of is not None:
            words.append(f"{'as' if well else 'it last was complete as'} of {moment(as_of.when)}")
        console.print(", ".join(words), style=None if well else _BAD)
    return FINE if well else NOT_ALL


def _stack(name: str | None) -> "tuple[StackStatus | None, BackupError | None]":
    if name is None:
        return None, None
    from smugmug_backup.cli.stack import stack_status

    try:
        return stack_status(name), None
    except BackupError as error:
        return None, error


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that the command says. ``unseen``: what could not be looked into."""

    now: datetime
    standing: Standing
    account: AccountView
    troubles: Sequence[Troubles]
    check: CheckReport | None
    originals: int
    original_bytes: int
    unseen: Sequence[str]

    @classmethod
    def read(cls, opened: Opened, *, runs: int) -> "_Seen":
        """Read the newest reports and manifests, and list the originals."""
        archive = opened.archive
        now = SystemClock().now()
        standing = standing_of(archive, now=now, runs=runs)
        account = read_account(archive, now=now, reports=standing.reports)
        manifests = read_manifests(archive, account)
        originals = original_bytes = 0
        for each in archive.originals():
            originals, original_bytes = originals + 1, original_bytes + each.bytes
        check = archive.check_report(standing.check.run_id) if standing.check else None
        troubles = [
            troubles_of(manifests[key], now) for key in account.by_name() if key in manifests
        ]
        unseen = opened.unseen()
        return cls(now, standing, account, troubles, check, originals, original_bytes, unseen)

    @property
    def is_well(self) -> bool:
        """Nothing needs anybody."""
        broken = self.account.damage or self.unseen
        return verdict_of(self.standing, self.now) is Verdict.COMPLETE and not broken

    @property
    def albums(self) -> Mapping[str, AlbumState]:
        """All albums, live and gone."""
        return self.account.albums

    @property
    def here(self) -> list[AlbumState]:
        """Albums that have no tombstone."""
        return [state for state in self.albums.values() if not state.gone]

    def images(self, kind: str) -> list[ImageTrouble]:
        """All images in trouble of one kind."""
        return [each for troubles in self.troubles for each in getattr(troubles, kind)]

    def not_believed(self) -> list[str]:
        """Albums whose last full listing was not believed."""
        return sorted(key for key, s in self.albums.items() if s.live and not_believed(s))

    def missing(self) -> list[str]:
        """Albums that were not shown, and wait for a second look."""
        return sorted(self.standing.missing_albums())

    def gone(self) -> list[str]:
        """Albums that have left."""
        return [key for key in self.account.by_name() if self.albums[key].gone]

    def findings(self) -> list[Finding]:
        """What the newest check found damaged; None of it, once a run has mended all."""
        if self.check is None or not self.standing.open_findings:
            return []
        return [each for each in self.check.findings if each.open]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        standing, newest = self.standing, self.standing.newest
        state, as_of = standing.state, standing.complete_as_of
        silence = standing.silence(self.now)
        return {
            "well": self.is_well,
            "verdict": verdict_of(standing, self.now).value,
            "complete": standing.is_complete,
            "complete_as_of": as_of and as_of.when,
            "silent_days": silence and silence.days,
            "status": newest.status if newest else None,
            "account": newest.account and asdict(newest.account) if newest else None,
            "source": newest.source if newest else None,
            "albums": len(self.here),
            "albums_gone": len(self.albums) - len(self.here),
            "images": sum(state.image_count for state in self.here),
            "originals": self.originals,
            "bytes": self.original_bytes,
            "versions": sum(state.generation for state in self.albums.values()),
            **{kind: [asdict(each) for each in self.images(kind)] for kind in _KINDS},
            "damaged": {**self.account.damage},
            "unseen": list(self.unseen),
            "not_believed": self.not_believed(),
            "missing_albums": self.missing(),
            "ignored_albums": list(state.ignored_albums) if state else [],
            "failures": [each.as_json() for each in newest.failures] if newest else [],
            "more_failures": newest.more_failures if newest else 0,
            "notes": list(newest.notes) if newest else [],
            "passed_over": list(standing.reports.passed_over),
            "check": self._check_json(),
            "drill": self._drill_json(),
            "seal": [asdict(link) for link in standing.seal],
            "runs": [_run_json(report) for report in standing.shown],
        }

    def _drill_json(self) -> dict[str, Any] | None:
        drill = self.standing.drill
        if drill is None:
            return None
        return {
            "run_id": drill.run_id,
            "ended_at": drill.ended_at,
            "sampled": len(drill.images),
            "same": drill.same,
            "wrong": len(drill.wrong),
            "said": sentence(drill),
        }

    def _check_json(self) -> dict[str, Any] | None:
        checked, check = self.standing.check, self.check
        if checked is None:
            return None
        return {
            "run_id": checked.run_id,
            "ended_at": checked.ended_at,
            "sound": checked.sound,
            "open": checked.open,
            "history": check.history if check else None,
            "objects": check.objects if check else None,
            "read_objects": check.read_objects if check else None,
            "read_bytes": check.read_bytes if check else None,
            "not_checked": list(check.not_checked) if check else None,
            "findings": [each.as_json() for each in self.findings()],
        }


def _run_json(report: RunReport) -> dict[str, Any]:
    return {
        "run_id": report.run_id,
        "status": report.status,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "part": report.part,
        "counts": asdict(report.counts),
        "failures": len(report.failures) + report.more_failures,
    }


def _tell(console: Console, seen: _Seen, *, shown_lines: int | None) -> None:
    for label, value, style in _head(seen):
        console.print(f"{label:<11}{value}", style=style, soft_wrap=True)
    newest, account = seen.standing.newest, seen.account
    told = _Lists(console, shown_lines)
    told.list(
        "Damaged, and mended by no run so far",
        _FINDINGS,
        ((each.key, f"{each.problem}: {shown(each.message)}") for each in seen.findings()),
    )
    told.list(
        "Albums whose newest version is damaged or cannot be read",
        _ALBUMS,
        ((account.name(key), shown(why), key) for key, why in sorted(account.damage.items())),
    )
    failures = newest.failures if newest else ()
    more = newest.more_failures if newest else 0
    told.list(
        "Failures of the last run",
        _FAILURES,
        ((shown(f.message), _where(f), f.code) for f in failures),
        more=more,
    )
    for kind, title in (
        ("pending", "Pending: stored as soon as SmugMug delivers"),
        ("unavailable", "Unavailable: SmugMug does not have the bytes"),
        ("unverified", "Unverified: stored, but without a checksum that agrees"),
        ("gone", "Gone from SmugMug, kept here"),
    ):
        found = [each for each in seen.images(kind) if each.why != Reason.FORGOTTEN]
        told.list(title, _IMAGES, _rows(found))
    forgotten = [each for each in seen.images("unavailable") if each.why == Reason.FORGOTTEN]
    told.list("Forgotten: deleted for good, as you wanted", _IMAGES, _rows(forgotten))
    states = seen.albums
    told.list(
        "Albums not believed: SmugMug's list did not have the length that it said",
        _ALBUMS,
        ((account.name(k), _doubt(states[k]), k) for k in seen.not_believed()),
    )
    told.list(
        "Albums missing at SmugMug, waiting for a second look",
        _ALBUMS,
        ((account.name(k), f"since {day(states[k].missing_since)}", k) for k in seen.missing()),
    )
    told.list(
        "Albums gone from SmugMug, kept here",
        _ALBUMS,
        ((account.name(k), f"since {day(states[k].deleted_at)}", k) for k in seen.gone()),
    )
    ignored = seen.standing.state.ignored_albums if seen.standing.state else ()
    told.list(
        "Albums ignored by IGNORE_ALBUMS", _ALBUMS, ((account.name(k), "", k) for k in ignored)
    )
    told.lines("Reports passed over", seen.standing.reports.passed_over)
    told.lines("Not to be looked into", seen.unseen)
    if newest is not None:
        told.lines("Notes of the last run", newest.notes)
    told.all("Last runs", _RUNS, (_run_row(report) for report in seen.standing.shown))


def _doubt(state: AlbumState) -> str:
    since = state.doubt.since if state.doubt else None
    return f"since {day(since)}" if since else state.next_full or ""


def _head(seen: _Seen) -> Iterator[tuple[str, str, str | None]]:
    standing = seen.standing
    newest, whole, as_of = standing.newest, standing.whole, standing.complete_as_of
    silent = standing.silence(seen.now)
    if silent is not None:
        yield "NO RUN", f"has ended for {plural(silent.days, 'day')}: nothing is backed up", _BAD
    if whole is None:
        yield "complete", "no run has ended yet", "bold yellow"
    elif standing.is_complete:
        yield "complete", f"yes, as of {moment(as_of.when if as_of else None)}", "bold green"
    elif as_of is not None:
        yield "complete", f"no ({whole.status}); it last was as of {moment(as_of.when)}", _BAD
    else:
        yield "complete", f"no ({whole.status}), and never was so far", _BAD
    yield from _head_of_check(seen)
    if standing.drill is not None:
        said = f"{day(standing.drill.ended_at)}: {sentence(standing.drill)}"
        yield "fire drill", said, _BAD if standing.drill.wrong else None
    if newest is not None and newest.account is not None:
        account = newest.account
        view = "all that its owner sees" if account.access == "owner" else "what is public"
        source = _SOURCES.get(newest.source, newest.source)
        yield "account", f"{shown(account.nickname)}, {view}, by {source}", None
    here = len(seen.here)
    gone = len(seen.albums) - here
    yield "albums", number(here) + (f", and {gone} gone" if gone else ""), None
    images = sum(state.image_count for state in seen.here)
    left = len(seen.images("gone"))
    yield "images", number(images) + (f", and {left} gone" if left else ""), None
    stored = f"{plural(seen.originals, 'original')}, {size(seen.original_bytes)}"
    yield "stored", stored, None
    versions = sum(state.generation for state in seen.albums.values())
    yield "versions", f"{number(versions)} of the albums' manifests", None
    if newest is not None:
        when = ago(newest.ended_at, seen.now)
        part = ", of a part" if newest.part else ""
        yield "last run", f"{newest.status}{part}, ended {moment(newest.ended_at)} ({when})", None
    for link in standing.seal:
        yield "seal", f"{link.sha256} (run {link.run_id})", None


_BAD = "bold red"


def _head_of_check(seen: _Seen) -> Iterator[tuple[str, str, str | None]]:
    checked, check = seen.standing.check, seen.check
    if checked is None:
        yield "checked", "never; `smugmug-backup check LOCATION` does it", "yellow"
        return
    when = f"{moment(checked.ended_at)} ({ago(checked.ended_at, seen.now)})"
    much = ""
    if check is not None:
        much = f", {plural(check.objects, 'object')} listed, {size(check.read_bytes)} read again"
        much += ", with all history" if check.history else ""
    if checked.open:
        yield "checked", f"{when}{much}: NOT SOUND, {plural(checked.open, 'open finding')}", _BAD
    elif checked.sound:
        yield "checked", f"{when}{much}: sound", None
    else:
        yield "checked", f"{when}{much}: what it found is mended", None
    for each in check.not_checked if check else ():
        yield "", f"not checked: {shown(each)}", None


def _rows(images: Iterable[ImageTrouble]) -> Iterator[Sequence[str]]:
    for each in images:
        yield each.file_name, each.album, each.why, each.since or "-"


def _where(failure: Failure) -> str:
    return "/".join(key for key in (failure.album_key, failure.image_key) if key) or "-"


def _run_row(report: RunReport) -> Sequence[str]:
    counts = report.counts
    return (
        report.run_id,
        report.status + (" (part)" if report.part else ""),
        number(counts.new),
        number(counts.changed),
        size(counts.bytes_stored),
        number(len(report.failures) + report.more_failures),
        _took(counts.seconds),
    )


def _took(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _tell_stack(console: Console, stack: "StackStatus") -> None:
    console.print(f"\nStack {stack.name}", style="bold")
    for line, good in stack.lines():
        console.print(f"  {line}", style=None if good else "bold red")


class _Lists:
    """Prints lists with a title, each cut at some length."""

    def __init__(self, console: Console, most: int | None) -> None:
        self._console = console
        self._most = most

    def list(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        *,
        more: int = 0,
    ) -> None:
        """One list, nothing at all if it is empty; ``more``: so many of it are named nowhere."""
        found = [*rows]
        if not found:
            return
        self.all(f"{title} ({number(len(found) + more)})", columns, found[: self._most])
        if self._most is not None and len(found) > self._most:
            self._console.print(f"… and {number(len(found) + more - self._most)} more (--all)")
        elif more:
            self._console.print(f"… and {number(more)} more, which the report only counts")

    def lines(self, title: str, lines: Iterable[str]) -> None:
        """Sentences, nothing at all without one."""
        found = [*lines]
        if found:
            self._console.print(f"\n{title}", style="bold")
        for line in found:
            self._console.print(f"  {shown(line)}", soft_wrap=True)

    def all(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """One list, whole."""
        self._console.print(f"\n{title}", style="bold")
        print_table(self._console, columns, rows)
