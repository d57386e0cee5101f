"""`smugmug-backup status`: is the backup complete, as of when, and what is wrong."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from smugmug_backup.archive import keys
from smugmug_backup.archive.report import AlbumState, Failure, RunReport
from smugmug_backup.archive.summary import Summary, summarise
from smugmug_backup.backup.album import NOT_BELIEVED
from smugmug_backup.cli.albums import AlbumSummary, ImageTrouble, read_albums
from smugmug_backup.cli.output import (
    Column,
    ago,
    day,
    moment,
    number,
    plural,
    print_json,
    print_table,
    shown,
    size,
)
from smugmug_backup.cli.parsing import FINE, add_location, command_parser
from smugmug_backup.cli.stack import StackStatus, stack_status
from smugmug_backup.cli.store import open_existing
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.ports import BackupStore

NAME = "status"

_SHOWN = 10
_SOURCES = {"smugmug-1.3.0": "SmugMug API 1.3.0", "smugmug-v2": "SmugMug API v2"}
_IMAGES = (
    Column("File", elastic=True, middle=True),
    Column("Album", elastic=True, middle=True),
    Column("Reason", elastic=True),
    Column("Since"),
)
_ALBUMS = (Column("Album", elastic=True, middle=True), Column("Why", elastic=True), Column("Key"))
_FAILURES = (Column("Failure", elastic=True), Column("Album/image"), Column("Code"))
_RUNS = (
    Column("Run (its start, UTC)"),
    Column("Status", elastic=True),
    Column("New", right=True),
    Column("Changed", right=True),
    Column("Stored", right=True),
    Column("Failures", right=True),
    Column("Took", right=True),
)


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="is the backup complete, as of when, and what is wrong",
        description="Say whether a backup is complete, as of when, and what is pending, "
        "unavailable, unverified,\nnot believed, gone or ignored, each with its reason. "
        "Sizes are decimal: 1 MB = 10^6 bytes.",
        example="smugmug-backup status ~/photos-backup",
    )
    add_location(parser)
    parser.add_argument("--all", action="store_true", help="show all lines of every list")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="the last N runs (5)")
    parser.add_argument(
        "--stack",
        metavar="NAME",
        help="also look at the CloudFormation stack: is the schedule on, is the alarm's mail "
        "address confirmed",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Tell it."""
    store = open_existing(args.location)
    standing = _Standing.read(store, runs=max(1, args.runs))
    stack = stack_status(args.stack) if args.stack else None
    if args.json:
        value = standing.as_json()
        if stack is not None:
            value["stack"] = asdict(stack)
        print_json(console, value)
        return FINE
    _tell(console, standing, shown_lines=None if args.all else _SHOWN)
    if stack is not None:
        _tell_stack(console, stack)
    return FINE


@dataclass(frozen=True, slots=True)
class _Standing:
    """All that the command says."""

    summary: Summary
    albums: Sequence[AlbumSummary]
    originals: int
    original_bytes: int
    generations: int

    @classmethod
    def read(cls, store: BackupStore, *, runs: int) -> "_Standing":
        """Read the newest reports and manifests, and list the originals."""
        originals = original_bytes = 0
        for each in store.list(keys.ORIGINALS):
            originals, original_bytes = originals + 1, original_bytes + each.bytes
        albums = read_albums(store)
        return cls(
            summarise(store, runs=runs),
            albums,
            originals,
            original_bytes,
            sum(album.header.generation for album in albums),
        )

    @property
    def live(self) -> list[AlbumSummary]:
        """Albums that have no tombstone."""
        return [album for album in self.albums if album.header.deleted_at is None]

    def images(self, kind: str) -> list[ImageTrouble]:
        """All images in trouble of one kind."""
        return [each for album in self.albums for each in getattr(album, kind)]

    def states(self) -> dict[str, AlbumState]:
        """The albums' states."""
        return dict(self.summary.state.albums) if self.summary.state else {}

    def not_believed(self) -> list[str]:
        """Albums whose last full listing was not believed."""
        return sorted(k for k, s in self.states().items() if s.next_full == NOT_BELIEVED)

    def missing(self) -> list[str]:
        """Albums that were not shown, and wait for a second look."""
        return sorted(self.summary.missing_albums())

    def name(self, album_key: str) -> str:
        """An album's path and title."""
        return next((a.name for a in self.albums if a.header.album_key == album_key), album_key)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        summary = self.summary
        newest = summary.newest
        return {
            "complete": summary.is_complete,
            "complete_as_of": summary.complete_as_of,
            "status": newest.status if newest else None,
            "account": newest.account and asdict(newest.account) if newest else None,
            "source": newest.source if newest else None,
            "albums": len(self.live),
            "albums_gone": len(self.albums) - len(self.live),
            "images": sum(album.live for album in self.live),
            "originals": self.originals,
            "bytes": self.original_bytes,
            "versions": self.generations,
            **{
                kind: [asdict(each) for each in self.images(kind)]
                for kind in ("pending", "unavailable", "unverified", "gone")
            },
            "not_believed": self.not_believed(),
            "missing_albums": self.missing(),
            "ignored_albums": list(summary.state.ignored_albums) if summary.state else [],
            "failures": [each.as_json() for each in newest.failures] if newest else [],
            "notes": list(newest.notes) if newest else [],
            "runs": [_run_json(report) for report in summary.reports],
        }


def _run_json(report: RunReport) -> dict[str, Any]:
    return {
        "run_id": report.run_id,
        "status": report.status,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "part": report.part,
        "counts": asdict(report.counts),
        "failures": len(report.failures),
    }


def _tell(console: Console, standing: _Standing, *, shown_lines: int | None) -> None:
    for label, value, style in _head(standing):
        console.print(f"{label:<11}{value}", style=style)
    newest = standing.summary.newest
    failures = newest.failures if newest else ()
    told = _Lists(console, shown_lines)
    told.list(
        "Failures of the last run",
        _FAILURES,
        ((shown(f.message), _where(f), f.code) for f in failures),
    )
    for kind, title in (
        ("pending", "Pending: stored as soon as SmugMug delivers"),
        ("unavailable", "Unavailable: SmugMug does not have the bytes"),
        ("unverified", "Unverified: stored, but without a checksum that agrees"),
        ("gone", "Gone from SmugMug, kept here"),
    ):
        told.list(title, _IMAGES, _rows(standing.images(kind)))
    states = standing.states()
    told.list(
        "Albums not believed: SmugMug's list did not have the length that it said",
        _ALBUMS,
        ((standing.name(k), states[k].next_full or "", k) for k in standing.not_believed()),
    )
    told.list(
        "Albums missing at SmugMug, waiting for a second look",
        _ALBUMS,
        (
            (standing.name(k), f"since {day(states[k].missing_since)}", k)
            for k in standing.missing()
        ),
    )
    told.list(
        "Albums gone from SmugMug, kept here",
        _ALBUMS,
        (
            (a.name, f"since {day(a.header.deleted_at)}", a.header.album_key)
            for a in standing.albums
            if a.header.deleted_at is not None
        ),
    )
    ignored = standing.summary.state.ignored_albums if standing.summary.state else ()
    told.list(
        "Albums ignored by IGNORE_ALBUMS", _ALBUMS, ((standing.name(k), "", k) for k in ignored)
    )
    if newest and newest.notes:
        console.print("\nNotes of the last run", style="bold")
        for note in newest.notes:
            console.print(f"  {shown(note)}")
    told.all("Last runs", _RUNS, (_run_row(report) for report in standing.summary.reports))


def _head(standing: _Standing) -> Iterator[tuple[str, str, str | None]]:
    summary, newest = standing.summary, standing.summary.newest
    as_of = summary.complete_as_of
    if newest is None:
        yield "complete", "no run has ended yet", "bold yellow"
    elif summary.is_complete:
        yield "complete", f"yes, as of {moment(as_of)}", "bold green"
    elif as_of is not None:
        yield "complete", f"no ({newest.status}); it last was as of {moment(as_of)}", "bold red"
    else:
        yield "complete", f"no ({newest.status}), and never was so far", "bold red"
    if newest is not None and newest.account is not None:
        account = newest.account
        view = "all that its owner sees" if account.access == "owner" else "what is public"
        source = _SOURCES.get(newest.source, newest.source)
        yield "account", f"{shown(account.nickname)}, {view}, by {source}", None
    gone = len(standing.albums) - len(standing.live)
    yield "albums", number(len(standing.live)) + (f", and {gone} gone" if gone else ""), None
    images = sum(album.live for album in standing.live)
    left = len(standing.images("gone"))
    yield "images", number(images) + (f", and {left} gone" if left else ""), None
    stored = f"{plural(standing.originals, 'original')}, {size(standing.original_bytes)}"
    yield "stored", stored, None
    yield "versions", f"{number(standing.generations)} of the albums' manifests", None
    if newest is not None:
        when = ago(newest.ended_at, SystemClock().now())
        yield "last run", f"{newest.status}, ended {moment(newest.ended_at)} ({when})", None


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
        number(len(report.failures)),
        _took(counts.seconds),
    )


def _took(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _tell_stack(console: Console, stack: StackStatus) -> None:
    console.print(f"\nStack {stack.name}", style="bold")
    for line, good in stack.lines():
        console.print(f"  {line}", style=None if good else "bold red")


class _Lists:
    """Prints lists with a title, each cut at some length."""

    def __init__(self, console: Console, most: int | None) -> None:
        self._console = console
        self._most = most

    def list(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """One list, nothing at all if it is empty."""
        found = [*rows]
        if not found:
            return
        self.all(f"{title} ({number(len(found))})", columns, found[: self._most])
        if self._most is not None and len(found) > self._most:
            self._console.print(f"… and {number(len(found) - self._most)} more (--all)")

    def all(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """One list, whole."""
        self._console.print(f"\n{title}", style="bold")
        print_table(self._console, columns, rows)
