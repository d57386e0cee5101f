"""What a run's report is made from, as it comes together."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from smugmug_backup.archive.archive import Archive, Contents, Map, by_album
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.changes import News, What
from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.manifest import RECORD_LOST, Pending, Unavailable, unavailable
from smugmug_backup.archive.report import (
    NAMED,
    AlbumState,
    CompleteAsOf,
    Counts,
    Failure,
    RunReport,
    RunStatus,
    merged,
    worth_a_page,
)
from smugmug_backup.backup.account import Binding
from smugmug_backup.backup.attempts import listed_since
from smugmug_backup.backup.dates import RunDate
from smugmug_backup.backup.findings import Findings
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.clock import Clock
from smugmug_backup.errors import BackupError, Code

_EVERYWHERE = 3
"""Fewer albums that are all refused are named one by one."""
_LOOKED_INTO = 50
"""In so many albums is looked for what has left another."""
_FEW = 20
"""So few images or albums do not say that a field changed everywhere."""
_ASKED = 20
"""So many manifests at most are read for names that no report had room for."""


@dataclass(slots=True)
class Tally:
    """The albums' states and what happened; ``listed``: albums listed and believed in this run."""

    states: dict[str, AlbumState]
    unavailable: dict[str, tuple[Unavailable, ...]]
    pending: dict[str, tuple[Pending, ...]]
    counts: Counts = field(default_factory=Counts)
    news: News = field(default_factory=News)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    album_notes: Counter[str] = field(default_factory=Counter)
    listed: set[str] = field(default_factory=set)
    fields: Counter[str] = field(default_factory=Counter)
    album_fields: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    albums_seen: int = 0
    left_over: bool = False
    halted: bool = False

    @classmethod
    def of(cls, contents: Contents, notes: Iterable[str] = ()) -> "Tally":
        """Begin with what the archive holds."""
        return cls(
            dict(contents.albums),
            dict(contents.unavailable),
            dict(contents.pending),
            notes=list(notes),
        )

    def take(self, album_key: str, outcome: Outcome) -> None:
        """Add what became of an album."""
        self.states[album_key] = outcome.state
        if outcome.unavailable is not None:
            self.unavailable[album_key] = outcome.unavailable
        if outcome.pending is not None:
            self.pending[album_key] = outcome.pending
        self.counts.add(outcome.counts)
        self.news.add(outcome.news)
        self.failures += outcome.failures
        self.left_over |= outcome.left_over
        self.halted |= outcome.halted
        if outcome.listed:
            self.listed.add(album_key)
        self.album_notes.update(outcome.notes)
        self.fields.update(outcome.fields)
        self.seen += outcome.seen
        self.albums_seen += outcome.listed
        self.album_fields.update(outcome.album_fields)

    def halt(self, error: BackupError) -> None:
        """The run as a whole ended with ``error``; it is told once."""
        self.halted = True
        self.failures.append(Failure.of(error))

    def merge(self, other: Mapping[str, AlbumState], reports: Sequence[RunReport]) -> None:
        """Take the entries of reports that another run wrote meanwhile, where they count."""
        taken: dict[str, AlbumState] = {}
        for key, theirs in other.items():
            ours = self.states.get(key)
            if ours is not None and merged(ours, theirs) is not theirs:
                continue
            if ours != theirs:
                taken[key] = self.states[key] = theirs
        for report in reports:
            self.name(report, taken)

    def name(self, report: RunReport, states: Mapping[str, AlbumState]) -> None:
        """Take the images that ``report`` names, of albums whose state it is."""
        self.unavailable.update(by_album(report.unavailable, report, states))
        self.pending.update(by_album(report.pending, report, states))

    def ask_for_names(self, archive: Archive) -> None:
        """Read the manifests of albums whose unavailable images no report named, for it was full:
        as far as this one has room for them, and the time at its end allows."""
        named = asked = 0
        # Those that failed come last: what cannot be read takes no other album's turn.
        failed = {each.album_key for each in self.failures}
        for key in sorted(self.states, key=lambda each: (each in failed, each)):
            state = self.states[key]
            if named >= NAMED or asked >= _ASKED:
                return
            if not state.live:
                continue
            known = self.unavailable.get(key, ())
            if sum(each.reason != RECORD_LOST for each in known) < state.unavailable:
                asked += 1
                with suppress(BackupError):
                    manifest = archive.manifest(key, state.generation, state.manifest_sha256)
                    known = self.unavailable[key] = unavailable(manifest)
            named += len(known)

    def find_moved(self, archive: Archive, map_: Map) -> None:
        """Look for what is missing in one album among what came to others: it has moved.

        Few albums are read, and only in a night that has both; one that cannot be read tells
        nothing.
        """
        missing = self.news.missing()
        if not missing:
            return
        came = [key for key, counted in self.news.albums.items() if What.NEW in counted]
        came.sort(key=lambda key: -self.news.albums[key][What.NEW])

        def shown(key: str) -> tuple[str, set[str]]:
            state = self.states[key]
            with suppress(BackupError):
                manifest = archive.manifest(key, state.generation, state.manifest_sha256)
                return key, missing & {each.image_key for each in manifest.live}
            return key, set()

        known = [key for key in came if key in self.states]
        self.news.mark_moved(dict(map_(shown, known[:_LOOKED_INTO])))

    def miss(self, album_keys: Iterable[str]) -> None:
        """These albums were not listed, and if no failure says why, this one does."""
        if self.halted:
            return
        named = {failure.album_key for failure in self.failures}
        for key in album_keys:
            if key not in named:
                message = "not listed in this run"
                self.failures.append(Failure(key, None, Code.NOT_DONE, message))

    def all_notes(self) -> tuple[str, ...]:
        """The run's notes, those of albums counted."""
        return (
            *self.notes,
            *self._changed_everywhere(),
            *(
                f"{note} ({number} albums)" if number > 1 else note
                for note, number in self.album_notes.items()
            ),
        )

    def _changed_everywhere(self) -> Iterable[str]:
        """A field that changes by itself would make everything look changed, each night anew."""
        for what, counted, total in (
            ("images", self.fields, self.seen),
            ("albums", self.album_fields, self.albums_seen),
        ):
            for name, number in counted.items():
                if total >= _FEW and number * 2 > total:
                    yield f"the field {name} differs in {number} of {total} {what} listed"


class Ending(NamedTuple):
    """What a report says besides the tally.

    ``since``: albums listed at or after it count as listed by an earlier attempt of this trigger.
    ``chosen``: the albums that a part run was asked for.
    """

    run_id: str
    trigger: str | None
    attempt_of: str | None
    started_at: datetime
    date: RunDate
    binding: Binding
    source: str
    begun: Reports
    check: CheckReport | None
    findings: Findings
    readme_sha256: str | None
    since: datetime | None
    ignored: frozenset[str]
    chosen: frozenset[str] | None = None
    refused: bool = False


def write_report(
    archive: Archive,
    clock: Clock,
    tally: Tally,
    ending: Ending,
    *,
    finish: Callable[[Counts], None],
) -> RunReport:
    """Make the report and store it; ``finish`` fills in, last of all, what only the end knows.

    Album by album it takes the entry that counts more: another run may have ended meanwhile.
    """
    ended = archive.reports_again(ending.begun, now=clock.now())
    before = {each.run_id for each in ending.begun.counting}
    newer = [each for each in ended.counting if each.run_id not in before]
    if newer and not ending.refused and ending.chosen is None:
        tally.merge(ended.albums, newer)
    for other in newer[::-1]:
        binding = ending.binding.beside(Binding(other.account, tuple(other.formerly)))
        ending = ending._replace(binding=binding)
    complete = [ending.begun.complete_as_of, *(other.complete_as_of for other in newer)]
    known = [each for each in complete if each is not None]
    tally.ask_for_names(archive)
    report = _report(tally, ending, max(known, key=lambda each: each.run_id, default=None))
    heads = archive.heads(ending.begun, ended, ending.check)
    finish(tally.counts)
    # The machine's clock may have gone back meanwhile.
    report = replace(report, ended_at=max(ending.started_at, clock.now()), previous=heads)
    report.counts.s3_requests += worth_a_page(report)
    written = archive.write_report(report)
    # The report tells all that the page does: whatever keeps it from being made, the run is done.
    with suppress(Exception):
        archive.write_page(written)
    return written


def _report(tally: Tally, ending: Ending, complete_as_of: CompleteAsOf | None) -> RunReport:
    live = {key: state for key, state in tally.states.items() if not state.gone}
    here = {key: state for key, state in live.items() if state.live}
    counted = {key: state for key, state in here.items() if key not in ending.ignored}
    chosen = ending.chosen
    judged = counted if chosen is None else {k: s for k, s in here.items() if k in chosen}
    if not ending.refused and not tally.left_over:
        tally.miss(
            key
            for key in sorted(judged)
            if key not in tally.listed and not listed_since(judged[key], ending.since)
        )
    failures = _told_once(tally.failures, judged)
    counts = tally.counts
    counts.albums = len(here)
    counts.images = sum(state.image_count for state in here.values())
    counts.pending = sum(state.pending for state in here.values())
    counts.unavailable = sum(state.unavailable for state in here.values())
    counts.unverified = sum(state.unverified for state in here.values())
    unavailable = [each for key in sorted(here) for each in tally.unavailable.get(key, ())]
    pending = [each for key in sorted(here) for each in tally.pending.get(key, ())]
    status = _status(tally, ending, judged)
    doubted = ending.date.doubted
    if status == RunStatus.COMPLETE and chosen is None and not doubted:
        complete_as_of = CompleteAsOf(ending.run_id, ending.date.at)
    return RunReport(
        run_id=ending.run_id,
        status=status,
        trigger=ending.trigger,
        attempt_of=ending.attempt_of,
        started_at=ending.started_at,
        ended_at=ending.started_at,
        dated_at=ending.date.at,
        clock_doubted=doubted,
        part=chosen is not None,
        account=ending.binding.account,
        formerly=ending.binding.formerly,
        source=ending.source,
        complete_as_of=complete_as_of,
        counts=counts,
        failures=tuple(failures[:NAMED]),
        more_failures=max(0, len(failures) - NAMED),
        unavailable=tuple(unavailable[:NAMED]),
        more_unavailable=max(counts.unavailable, len(unavailable)) - min(NAMED, len(unavailable)),
        pending=tuple(pending[:NAMED]),
        # Those of an album that failed in this run are told by its failure.
        more_pending=max(counts.pending, len(pending)) - NAMED if len(pending) >= NAMED else 0,
        check=ending.findings.checked,
        readme_sha256=ending.readme_sha256,
        ignored_albums=tuple(sorted(ending.ignored)),
        notes=tally.all_notes(),
        changes=tally.news,
        albums=tally.states,
    )


def _told_once(failures: Sequence[Failure], judged: Iterable[str]) -> Sequence[Failure]:
    """``failures``, or one for them all if every album was refused: it is the login's matter.

    A 401 that says no more may be one album's (see `rule_of_refusal`); at each album it is none's.
    """
    albums = set(judged)
    refused = [
        each
        for each in failures
        if each.code == Code.ACCESS_REFUSED and each.image_key is None and each.album_key in albums
    ]
    if len(albums) < _EVERYWHERE or {each.album_key for each in refused} != albums:
        return failures
    whole = f"none of the {len(albums)} albums could be read: {refused[0].message}"
    others = [each for each in failures if each not in refused]
    return [Failure(None, None, Code.ACCESS_REFUSED, whole), *others]


def _status(tally: Tally, ending: Ending, judged: Mapping[str, AlbumState]) -> RunStatus:
    if ending.refused:
        return RunStatus.REFUSED
    if tally.left_over and not tally.halted:
        return RunStatus.CONTINUING
    waits = any(state.pending for state in judged.values())
    return RunStatus.INCOMPLETE if tally.failures or waits else RunStatus.COMPLETE
