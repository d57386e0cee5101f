"""The archive: a store seen through its format.

All that reads or writes files of a store goes through here: nobody else builds a key, opens a
manifest, asks for an album's name, or decides what the newest state is. Methods that read many
files take a ``map_`` (that of a pool of threads, or Python's own).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from smugmug_backup.archive import chain, generations, keys, lookup, newer, reading
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.contents import Contents, by_album, read_contents
from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.encoding import sha256 as sha256_of
from smugmug_backup.archive.generations import Listed, Newest
from smugmug_backup.archive.manifest import Entry, Header, Manifest
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.original import StoredBytes, When
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.archive.records import parse_line, records_files
from smugmug_backup.archive.report import AlbumState, Link, RunReport, future, worth_a_page
from smugmug_backup.errors import (
    AlreadyStored,
    CommitConflict,
    FormatTooNew,
    ListingIncomplete,
    NotABackup,
    NotStored,
    StoreError,
    StoreUnavailable,
)
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import BackupStore, Batch

if TYPE_CHECKING:
    from smugmug_backup.archive.drill_report import DrillReport
    from smugmug_backup.archive.forgotten import Holding

__all__ = ["Archive", "Contents", "Listed", "Map", "Newest", "by_album"]


class Archive:
    """A store seen through its format; safe for many threads.

    It keeps nothing between calls but one batch of the store: what `write_records` and `batch`
    bring is durable when `commit` has named it. What no quiet night asks for (a check's scrutiny,
    drills, what was forgotten, pages for people) is loaded when it is asked for.
    """

    def __init__(self, store: BackupStore) -> None:
        self.store = store
        self._batches: dict[str, Batch] = {}

    @property
    def batch(self) -> Batch:
        """Where a commit's originals are created; the same for all threads."""
        found = self._batches.get("one")
        # Of two threads that come first, `setdefault` lets one win.
        return found or self._batches.setdefault("one", self.store.batch())

    # -- reports ---------------------------------------------------------------------------------

    def reports(self, *, now: datetime) -> Reports:
        """The newest run reports, and which of them count. Raises EarlierForm, StoreError."""
        return chain.look(self.store, now=now)

    def reports_among(self, listed: Iterable[str], *, now: datetime) -> Reports:
        """The same of the run ids ``listed``; what cannot be read tonight is passed over."""
        return chain.look_among(self.store, listed, now=now)

    def reports_again(self, begun: Reports, *, now: datetime) -> Reports:
        """The same when a run ends."""
        return chain.look_again(self.store, begun, now=now)

    def proved_reports(self, reports: Reports, *, now: datetime) -> Reports:
        """``reports`` without those whose account all that they name contradicts: of the newest
        one nothing else would tell that its name is damaged. ``reports`` itself if there is none.
        """
        return chain.proved(self.store, reports, now=now)

    def heads(self, begun: Reports, ended: Reports, check: CheckReport | None) -> tuple[Link, ...]:
        """The reports that a run which ends now names as its predecessors."""
        told = check.heads if check else ()
        known = (check.of_run or "") if check else ""
        return chain.heads(self.store, begun, ended, told=told, told_after=known)

    def report(self, run: str) -> RunReport:
        """One run's report. Raises NotStored, FormatTooNew, EarlierForm, NotABackup."""
        return chain.load_report(self.store, run)

    def report_key(self, run: str) -> str:
        """Where one run's report lies, for who looks for it by hand."""
        return keys.report(run)

    def runs(self, *, since: str = "") -> list[str]:
        """The run ids of all reports, or of a run's and those after it, ascending."""
        after = keys.report(since).removesuffix(".json") if since else ""
        return chain.list_runs(self.store, after=after)

    def new_run_id(self, started_at: datetime, token: str, reports: Reports) -> str:
        """The id of a run begun at ``started_at``: it sorts after all that lie there.

        What lies in the future by more than 12 hours does not count.
        """
        return self.id_after(started_at, token, reports.listed)

    def id_after(self, started_at: datetime, token: str, listed: Iterable[str]) -> str:
        """The same among other run ids, ascending: those of check reports."""
        run = keys.run_id(started_at, token)
        near = [each for each in listed if not future(each, started_at)]
        if near and near[-1][:16] >= run[:16]:
            run = keys.run_id(keys.run_start(near[-1]) + timedelta(seconds=1), token)
        return run

    def write_report(self, report: RunReport) -> RunReport:
        """Store a run report; returns it with its SHA-256."""
        # What no commit came to name is there all the same, and need not be fetched again.
        with suppress(StoreError):
            self.batch.barrier()
        body = report.to_bytes()
        self.store.create(report.key, body)
        return replace(report, sha256=sha256(body))

    def write_page(self, report: RunReport) -> None:
        """Store a run's report as a page for people, if it has anything to show. Raises StoreError.

        Nothing names it, so nothing is lost where it cannot be written.
        """
        if worth_a_page(report):
            from smugmug_backup.archive.page import page_of

            self.store.create(keys.page(report.run_id), page_of(report))

    def page_of(self, report: RunReport) -> str | None:
        """The key of a run's page; None if it has none. Raises StoreError."""
        key = keys.page(report.run_id)
        return key if worth_a_page(report) and self.store.head(key) is not None else None

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

    def holds_backup(self) -> bool:
        """Whether any run report or manifest lies in the store."""
        return any(
            next(iter(self.store.list(each)), None) is not None
            for each in (keys.RUNS, keys.MANIFESTS)
        )

    def readme_with(self, sha256: str) -> str | None:
        """The name of the README, plain or numbered, that has ``sha256``; None if none has."""
        for name in (keys.README, *reading.numbered_names(self.store, keys.README)):
            with suppress(NotStored):
                if sha256_of(self.store.read(name)) == sha256:
                    return name
        return None

    def look(self) -> None:
        """Ask whether the store as a whole can be read, and holds a backup at all.

        Raises StoreError: a disk that was taken away leaves an empty folder behind.
        """
        try:
            if next(iter(self.store.list(keys.MANIFESTS)), None) is None:
                raise StoreUnavailable("it holds no manifest (any more)")
        except ListingIncomplete:
            return  # Something of it is seen.

    # -- check reports ---------------------------------------------------------------------------

    def newest_check(self, *, now: datetime) -> CheckReport | None:
        """The newest check report that can be read, None if there is none."""
        return next(self.checks(now=now), None)

    def check_heads(self, *, now: datetime) -> list[CheckReport]:
        """The check reports that no other names: what is open stands in these."""
        found: list[CheckReport] = []
        named: set[str] = set()
        for report in self.checks(now=now):
            if report.run_id not in named:
                found.append(report)
            named.update(link.run_id for link in report.previous)
            oldest = min((link.run_id for each in found for link in each.previous), default="")
            if report.run_id <= oldest:
                break
        return found

    def check_report(self, run: str) -> CheckReport | None:
        """One check's report; None if it is not there, or cannot be read tonight or as one."""
        key = keys.check_report(run)
        # One of a newer form tells no more than one that cannot be read; runs go on without it.
        with suppress(NotABackup, StoreError, FormatTooNew):
            report = CheckReport.from_bytes(self.store.read(key), key=key)
            return report if report.run_id == run else None
        return None

    def check_runs(self, *, after: str = "") -> list[str]:
        """The run ids of all check reports that can be seen, or of those after one, ascending."""
        found = []
        with suppress(ListingIncomplete):
            begin = keys.check_report(after) if after else ""
            for each in self.store.list(keys.CHECKS, after=begin):
                run = keys.parse_report(each.key, keys.CHECKS)
                if run is not None:
                    found.append(run)
        return sorted(found)

    def checks(self, *, now: datetime) -> Iterator[CheckReport]:
        """The check reports that can be read, newest first."""
        for run in reversed(self.check_runs()):
            report = None if future(run, now) else self.check_report(run)
            if report is not None:
                yield report

    def write_check(self, report: CheckReport) -> CheckReport:
        """Store a check report; returns it with its SHA-256."""
        body = report.to_bytes()
        self.store.create(report.key, body)
        return replace(report, sha256=sha256(body))

    # -- drill reports ---------------------------------------------------------------------------

    def drills(self) -> list[str]:
        """The run ids of all drill reports that can be seen, ascending."""
        found = []
        with suppress(ListingIncomplete):
            for each in self.store.list(keys.DRILLS):
                run = keys.parse_report(each.key, keys.DRILLS)
                if run is not None:
                    found.append(run)
        return sorted(found)

    def newest_drill(self, *, now: datetime) -> "DrillReport | None":
        """The newest drill report that can be read, None if there is none."""
        from smugmug_backup.archive.drill_report import DrillReport

        for run in reversed(self.drills()):
            key = keys.drill_report(run)
            with suppress(NotABackup, StoreError):
                if not future(run, now):
                    return DrillReport.from_bytes(self.store.read(key), key=key)
        return None

    def write_drill(self, report: "DrillReport") -> None:
        """Store a drill report."""
        self.store.create(report.key, report.to_bytes())

    # -- reports, held to all that the format says -----------------------------------------------

    def inspect_report(self, run: str, sha256: str | None = None) -> RunReport:
        """A run report, held to all that the format says; ``sha256``: what is stated of it.

        Raises NotStored if it is not there, NotABackup for damage, FormatTooNew, StoreError.
        """
        from smugmug_backup.archive.inspection import inspect_report

        key = keys.report(run)
        return inspect_report(reading.read_stated(self.store, key, sha256), key=key)

    def inspect_check(self, run: str, sha256: str | None = None) -> CheckReport:
        """The same of a check report."""
        from smugmug_backup.archive.inspection import inspect_check_report

        key = keys.check_report(run)
        return inspect_check_report(reading.read_stated(self.store, key, sha256), key=key)

    # -- manifests -------------------------------------------------------------------------------

    def manifest(
        self,
        album_key: str,
        generation: int,
        sha256: str | None = None,
        *,
        lines: MutableMapping[bytes, Entry] | None = None,
    ) -> Manifest:
        """One generation of an album, read whole; ``sha256``: what is stated of its file.

        ``lines``: as `Manifest.from_bytes` takes them, to go through many generations of an album.
        Raises NotABackup for what is damaged, lost, or of another album; FormatTooNew.
        """
        return generations.read_manifest(self.store, album_key, generation, sha256, lines)

    def key_of(self, album_key: str, generation: int) -> str:
        """Where a generation lies, for those who have to name it."""
        return keys.manifest(album_key, generation)

    def header(self, album_key: str, generation: int) -> Header:
        """The header of one generation, without the lines after it. Raises as `manifest`."""
        return generations.read_header(self.store, album_key, generation)

    def whole_lines(self, album_key: str, generation: int) -> list[Entry]:
        """The lines of a damaged generation that can still be read. Raises StoreError."""
        return generations.whole_lines(self.store, album_key, generation)

    def stated_by_next(self, album_key: str, generation: int, after: int) -> str | None:
        """The SHA-256 that generation ``after`` states of ``generation``; None if it does not, or
        cannot be read."""
        return generations.stated_by_next(self.store, album_key, generation, after)

    def manifests_and_records(self) -> Iterator[StoredObject]:
        """All manifests and records files that can be seen."""
        for folder in (keys.MANIFESTS, keys.RECORDS):
            with suppress(ListingIncomplete):
                yield from self.store.list(folder)

    def generations(self) -> Listed[list[int]]:
        """All generations of every album, in order."""
        return generations.all_generations(self.store)

    def generations_of(self, album_key: str) -> list[int]:
        """All generations of one album, in order. Raises StoreError."""
        found = generations.all_generations(self.store, keys.album_manifests(album_key))
        if album_key in found.unreadable:
            raise found.unreadable[album_key]
        return found.get(album_key, [])

    def newest_generations(self, map_: Map) -> Listed[int]:
        """The newest generation of every album that has a manifest.

        One list request per 1,000 manifests; a long listing is made in key ranges, in parallel.
        """
        return generations.newest_generations(self.store, map_)

    def newest(
        self, album_key: str, generation: int | None = None, sha256: str | None = None
    ) -> Newest:
        """An album's newest state. ``generation`` and ``sha256``: what the newest report says.

        Where the newest generation is damaged or lost, the newest sound one before it is the
        state, and `Newest.damage` names what is wrong. What cannot be read tonight raises
        StoreError, a newer format FormatTooNew: that is no damage.
        """
        stated = {generation: sha256} if generation else {}
        return generations.newest_state(self.store, album_key, generation or 0, stated)

    def sound_from(
        self,
        album_key: str,
        numbers: Iterable[int],
        stated: Mapping[int, str | None] | None = None,
    ) -> Newest:
        """The newest sound one of an album's generations ``numbers``; what is wrong with newer
        ones. ``stated``: the SHA-256 that is known of some of them."""
        return generations.newest_sound(self.store, album_key, numbers, stated or {})

    def commit(self, manifest: Manifest) -> Manifest:
        """Write a generation: the one conditional put that is the commit.

        Before it, all that it names is brought onto the disk. Returns it as it lies there. Raises
        CommitConflict if another writer has this generation, or what it names; StoreError.
        """
        lines = manifest.entries.values()
        self.settle(key for each in lines for key in (each.record, each.original.key) if key)
        whole = manifest.counted()
        body = whole.to_bytes()
        header = whole.header
        try:
            self.store.create(keys.manifest(header.album_key, header.generation), body)
        except AlreadyStored:
            raise CommitConflict("another run committed this generation") from None
        return replace(whole, sha256=sha256(body))

    def settle(self, named: Iterable[str] | None = None) -> None:
        """Bring what was created in the batch onto the disk; ``named``: what has to be there,
        None is all of it. Raises CommitConflict, StoreError."""
        failed = self.batch.barrier()
        if not failed:
            return
        found: Iterable[StoreError | None] = failed.values()
        if named is not None:
            found = (_failure_of(key, failed) for key in named)
        for error in found:
            if isinstance(error, AlreadyStored):
                raise CommitConflict(f"another run stored other bytes: {error}")
            if error is not None:
                raise error

    def inspect(
        self,
        album_key: str,
        generation: int,
        sha256: str | None = None,
        *,
        lines: MutableMapping[bytes, Entry] | None = None,
    ) -> Manifest:
        """One generation, held to all that the format says; ``sha256``: what is stated of it.

        ``lines``: as `inspect_manifest` takes them, to go through many generations of an album.
        Raises NotStored if it is not there, NotABackup for damage, FormatTooNew, StoreError.
        """
        from smugmug_backup.archive.inspection import inspect_manifest

        key = keys.manifest(album_key, generation)
        body = reading.read_stated(self.store, key, sha256)
        try:
            return inspect_manifest(body, key=key, lines=lines)
        except FormatTooNew as error:
            raise newer.judged(self.store, key, error) from None

    def numbered_manifests(self, album_key: str, generation: int) -> Iterator[Manifest]:
        """What lies, sound by itself, under the numbered names of a generation."""
        from smugmug_backup.archive.inspection import inspect_manifest

        for name in reading.numbered_names(self.store, keys.manifest(album_key, generation)):
            with suppress(NotStored, NotABackup, FormatTooNew):
                yield inspect_manifest(self.store.read(name), key=name)

    # -- records ---------------------------------------------------------------------------------

    def write_records(
        self, album_key: str, lines: Mapping[str, bytes]
    ) -> dict[str, tuple[str, tuple[int, int]]]:
        """Store records (image key to record line); where each lies: key, (offset, length)."""
        places: dict[str, tuple[str, tuple[int, int]]] = {}
        for file in records_files(album_key, lines):
            key = reading.keep(self.batch, keys.records(album_key, file.digest), file.body)
            places.update((image, (key, at)) for image, at in file.places.items())
        return places

    def record(self, album_key: str, entry: Entry) -> dict[str, Any] | None:
        """The record of a line; None if it is lost or damaged. Raises StoreError."""
        line = self.record_line(album_key, entry)
        return None if line is None else parse_line(line)

    def record_line(self, album_key: str, entry: Entry) -> bytes | None:
        """The same as its bytes, proved by the fingerprint."""
        return lookup.find_lines(self.store, album_key, [entry], map).get(entry.image_key)

    def records(
        self, album_key: str, entries: Sequence[Entry], map_: Map
    ) -> dict[str, dict[str, Any]]:
        """The records of many lines by image key; those that are lost are left out."""
        lines = lookup.find_lines(self.store, album_key, entries, map_)
        parsed = {key: parse_line(line) for key, line in lines.items()}
        return {key: record for key, record in parsed.items() if record is not None}

    def sound_records(self, key: str, entries: Iterable[Entry] = ()) -> None:
        """Read a records file whole and hold it, or a numbered name of it, to its own name and to
        the lines that name it. Raises NotStored, NotABackup, FormatTooNew, StoreError."""
        from smugmug_backup.archive.inspection import inspect_records

        plain, _ = keys.plain(key)
        numbered = reading.numbered_names(self.store, plain)
        names = [key, *(name for name in (plain, *numbered) if name != key)]
        entries = list(entries)
        wrong: NotABackup | None = None
        for name in names:
            try:
                return inspect_records(self.store.read(name), key=name, entries=entries)
            except NotStored:
                continue
            except NotABackup as error:
                wrong = wrong or error
        raise wrong or NotStored(f"{key} is not there")

    def is_sound_records(self, key: str) -> bool:
        """Whether a records file is what its name says, read whole. Raises StoreError."""
        parsed = keys.parse_records(keys.plain(key)[0])
        with suppress(NotStored):
            return parsed is not None and sha256(self.store.read(key)).startswith(parsed[1])
        return False

    def records_files(self) -> Iterator[StoredObject]:
        """All records files of all albums, ascending."""
        listed = self.store.list(keys.RECORDS)
        return (each for each in listed if keys.parse_records(keys.plain(each.key)[0]))

    # -- originals -------------------------------------------------------------------------------

    def has_originals(self) -> bool:
        """Whether any original lies in the store."""
        return next(iter(self.store.list(keys.ORIGINALS)), None) is not None

    def originals(self) -> Iterator[StoredObject]:
        """All originals, of every version, ascending."""
        return self.store.list(keys.ORIGINALS)

    def names_of(self, key: str) -> Iterator[str]:
        """The names under which an original may lie, by the readers' rule; see `reading.names`."""
        return reading.names(self.store, key)

    def original_part(self, key: str, offset: int, length: int) -> bytes:
        """A part of an original, by the readers' rule for missing names; who reads a part proves
        nothing. Raises NotStored, StoreError."""
        for name in self.names_of(key):
            with suppress(NotStored):
                return self.store.read_part(name, offset, length)
        raise NotStored(f"{key} is not there")

    def sound_name(self, content: StoredBytes) -> str | None:
        """The name under which these bytes lie whole, by the readers' rule; None if nowhere."""
        return reading.sound_name(self.store, content)

    def forgotten_files(self) -> Iterator[str]:
        """The files that tell what the owner had deleted for good, ascending."""
        listed = self.store.list(keys.FORGOTTEN)
        return (each.key for each in listed if keys.parse_forgotten(keys.plain(each.key)[0]))

    def forgotten_images(self) -> frozenset[str]:
        """The images of which any such file tells. Raises StoreError."""
        found = (keys.parse_forgotten(keys.plain(key)[0]) for key in self.forgotten_files())
        return frozenset(each for each in found if each is not None)

    def forgotten(self, key: str) -> tuple[str, ...]:
        """What was deleted, by one of these. Raises NotABackup, FormatTooNew, StoreError."""
        from smugmug_backup.archive.inspection import forgotten_keys

        return forgotten_keys(self.store.read(key), key=key)

    def told_forgotten(self, image_key: str) -> frozenset[str] | None:
        """What is told to be deleted of an image; see `forgotten.told`."""
        from smugmug_backup.archive import forgotten

        return forgotten.told(self.store, image_key)

    def is_forgotten(self, key: str) -> bool:
        """Whether an original is told to be deleted. Raises as `told_forgotten`."""
        parsed = keys.parse_original(keys.plain(key)[0])
        return parsed is not None and key in (self.told_forgotten(parsed[0]) or ())

    def tell_forgotten(self, image_key: str, named: Iterable[str], *, at: datetime) -> str:
        """Write that these objects of an image are deleted for good; the key of what tells it."""
        from smugmug_backup.archive import forgotten

        return forgotten.tell(self.store, image_key, named, at=at)

    def originals_of(self, image_key: str) -> tuple[str, ...]:
        """All originals of an image, of every version, plain and numbered."""
        from smugmug_backup.archive import forgotten

        return forgotten.originals_of(self.store, image_key)

    def records_holding(
        self, album_key: str, images: Collection[str], map_: Map
    ) -> "dict[str, Holding]":
        """The records files of an album that hold a line of one of ``images``, and the rest of
        each. Raises FormatTooNew, StoreError."""
        from smugmug_backup.archive import forgotten

        return forgotten.records_holding(self.store, album_key, images, map_)

    # -- the account's albums --------------------------------------------------------------------

    def contents(
        self,
        reports: Reports,
        generations: Mapping[str, int],
        map_: Map,
        *,
        when: When,
        entries: Mapping[str, AlbumState] | None = None,
        tolerant: bool = False,
    ) -> Contents:
        """The state of every album that the reports or the manifests know.

        ``generations``: what `newest_generations` found. ``entries``: those of the reports, or
        later ones. Raises StoreError or FormatTooNew if nothing that can be read tells whose
        albums these are. ``tolerant``, for those who only look: nothing is raised, and what cannot
        be read is among the damage, too.
        """
        entries = reports.albums if entries is None else entries
        return read_contents(
            self.store,
            reports,
            generations,
            map_,
            when=when,
            entries=entries,
            tolerant=tolerant,
        )


def _failure_of(key: str, failed: Mapping[str, StoreError]) -> StoreError | None:
    """Why ``key`` cannot be said to be stored; see `Batch.barrier`."""
    for name, error in failed.items():
        folder = not name or name.endswith("/")
        if key == name or (folder and key.startswith(name)):
            return error
    return None
