"""The archive: a store seen through its format.

All that reads or writes files of a store goes through here: nobody else builds a key, opens a
manifest, asks for an album's name, or decides what the newest state is. Methods that read many
files take a ``map_`` (that of a pool of threads, or Python's own).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from smugmug_backup.archive import chain, keys, reading
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.encoding import fingerprint, sha256
from smugmug_backup.archive.manifest import (
    Entry,
    Header,
    Manifest,
    Pending,
    Unavailable,
    header_of,
    pending,
    unavailable,
)
from smugmug_backup.archive.original import StoredBytes, When
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.archive.records import lines_in, parse_line, records_files
from smugmug_backup.archive.report import AlbumState, Link, NextFull, RunReport, future
from smugmug_backup.errors import AlreadyStored, CommitConflict, NotABackup, NotStored
from smugmug_backup.model import Account, StoredObject
from smugmug_backup.ports import BackupStore

_LONG = 10_000
"""From so many manifests on, key ranges are listed in parallel."""
_BOUNDS = "8GOVcks"
"""Splits what album keys are made of into eight ranges of about the same size."""
_WHOLE_FILE = 8
"""From so many records of one file on, it is read whole instead of by ranges."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Map(Protocol):
    """`map`, or an executor's: calls, perhaps at the same time; results in order."""

    def __call__(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item], /
    ) -> Iterator[_Result]:
        """``function`` of each item, in order."""


@dataclass(slots=True)
class Contents:
    """What the archive holds of the account.

    ``albums``: every album's state, live and gone. ``unavailable`` and ``pending``: by album, as
    far as the reports name them. ``account``: whose albums these are, None in an empty store.
    ``damage``: what is wrong with an album's newest manifest, by album. ``newest``: the greatest
    generation listed, by album.
    """

    albums: dict[str, AlbumState]
    unavailable: dict[str, tuple[Unavailable, ...]]
    pending: dict[str, tuple[Pending, ...]]
    account: Account | None
    damage: dict[str, str]
    newest: dict[str, int]


@dataclass(frozen=True, slots=True)
class Newest:
    """An album's newest state: the sound manifest that tells it, and the greatest generation.

    ``damage`` says what is wrong with generations newer than ``manifest``; None if nothing is.
    """

    manifest: Manifest | None
    generation: int
    damage: str | None = None


class Archive:
    """A store seen through its format; safe for many threads, keeps nothing between calls."""

    def __init__(self, store: BackupStore) -> None:
        self.store = store

    # -- reports ---------------------------------------------------------------------------------

    def reports(self, *, now: datetime) -> Reports:
        """The newest run reports, and which of them count. Raises EarlierForm, StoreError."""
        return chain.look(self.store, now=now)

    def reports_again(self, begun: Reports, *, now: datetime) -> Reports:
        """The same when a run ends."""
        return chain.look_again(self.store, begun, now=now)

    def heads(self, begun: Reports, ended: Reports, check: CheckReport | None) -> tuple[Link, ...]:
        """The reports that a run which ends now names as its predecessors."""
        return chain.heads(self.store, begun, ended, told=check.heads if check else ())

    def report(self, run: str) -> RunReport:
        """One run's report. Raises NotStored, FormatTooNew, EarlierForm, NotABackup."""
        return chain.load_report(self.store, run)

    def runs(self) -> list[str]:
        """The run ids of all reports, ascending."""
        return chain.list_runs(self.store)

    def new_run_id(self, started_at: datetime, token: str, reports: Reports) -> str:
        """The id of a run begun at ``started_at``: it sorts after all that lie there.

        What lies in the future by more than 12 hours does not count.
        """
        run = keys.run_id(started_at, token)
        near = [each for each in reports.listed if not future(each, started_at)]
        if near and near[-1][:16] >= run[:16]:
            run = keys.run_id(keys.run_start(near[-1]) + timedelta(seconds=1), token)
        return run

    def write_report(self, report: RunReport) -> RunReport:
        """Store a run report; returns it with its SHA-256."""
        body = report.to_bytes()
        self.store.create(report.key, body)
        return replace(report, sha256=sha256(body))

    def write_readme(self, known_sha256: str | None) -> str:
        """Store this version's README.txt, unless it is the one that a report has; its SHA-256."""
        body = README_TEXT.encode()
        if sha256(body) != known_sha256:
            reading.keep(self.store, keys.README, body)
        return sha256(body)

    def probe(self) -> None:
        """Ask whether the store as a whole can be read and written; nothing of it changes.

        Raises StoreRefused, StoreUnavailable.
        """
        next(iter(self.store.list(keys.RUNS)), None)
        self.write_readme(None)

    # -- check reports ---------------------------------------------------------------------------

    def newest_check(self, *, now: datetime) -> CheckReport | None:
        """The newest check report that can be read, None if there is none."""
        return next(self._checks(now), None)

    def check_heads(self, *, now: datetime) -> list[CheckReport]:
        """The check reports that no other names: what is open stands in these."""
        found: list[CheckReport] = []
        named: set[str] = set()
        for report in self._checks(now):
            if report.run_id not in named:
                found.append(report)
            named.update(link.run_id for link in report.previous)
            oldest = min((link.run_id for each in found for link in each.previous), default="")
            if report.run_id <= oldest:
                break
        return found

    def check_report(self, run: str) -> CheckReport | None:
        """One check's report; None if it is not there or cannot be read as one."""
        key = keys.check_report(run)
        with suppress(NotABackup, NotStored):
            return CheckReport.from_bytes(self.store.read(key), key=key)
        return None

    def _checks(self, now: datetime) -> Iterator[CheckReport]:
        found = (keys.parse_report(each.key, keys.CHECKS) for each in self.store.list(keys.CHECKS))
        for run in sorted((run for run in found if run is not None), reverse=True):
            report = None if future(run, now) else self.check_report(run)
            if report is not None:
                yield report

    def write_check(self, report: CheckReport) -> CheckReport:
        """Store a check report; returns it with its SHA-256."""
        body = report.to_bytes()
        self.store.create(report.key, body)
        return replace(report, sha256=sha256(body))

    # -- manifests -------------------------------------------------------------------------------

    def manifest(self, album_key: str, generation: int, sha256: str | None = None) -> Manifest:
        """One generation of an album, read whole; ``sha256``: what is stated of its file.

        Raises NotABackup for what is damaged, lost, or of another album; FormatTooNew.
        """
        key = keys.manifest(album_key, generation)
        try:
            body = reading.read_stated(self.store, key, sha256)
        except NotStored:
            raise NotABackup(f"{key} is not there") from None
        manifest = Manifest.from_bytes(body, key=key)
        _belongs(manifest.header, album_key, generation, key)
        return manifest

    def header(self, album_key: str, generation: int) -> Header:
        """The header of one generation, without the lines after it. Raises as `manifest`."""
        key = keys.manifest(album_key, generation)
        begun = b""
        try:
            with self.store.open(key) as chunks:
                for chunk in chunks:
                    begun += chunk
                    if b"\n" in chunk:
                        break
        except NotStored:
            raise NotABackup(f"{key} is not there") from None
        header = header_of(begun, key=key)
        _belongs(header, album_key, generation, key)
        return header

    def generations(self) -> dict[str, list[int]]:
        """All generations of every album, in order."""
        return _generations(self.store.list(keys.MANIFESTS))

    def generations_of(self, album_key: str) -> list[int]:
        """All generations of one album, in order."""
        found = _generations(self.store.list(keys.album_manifests(album_key)))
        return found.get(album_key, [])

    def newest_generations(self, map_: Map) -> dict[str, int]:
        """The newest generation of every album that has a manifest.

        One list request per 1,000 manifests; a long listing goes on in key ranges, in parallel.
        """
        found: dict[str, int] = {}
        last = ""
        for count, each in enumerate(self.store.list(keys.MANIFESTS), 1):
            _note(found, each)
            last = each.key
            if count >= _LONG:
                break
        else:
            return found
        bounds = [f"{keys.MANIFESTS}{bound}" for bound in _BOUNDS]
        starts = [last, *(bound for bound in bounds if bound > last)]
        ends: list[str | None] = [*starts[1:], None]

        def one(start_end: tuple[str, str | None]) -> dict[str, int]:
            part: dict[str, int] = {}
            start, end = start_end
            for each in self.store.list(keys.MANIFESTS, after=start, until=end):
                _note(part, each)
            return part

        for part in map_(one, list(zip(starts, ends, strict=True))):
            for album_key, generation in part.items():
                found[album_key] = max(generation, found.get(album_key, 0))
        return found

    def newest(
        self, album_key: str, generation: int | None = None, sha256: str | None = None
    ) -> Newest:
        """An album's newest state. ``generation`` and ``sha256``: what the newest report says.

        Where the newest generation is damaged or lost, the newest sound one before it is the
        state, and `Newest.damage` names what is wrong. What cannot be read tonight raises
        StoreError, a newer format FormatTooNew: that is no damage.
        """
        if generation:
            with suppress(NotABackup):
                return Newest(self.manifest(album_key, generation, sha256), generation)
        listed = self.generations_of(album_key)
        stated = {generation: sha256} if generation else {}
        return self.sound_from(album_key, {*listed, generation or 0} - {0}, stated)

    def sound_from(
        self,
        album_key: str,
        generations: Iterable[int],
        stated: Mapping[int, str | None] | None = None,
    ) -> Newest:
        """The newest sound one of an album's ``generations``; what is wrong with newer ones."""
        ordered = sorted(generations, reverse=True)
        damage: str | None = None
        for number in ordered:
            try:
                manifest = self.manifest(album_key, number, (stated or {}).get(number))
                return Newest(manifest, ordered[0], damage)
            except NotABackup as error:
                damage = damage or str(error)
        return Newest(None, ordered[0] if ordered else 0, damage)

    def commit(self, manifest: Manifest) -> Manifest:
        """Write a generation: the one conditional put that is the commit.

        Returns it as it lies there. Raises CommitConflict if another writer has this generation.
        """
        whole = manifest.counted()
        body = whole.to_bytes()
        header = whole.header
        try:
            self.store.create(keys.manifest(header.album_key, header.generation), body)
        except AlreadyStored:
            raise CommitConflict("another run committed this generation") from None
        return replace(whole, sha256=sha256(body))

    # -- records ---------------------------------------------------------------------------------

    def write_records(
        self, album_key: str, lines: Mapping[str, bytes]
    ) -> dict[str, tuple[str, tuple[int, int]]]:
        """Store records (image key to record line); where each lies: key, (offset, length)."""
        places: dict[str, tuple[str, tuple[int, int]]] = {}
        for file in records_files(album_key, lines):
            key = reading.keep(self.store, keys.records(album_key, file.digest), file.body)
            places.update((image, (key, at)) for image, at in file.places.items())
        return places

    def record(self, album_key: str, entry: Entry) -> dict[str, Any] | None:
        """The record of a line; None if it is lost or damaged. Raises StoreError."""
        line = self.record_line(album_key, entry)
        return None if line is None else parse_line(line)

    def record_line(self, album_key: str, entry: Entry) -> bytes | None:
        """The same as its bytes, proved by the fingerprint.

        Where its range lacks it, the numbered names are asked with the same range, then the
        album's other records files are looked through.
        """
        if entry.record is not None and entry.record_at is not None:
            plain, _ = keys.plain(entry.record)
            line = self._range(entry.record, entry)
            if line is not None:
                return line
            for name in (plain, *reading.numbered_names(self.store, plain)):
                line = self._range(name, entry) if name != entry.record else None
                if line is not None:
                    return line
        return self._sought(album_key, [entry]).get(entry.image_key)

    def records(
        self, album_key: str, entries: Sequence[Entry], map_: Map
    ) -> dict[str, dict[str, Any]]:
        """The records of many lines by image key; those that are lost are left out.

        Few of one file are read by ranges, many by reading the file whole.
        """
        by_file: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.record is not None:
                by_file.setdefault(entry.record, []).append(entry)
        found: dict[str, bytes] = {}
        single: list[Entry] = []
        whole: list[str] = []
        for key, wanted in by_file.items():
            if len(wanted) < _WHOLE_FILE:
                single += wanted
            else:
                whole.append(key)

        def one(entry: Entry) -> tuple[str, bytes | None]:
            return entry.image_key, self._range(str(entry.record), entry)

        def several(key: str) -> dict[str, bytes]:
            return self._lines_of(key, by_file[key])

        found.update((key, line) for key, line in map_(one, single) if line is not None)
        for part in map_(several, whole):
            found.update(part)
        for entry in entries:
            if entry.image_key not in found:
                line = self.record_line(album_key, entry)
                if line is not None:
                    found[entry.image_key] = line
        parsed = {key: parse_line(line) for key, line in found.items()}
        return {key: record for key, record in parsed.items() if record is not None}

    def is_sound_records(self, key: str) -> bool:
        """Whether a records file is what its name says, read whole. Raises StoreError."""
        parsed = keys.parse_records(keys.plain(key)[0])
        with suppress(NotStored):
            return parsed is not None and sha256(self.store.read(key)).startswith(parsed[1])
        return False

    def _range(self, key: str, entry: Entry) -> bytes | None:
        if entry.record_at is None:
            return None
        try:
            line = self.store.read_part(key, *entry.record_at)
        except NotStored:
            return None
        return line if fingerprint(line) == entry.fingerprint else None

    def _lines_of(self, key: str, entries: Iterable[Entry]) -> dict[str, bytes]:
        try:
            body = self.store.read(key)
        except NotStored:
            return {}
        found: dict[str, bytes] = {}
        for entry in entries:
            offset, length = entry.record_at or (0, 0)
            line = body[offset : offset + length]
            if fingerprint(line) == entry.fingerprint:
                found[entry.image_key] = line
        return found

    def _sought(self, album_key: str, entries: Iterable[Entry]) -> dict[str, bytes]:
        """Records looked for, by image key and fingerprint, in all records files of the album."""
        wanted = {entry.image_key: entry.fingerprint for entry in entries}
        found: dict[str, bytes] = {}
        for each in self.store.list(keys.album_records(album_key)):
            with suppress(NotStored, NotABackup):
                for _, line in lines_in(self.store.read(each.key), key=each.key):
                    mark = fingerprint(line)
                    if mark in wanted.values():
                        record = parse_line(line)
                        image_key = record["image_key"] if record else None
                        if wanted.get(image_key or "") == mark:
                            found[str(image_key)] = line
        return found

    # -- originals -------------------------------------------------------------------------------

    def has_originals(self) -> bool:
        """Whether any original lies in the store."""
        return next(iter(self.store.list(keys.ORIGINALS)), None) is not None

    def originals(self) -> Iterator[StoredObject]:
        """All originals, of every version, ascending."""
        return self.store.list(keys.ORIGINALS)

    def sound_name(self, content: StoredBytes) -> str | None:
        """The name under which these bytes lie whole, by the readers' rule; None if nowhere."""
        return reading.sound_name(self.store, content)

    # -- the account's albums --------------------------------------------------------------------

    def contents(
        self,
        reports: Reports,
        generations: Mapping[str, int],
        map_: Map,
        *,
        when: When,
        entries: Mapping[str, AlbumState] | None = None,
    ) -> Contents:
        """The state of every album that the reports or the manifests know.

        An entry counts only while its generation is the newest one listed; otherwise the newest
        manifest is read, whole. ``entries``: those of the reports, or later ones.
        """
        entries = reports.albums if entries is None else entries
        found = Contents({}, {}, {}, reports.account, {}, dict(generations))
        found.albums = {
            key: state
            for key, state in entries.items()
            if state.generation == generations.get(key, 0)
        }
        for report in reversed(reports.counting):
            found.unavailable.update(by_album(report.unavailable, report, found.albums))
            found.pending.update(by_album(report.pending, report, found.albums))

        def one(key: str) -> tuple[str, Newest]:
            known = entries.get(key)
            if known is not None and known.generation > generations.get(key, 0):
                # The report names a generation that the listing lacks: it is lost.
                return key, self.newest(key, known.generation, known.manifest_sha256)
            return key, self.newest(key, generations[key])

        stale = [key for key in {**generations, **entries} if key not in found.albums]
        for key, newest in map_(one, stale):
            self._take_up(found, key, newest, entries.get(key), when)
        return found

    def _take_up(
        self,
        found: Contents,
        key: str,
        newest: Newest,
        known: AlbumState | None,
        when: When,
    ) -> None:
        """The state of an album that its newest manifest tells, not a report."""
        manifest, known = newest.manifest, known or AlbumState()
        reason = NextFull.STATE_LOST
        if newest.damage is not None:
            reason = NextFull.MANIFEST_DAMAGED
            found.damage[key] = newest.damage
        state = AlbumState(title=known.title, path=known.path, next_full=reason)
        if manifest is not None:
            state = AlbumState.of(manifest, reason=reason, when=when)
            found.unavailable[key] = unavailable(manifest)
            found.pending[key] = pending(manifest, when)
            found.account = _wider(found.account, manifest.header.account)
        if newest.damage is not None:
            same = known.generation == newest.generation
            stated = known.manifest_sha256 if same else None
            state = replace(
                state,
                generation=newest.generation,
                manifest_sha256=stated,
                missing_since=known.missing_since,
                deleted_at=known.deleted_at,
            )
        found.albums[key] = replace(state, tried_at=known.tried_at, listed_at=known.listed_at)


_Named = TypeVar("_Named", Unavailable, Pending)


def by_album(
    named: Iterable[_Named], report: RunReport, states: Mapping[str, AlbumState]
) -> dict[str, tuple[_Named, ...]]:
    """What a report names, by album, of those albums whose entry in ``states`` is its own."""
    found: dict[str, list[_Named]] = {}
    for each in named:
        key = each.album_key
        if key in states and report.albums.get(key) == states[key]:
            found.setdefault(key, []).append(each)
    return {key: tuple(listed) for key, listed in found.items()}


def _wider(one: Account | None, other: Account) -> Account:
    if one is None or (one.access != "owner" and other.access == "owner"):
        return other
    return one


def _belongs(header: Header, album_key: str, generation: int, key: str) -> None:
    if header.album_key != album_key or header.generation != generation:
        raise NotABackup(f"{key} is the manifest of something else")


def _generations(listed: Iterable[StoredObject]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for each in listed:
        parsed = keys.parse_manifest(each.key)
        if parsed is not None:
            found.setdefault(parsed[0], []).append(parsed[1])
    return found


def _note(found: dict[str, int], each: StoredObject) -> None:
    parsed = keys.parse_manifest(each.key)
    if parsed is not None:
        album_key, generation = parsed
        found[album_key] = max(generation, found.get(album_key, 0))
