"""The store as it was, and what changed between two such states.

The order of generations is the history, not their times: a ``written_at`` above that of a later
generation (a clock that was ahead) counts as that one's.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.manifest import Entry, Header, Manifest
from smugmug_backup.archive.original import Reason
from smugmug_backup.archive.report import FUTURE, AlbumState, RunReport
from smugmug_backup.errors import BackupError, BadRequest, NotABackup, StoreError

_TRIES = 30
"""So many reports are looked at for one that tells; without one, more headers are read."""
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Whatever is later means now; Python counts no further than to the end of that year."""

Generations = Mapping[str, int]
"""Album key to generation; an album that was not known yet is not in it."""


@dataclass(slots=True)
class AsOf:
    """The account as it was: each album's manifest; ``problems``: what is wrong, by album.

    ``errors``: of albums without a manifest, what kept it from being read, if not damage.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    errors: dict[str, BackupError] = field(default_factory=dict)


@dataclass(slots=True)
class Moments:
    """The generations of all albums, and which of them were the newest at some moment.

    ``problems``: generations that could not be read and were passed over, by album.
    """

    archive: Archive
    map_: Map
    all: Mapping[str, list[int]]
    problems: dict[str, str] = field(default_factory=dict)
    _reports: dict[str, RunReport | None] = field(default_factory=dict)
    _runs: list[str] | None = None

    @classmethod
    def of(cls, archive: Archive, map_: Map) -> "Moments":
        """List all generations; ``problems`` names albums that cannot be listed."""
        found = archive.generations()
        problems = {key: str(error) for key, error in found.unreadable.items()}
        return cls(archive, map_, found, problems)

    def latest(self) -> Generations:
        """The newest generations."""
        return {key: generations[-1] for key, generations in self.all.items()}

    def at(self, instant: datetime) -> Generations:
        """The newest generations at ``instant``, by when they were written."""
        instant = min(instant, _LATEST)
        # A run that began later did not end before: few reports are read, however many lie there.
        # An id may be late by `FUTURE`: it sorts after that of a run whose clock was ahead.
        begun = bisect_right(self.runs, instant + FUTURE, key=keys.run_start)
        before = self._report(
            reversed(self.runs[:begun]),
            lambda report: report.trusted and report.ended_at <= instant,
        )
        # The next in order: the run that was ahead ended later than those that followed it.
        since = bisect_right(self.runs, before.run_id) if before else 0
        after = self._report(iter(self.runs[since:]), lambda report: report.trusted)
        return self._between(before, after, lambda header: header.written_at <= instant)

    def after_run(self, run: str) -> Generations:
        """The newest generations when ``run`` ended, by its report.

        A run that left no report (it was killed) is judged by the run ids in the manifests.
        Raises BadRequest if nothing knows of such a run.
        """
        report = self._load(run)
        if report is not None:
            return {key: s.generation for key, s in report.albums.items() if s.generation}
        before = self._report(
            (each for each in reversed(self.runs) if each < run), lambda report: report.trusted
        )
        after = self._report(
            (each for each in self.runs if each > run), lambda report: report.trusted
        )
        known = False

        def holds(header: Header) -> bool:
            nonlocal known
            known = known or header.run_id == run
            return header.run_id <= run

        found = self._between(before, after, holds)
        if not known:
            raise BadRequest(f"the backup has no report of a run {run}")
        return found

    def told(self) -> Mapping[str, AlbumState]:
        """What the newest report that can be read tells of the albums: their titles, where their
        manifests cannot be read."""
        report = self._report(reversed(self.runs), lambda report: report.trusted)
        return report.albums if report is not None else {}

    @property
    def runs(self) -> list[str]:
        """The run ids of all reports, ascending."""
        if self._runs is None:
            self._runs = self.archive.runs()
        return self._runs

    def _report(self, runs: Iterator[str], holds: Callable[[RunReport], bool]) -> RunReport | None:
        for run in islice(runs, _TRIES):
            report = self._load(run)
            if report is not None and holds(report):
                return report
        return None

    def _load(self, run: str) -> RunReport | None:
        if run not in self._reports:
            try:
                self._reports[run] = self.archive.report(run)
            except (NotABackup, StoreError):
                self._reports[run] = None
        return self._reports[run]

    def _between(
        self,
        before: RunReport | None,
        after: RunReport | None,
        holds: Callable[[Header], bool],
    ) -> Generations:
        """For each album the greatest generation that ``holds``.

        Of the reports' generations it is known without a look: what ``before`` names was there,
        what came after ``after`` was not. Only those between have to be read.
        """

        def one(album_key: str) -> tuple[str, int]:
            least = _generation(before, album_key) or 0
            most = _generation(after, album_key)
            if most is not None and most < least:
                most = None  # A report of a clock that was ahead: it is no later than ``before``.
            for number in reversed(self.all[album_key]):
                if most is not None and number > most:
                    continue
                if number <= least:
                    return album_key, number
                try:
                    if holds(self.archive.header(album_key, number)):
                        return album_key, number
                except BackupError as error:
                    self.problems[album_key] = str(error)
            return album_key, 0

        return {key: number for key, number in self.map_(one, list(self.all)) if number}

    def read(self, generations: Generations) -> AsOf:
        """The manifests of these generations; a damaged one gives way to the one before it."""
        found = AsOf(problems=dict(self.problems))

        def one(item: tuple[str, int]) -> tuple[str, Manifest | None, str | None]:
            album_key, generation = item
            older = [n for n in self.all.get(album_key, ()) if n <= generation]
            try:
                stated = {generation: self._stated(album_key, generation)}
                newest = self.archive.sound_from(album_key, {*older, generation}, stated)
            except BackupError as error:
                found.errors[album_key] = error
                return album_key, None, str(error)
            return album_key, newest.manifest, newest.damage

        for album_key, manifest, problem in self.map_(one, sorted(generations.items())):
            if manifest is not None:
                found.manifests[album_key] = manifest
            if problem is not None:
                found.problems[album_key] = problem
        return found

    def _stated(self, album_key: str, generation: int) -> str | None:
        """The SHA-256 that a report read so far, or the next generation, states of this one."""
        for report in self._reports.values():
            state = report.albums.get(album_key) if report else None
            if state is not None and state.generation == generation and state.manifest_sha256:
                return state.manifest_sha256
        after = next((n for n in self.all.get(album_key, ()) if n > generation), None)
        if after is None:
            return None
        return self.archive.stated_by_next(album_key, generation, after)


def _generation(report: RunReport | None, album_key: str) -> int | None:
    state = report.albums.get(album_key) if report else None
    return state.generation if state else None


@dataclass(frozen=True, slots=True)
class ImageChange:
    """One image of one album. ``what``: new, changed, replaced, moved, gone, missing, back or
    forgotten.

    ``fields``: the API's names of what differs (changed). ``moved_to``: the album's key.
    """

    what: str
    image_key: str
    file_name: str | None
    fields: tuple[str, ...] = ()
    moved_to: str | None = None


@dataclass(slots=True)
class AlbumChange:
    """One album. ``what``: new, changed, gone or back; ``fields`` as in `ImageChange`."""

    what: str
    album_key: str
    title: str
    path: tuple[str, ...]
    fields: tuple[str, ...] = ()
    images: list[ImageChange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed, album by album; ``problems``: what could not be compared, by album."""

    albums: Sequence[AlbumChange]
    problems: Mapping[str, str]


def differences(moments: Moments, before: Generations, after: Generations) -> Differences:
    """What changed from ``before`` to ``after``; same generation, nothing."""
    touched = [key for key in after if before.get(key, 0) != after[key]]
    old = moments.read({key: before[key] for key in touched if before.get(key)})
    new = moments.read({key: after[key] for key in touched})
    # Of what cannot be read of the one moment, nothing is new at the other.
    both = [key for key in new.manifests if key in old.manifests or not before.get(key)]

    def one(key: str) -> AlbumChange:
        return _album(moments.archive, old.manifests.get(key), new.manifests[key])

    changes = list(moments.map_(one, both))
    _mark_moves(changes)
    told = [each for each in changes if each.what != "changed" or each.fields or each.images]
    return Differences(told, {**old.problems, **new.problems})


def _album(archive: Archive, old: Manifest | None, new: Manifest) -> AlbumChange:
    header = new.header
    gone = header.deleted_at is not None
    if old is None:
        what = "gone" if gone else "new"
    elif gone != (old.header.deleted_at is not None):
        what = "gone" if gone else "back"
    else:
        what = "changed"
    change = AlbumChange(what, header.album_key, header.title, header.path)
    if old is not None:
        change.fields = _fields(old.header.album, header.album)
    if old is not None and old.header.path != header.path:
        change.fields = tuple(sorted({*change.fields, "path"}))
    known = old.entries if old is not None else {}
    changed = {key for key, entry in new.entries.items() if _record_changed(known.get(key), entry)}
    before = archive.records(header.album_key, [known[key] for key in sorted(changed)], map)
    after = archive.records(header.album_key, [new.entries[key] for key in sorted(changed)], map)
    for key, entry in new.entries.items():
        fields: tuple[str, ...] = ()
        if key in changed and key in before and key in after:
            fields = _fields(before[key]["image"], after[key]["image"])
        elif key in changed:
            kept = archive.told_forgotten(key) is None
            fields = ("record lost" if kept else "record forgotten",)
        image = image_change(known.get(key), entry, fields)
        if image is not None:
            change.images.append(image)
    return change


def _record_changed(old: Entry | None, new: Entry) -> bool:
    return old is not None and old.live and new.live and old.fingerprint != new.fingerprint


def image_change(old: Entry | None, new: Entry, names: tuple[str, ...]) -> ImageChange | None:
    """What became of an image from one generation to a later one; None if nothing did.

    ``names``: the fields of its record that differ.
    """

    def change(what: str, *names: str) -> ImageChange:
        return ImageChange(what, new.image_key, new.file_name, names)

    if old is None:
        return change("new" if new.live else "gone")
    if new.original.reason == Reason.FORGOTTEN and old.original.reason != Reason.FORGOTTEN:
        return change("forgotten")
    if old.live and not new.live:
        return change("gone" if new.deleted_at else "missing")
    if not old.live:
        if new.live:
            return change("back")
        return change("gone") if new.deleted_at and not old.deleted_at else None
    if _bytes(old) != _bytes(new) and _bytes(old) is not None:
        return change("replaced", *names)
    if old.original.status != new.original.status:
        names = (*names, f"original {new.original.status}")
    return change("changed", *names) if names else None


def _bytes(entry: Entry) -> str | None:
    """What identifies the bytes that the line stands for."""
    return entry.original.best.sha256 if entry.original.best else None


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The names whose values differ; LastUpdated always does and says nothing."""
    names = before.keys() | after.keys()
    differ = (n for n in names if before.get(n) != after.get(n) or (n in before) != (n in after))
    return tuple(sorted(set(differ) - {"LastUpdated"}))


def _mark_moves(changes: list[AlbumChange]) -> None:
    """An image that left one album and is new in another has moved; further new ones stay new."""
    left = {image.image_key for _, image in _images(changes, "gone", "missing")}
    arrived: dict[str, str] = {}
    for album, image in _images(changes, "new"):
        if image.image_key in left:
            arrived.setdefault(image.image_key, album.album_key)
    for album in changes:
        album.images = [
            ImageChange("moved", each.image_key, each.file_name, (), arrived[each.image_key])
            if each.image_key in arrived and each.what in ("gone", "missing")
            else each
            for each in album.images
            if not (each.what == "new" and arrived.get(each.image_key) == album.album_key)
        ]


def _images(changes: list[AlbumChange], *kinds: str) -> Iterator[tuple[AlbumChange, ImageChange]]:
    for album in changes:
        for image in album.images:
            if image.what in kinds:
                yield album, image
