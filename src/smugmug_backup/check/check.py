"""Check a store: its structure by listing it, and some of its bytes by reading them again.

Structure: run reports first, then one listing each of ``originals/``, ``manifests/``, ``albums/``
and ``records/``. The last three are merged as streams, in the order of their keys; of the originals
sixteen bytes each are held (`OriginalsIndex`). Nothing is asked one by one, but what seems to be
missing: a run may be storing it at this moment.

Of every album the newest manifest is read whole, and the headers of the one before and of one more,
another one every day; with ``all``, every generation is read whole and must find all it names.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from smugmug_backup.archive import keys, schemas
from smugmug_backup.archive.manifest import (
    FORMAT,
    VERSION,
    Entry,
    Header,
    header_of,
    known_format,
    live_count,
)
from smugmug_backup.archive.report import AlbumState, RunReport
from smugmug_backup.check.data import Reading, ReadPlan, ahead, read_again
from smugmug_backup.check.turns import OriginalsIndex, Turn, Weights, place, turn_of
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import FormatTooNew, NotABackup, NotStored, OutOfTime
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import BackupStore
from smugmug_backup.words import Amount

SOUND = "sound"
NOT_SOUND = "not_sound"
UNFINISHED = "unfinished"
"""Nothing wrong was found, but the time ended before the structure was seen whole."""

_KEPT = 1_000
"""So many problems are kept in words; all are counted."""
_RECENT_REPORTS = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, and what it means."""

    code: str
    key: str
    message: str

    def as_json(self) -> dict[str, str]:
        """For programs and log lines."""
        return asdict(self)


@dataclass(slots=True)
class CheckCounts:
    """What was seen. ``images`` are live ones, ``lines`` all of the newest manifests;
    ``originals_unused`` are named by no newest manifest (older versions, or left by a kill)."""

    albums: int = 0
    generations: int = 0
    images: int = 0
    lines: int = 0
    originals: int = 0
    original_bytes: int = 0
    originals_unused: int = 0
    archived: int = 0
    archived_bytes: int = 0
    records: int = 0
    album_records: int = 0
    reports: int = 0
    reports_read: int = 0
    strange_keys: int = 0
    objects_read: int = 0
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check ended. ``not_checked`` says in words what this check leaves open."""

    status: str
    problems: Sequence[Problem]
    problem_count: int
    counts: CheckCounts
    not_checked: Sequence[str]
    plan: ReadPlan | None

    @property
    def sound(self) -> bool:
        """Nothing is wrong, and the whole structure was seen."""
        return self.status == SOUND

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "status": self.status,
            "problem_count": self.problem_count,
            "problems": [problem.as_json() for problem in self.problems],
            "counts": asdict(self.counts),
            "not_checked": list(self.not_checked),
            "reading": None if self.plan is None else self.plan.as_json(),
        }


class CheckObserver(Protocol):
    """Hears how a check goes on."""

    def listed(self, what: str, objects: int) -> None:
        """So many objects of ``what`` were listed so far."""

    def album(self, album_key: str, albums: int) -> None:
        """The structure of one more album was seen, ``albums`` so far."""

    def reading(self, plan: ReadPlan) -> None:
        """Objects are going to be read again; called once, before the first."""

    def read(self, size: int) -> None:
        """``size`` more bytes were read again."""


@dataclass(slots=True)
class Findings:
    """Problems and counts as they come together."""

    counts: CheckCounts = field(default_factory=CheckCounts)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    not_checked: list[str] = field(default_factory=list)

    def wrong(self, code: str, key: str, message: str) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < _KEPT:
            self.problems.append(Problem(code, key, message))


def check(
    store: BackupStore,
    *,
    now: datetime,
    deadline: Deadline,
    executor: Executor,
    read_data: str | None = None,
    observer: CheckObserver | None = None,
) -> CheckResult:
    """Say whether ``store`` is sound; nothing is written.

    ``read_data``: ``5GB``, ``5%`` or ``all`` of the originals and records are read again and
    compared with their SHA-256, those first that have waited longest (`check_turns`). Raises
    BadRequest for another amount, FormatTooNew, and StoreError if the store cannot be read.
    """
    amount = None if read_data is None else Amount.parse(read_data)
    findings = Findings()
    structure = _Structure(store, now, deadline, executor, findings, observer)
    whole = structure.check(thorough=amount is not None and amount.turns == 1)
    plan = None
    if amount is not None and whole:
        plan = _read_again(structure, amount, turn_of(amount, structure.weights, now=now))
    elif amount is not None:
        findings.not_checked.append("nothing was read again: the time ended before")
    unharmed = SOUND if whole else UNFINISHED
    status = NOT_SOUND if findings.problem_count else unharmed
    return CheckResult(
        status,
        findings.problems,
        findings.problem_count,
        findings.counts,
        findings.not_checked,
        plan,
    )


def _read_again(structure: "_Structure", amount: Amount, turn: Turn) -> ReadPlan:
    findings, observer = structure.findings, structure.observer
    counts = findings.counts
    objects, size = structure.weights.of(turn)
    archived, archived_size = structure.archived.of(turn)
    listed = counts.records + counts.album_records
    listed += counts.originals if counts.originals_unused else 0
    plan = ReadPlan(
        amount=amount.text,
        turn=turn,
        budget=amount.bytes,
        objects=objects - archived,
        bytes=size - archived_size,
        archived=archived,
        archived_bytes=archived_size,
        get_requests=objects - archived + len(structure.newest),
        list_requests=-(-listed // 1000) + 2,
    )
    if observer is not None:
        observer.reading(plan)
    read_again(
        Reading(
            store=structure.store,
            plan=plan,
            newest=structure.newest,
            index=structure.index,
            deadline=structure.deadline,
            executor=structure.executor,
            wrong=findings.wrong,
            counts=counts,
            not_checked=findings.not_checked,
            progress=observer.read if observer is not None else None,
        )
    )
    return plan


class _Structure:
    """The pass that reads manifests and reports, and lists all else."""

    def __init__(
        self,
        store: BackupStore,
        now: datetime,
        deadline: Deadline,
        executor: Executor,
        findings: Findings,
        observer: CheckObserver | None,
    ) -> None:
        self.store = store
        self.deadline = deadline
        self.executor = executor
        self.findings = findings
        self.observer = observer
        self.index = OriginalsIndex()
        self.weights, self.archived = Weights(), Weights()
        self.newest: list[tuple[str, int]] = []
        self._day = now.date().toordinal()
        self._thorough = False
        self._reported: dict[str, tuple[int, str]] = {}
        self._states: dict[str, AlbumState] = {}
        self._account: str | None = None

    def check(self, *, thorough: bool) -> bool:
        """Whether all was seen before the time ended."""
        self._thorough = thorough
        try:
            self._check()
        except OutOfTime as error:
            self.findings.not_checked.append(str(error))
            return False
        return True

    def _check(self) -> None:
        # In the order opposite to that of a run's writes: what a report names was committed before
        # it, so a run that goes on meanwhile cannot make us see a lack.
        self._reports()
        self._originals()
        counts = self.findings.counts
        records = _Merged(self._weighed(keys.RECORDS, "records"))
        album_records = _Merged(self._weighed(keys.ALBUMS, "album_records"))
        for seen in ahead(self.executor, self._load, self._albums()):
            self._album(seen, records, album_records)
            if self.observer is not None:
                self.observer.album(seen.album_key, counts.albums)
            if self.deadline.passed:
                raise OutOfTime(f"the time ended after {counts.albums} albums")
        records.drain()
        album_records.drain()
        for album_key, (generation, key) in sorted(self._reported.items()):
            self.findings.wrong(
                "manifest_lost",
                keys.manifest(album_key, generation),
                f"{key} says that generation {generation} of album {album_key} was written, "
                "and it is not there: what it added is no longer known",
            )
        counts.originals_unused = counts.originals - self.index.referenced

    # -- run reports -----------------------------------------------------------------------------

    def _reports(self) -> None:
        found = [each.key for each in self._listed(keys.RUNS, "reports")]
        runs = sorted(run for key in found if (run := keys.parse_report(key)) is not None)
        self._strange(key for key in found if keys.parse_report(key) is None)
        older, recent = runs[:-_RECENT_REPORTS], runs[-_RECENT_REPORTS:]
        if older and not self._thorough:
            self.findings.not_checked.append(
                f"{len(older) - 1} older run reports (all are read with `all`)"
            )
            older = [older[self._day % len(older)]]
        self.findings.counts.reports = len(runs)
        for run in reversed([*older, *recent]):
            report = self._report(keys.report(run))
            if report is not None:
                self._note_states(report)

    def _report(self, key: str) -> RunReport | None:
        try:
            body = self.store.read(key)
            report = RunReport.from_bytes(body, key=key)
            wrong = schemas.checker("run-report")(json.loads(body))
        except NotStored:
            return None
        except NotABackup:
            wrong, report = "it is not readable", None
        self.findings.counts.reports_read += 1
        if wrong is None and report is not None and report.key != key:
            wrong = f"it says that it is of run {report.run_id}"
        if wrong is not None:
            self.findings.wrong("report_damaged", key, f"a run report that is none: {wrong}")
            return None
        return report

    def _note_states(self, report: RunReport) -> None:
        for album_key, state in report.albums.items():
            if state.generation > self._reported.get(album_key, (0, ""))[0]:
                self._reported[album_key] = (state.generation, report.key)
        if report.trusted and not self._states:
            self._states = dict(report.albums)
            self._account = report.account.nickname if report.account else None

    # -- listings --------------------------------------------------------------------------------

    def _listed(self, prefix: str, what: str) -> Iterator[StoredObject]:
        number = 0
        for number, each in enumerate(self.store.list(prefix), 1):
            if number % 1000 == 0:
                if self.observer is not None:
                    self.observer.listed(what, number)
                if self.deadline.passed:
                    raise OutOfTime(f"the time ended while {what} were listed")
            yield each
        if self.observer is not None:
            self.observer.listed(what, number)

    def _originals(self) -> None:
        counts = self.findings.counts
        for each in self._listed(keys.ORIGINALS, "originals"):
            at = place(each.key)
            self.index.add(at, each.bytes, archived=each.archived)
            self._weigh(each, at)
            counts.originals += 1
            counts.original_bytes += each.bytes
            if each.archived:
                counts.archived += 1
                counts.archived_bytes += each.bytes
        self.index.close()

    def _weighed(self, prefix: str, name: str) -> Iterator[StoredObject]:
        counts = self.findings.counts
        for each in self._listed(prefix, name.replace("_", " ")):
            self._weigh(each, place(each.key))
            setattr(counts, name, getattr(counts, name) + 1)
            yield each

    def _weigh(self, each: StoredObject, at: int) -> None:
        self.weights.add(at, each.bytes)
        if each.archived:
            self.archived.add(at, each.bytes)

    def _strange(self, found: Iterable[str]) -> None:
        for key in found:
            self.findings.counts.strange_keys += 1
            if self.findings.counts.strange_keys <= 3:
                self.findings.not_checked.append(f"{key} is no file of this format")

    def _albums(self) -> Iterator[tuple[str, list[int]]]:
        """(album key, its generations), in the order of the keys."""
        album, generations = "", list[int]()
        for each in self._listed(keys.MANIFESTS, "manifests"):
            parsed = keys.parse_manifest(each.key)
            if parsed is None:
                self._strange([each.key])
                continue
            if parsed[0] != album:
                if generations:
                    yield album, generations
                album, generations = parsed[0], []
            generations.append(parsed[1])
        if generations:
            yield album, generations

    # -- one album -------------------------------------------------------------------------------

    def _load(self, found: tuple[str, list[int]]) -> "_Seen":
        album_key, generations = found
        newest = generations[-1]
        body = self.store.read(keys.manifest(album_key, newest))
        older = generations[:-1]
        if older and not self._thorough:
            older = sorted({older[-1], older[self._day % len(older)]})
        seen = _Seen(album_key, generations, body)
        for number in older:
            key = keys.manifest(album_key, number)
            header = self._whole(key, seen) if self._thorough else self._header(key)
            seen.older.append((number, header))
        return seen

    def _whole(self, key: str, seen: "_Seen") -> Header | str:
        """The header of an older generation after all its lines were seen, or what is wrong."""
        body = self.store.read(key)
        header = _checked_header(body, key)
        if isinstance(header, str):
            return header
        if not body.endswith(b"\n"):
            return "its last line is not whole: it was cut off"
        seen.album_records.add(header.record)
        for number, line in enumerate(body.split(b"\n")[1:-1], 2):
            entry = _checked_line(line, header.album_key)
            if isinstance(entry, str):
                return f"line {number}: {entry}"
            seen.records[entry.record] = _name(entry)
            if entry.original.key is not None:
                seen.originals[entry.original.key] = _name(entry)
        return header

    def _header(self, key: str) -> Header | str:
        """The header of an older generation, or what is wrong with it."""
        head = b""
        with self.store.open(key) as chunks:
            for chunk in chunks:
                head += chunk
                if b"\n" in chunk:
                    break
        return _checked_header(head, key)

    def _album(self, seen: "_Seen", records: "_Merged", album_records: "_Merged") -> None:
        counts = self.findings.counts
        newest = seen.generations[-1]
        counts.albums += 1
        counts.generations += len(seen.generations)
        self.newest.append((seen.album_key, newest))
        if newest >= self._reported.get(seen.album_key, (0, ""))[0]:
            self._reported.pop(seen.album_key, None)
        self._gaps(seen)
        key = keys.manifest(seen.album_key, newest)
        header = _checked_header(seen.body, key)
        if isinstance(header, str):
            self._damaged(key, header)
            return
        self._cursors(seen, header, key)
        if self._account is None:
            self._account = header.account.nickname
        elif self._account.casefold() != header.account.nickname.casefold():
            self._damaged(key, f"it is of the account '{header.account.nickname}', others are not")
        entries = self._lines(seen.body, header, key)
        seen.album_records.add(header.record)
        seen.records.update((entry.record, _name(entry)) for entry in entries)
        for record in sorted(seen.album_records):
            self._need(album_records, record, "album_record_missing", "the album's record")
        for record in sorted(seen.records):
            what = f"what SmugMug says of {seen.records[record]}"
            self._need(records, record, "record_missing", what)
        for entry in entries:
            self._original(entry, key)
            seen.originals.pop(entry.original.key or "", None)
            seen.originals.pop(entry.original.previous or "", None)
        for original, name in sorted(seen.originals.items()):
            if self.index.find(place(original)) is None and self.store.head(original) is None:
                what = f"earlier bytes of {name} are not in the store: an older state lacks them"
                self.findings.wrong("original_missing", original, what)

    def _gaps(self, seen: "_Seen") -> None:
        present = set(seen.generations)
        for number in range(1, seen.generations[-1]):
            if number not in present:
                self.findings.wrong(
                    "generation_missing",
                    keys.manifest(seen.album_key, number),
                    f"generation {number} of album {seen.album_key} is not there: the newest state "
                    "is, its history has a gap",
                )

    def _cursors(self, seen: "_Seen", header: Header, key: str) -> None:
        before = 0
        for number, older in [*seen.older, (header.generation, header)]:
            if isinstance(older, str):
                self._damaged(keys.manifest(seen.album_key, number), older)
                continue
            if older.cursor < before:
                self.findings.wrong(
                    "cursor_back",
                    keys.manifest(seen.album_key, number),
                    f"its cursor {older.cursor} is before {before} of an older generation",
                )
            before = max(before, older.cursor)
        state = self._states.get(seen.album_key)
        if state and state.generation == header.generation and state.cursor < header.cursor:
            self.findings.wrong(
                "cursor_back",
                key,
                f"the newest run report has the cursor {state.cursor}, before this "
                f"manifest's {header.cursor}",
            )

    def _lines(self, body: bytes, header: Header, key: str) -> list[Entry]:
        entries: list[Entry] = []
        last = ""
        if not body.endswith(b"\n"):
            self._damaged(key, "its last line is not whole: it was cut off")
        for number, line in enumerate(body.split(b"\n")[1:], 2):
            if not line:
                continue
            entry = _checked_line(line, header.album_key)
            if isinstance(entry, str):
                self._damaged(key, f"line {number}: {entry}")
                continue
            if entry.image_key <= last:
                self._damaged(key, f"line {number}: {entry.image_key} is not in its order")
            last = entry.image_key
            entries.append(entry)
        live = live_count(entries)
        if live != header.image_count:
            self._damaged(key, f"it says {header.image_count} images, its lines are {live}")
        counts = self.findings.counts
        counts.lines += len(entries)
        counts.images += 0 if header.deleted_at else live
        return entries

    def _need(self, listing: "_Merged", key: str, code: str, what: str) -> None:
        if key not in listing and self.store.head(key) is None:
            self.findings.wrong(code, key, f"{what} is not in the store")

    def _original(self, entry: Entry, key: str) -> None:
        original = entry.original
        if original.previous is not None and self._found(original.previous) is None:
            self.findings.wrong(
                "original_missing",
                original.previous,
                f"the earlier bytes of {_name(entry)} are not in the store ({key})",
            )
        if original.key is None:
            return
        size = self._found(original.key)
        if size is None:
            self.findings.wrong(
                "original_missing",
                original.key,
                f"the bytes of {_name(entry)} are not in the store, though {key} says so; "
                "a restore will lack them",
            )
        elif size != original.bytes:
            self.findings.wrong(
                "original_size",
                original.key,
                f"{_name(entry)} has {size} bytes, {key} says {original.bytes}",
            )

    def _found(self, key: str) -> int | None:
        at = place(key)
        found = self.index.find(at)
        if found is not None:
            self.index.refer(at)
            return found.bytes
        late = self.store.head(key)
        return None if late is None else late.bytes

    def _damaged(self, key: str, wrong: str) -> None:
        self.findings.wrong("manifest_damaged", key, f"a manifest that is none: {wrong}")


@dataclass(slots=True)
class _Seen:
    """What was read of one album; of older generations, what they name (in a thorough check)."""

    album_key: str
    generations: list[int]
    body: bytes
    older: list[tuple[int, Header | str]] = field(default_factory=list)
    album_records: set[str] = field(default_factory=set)
    records: dict[str, str] = field(default_factory=dict)
    originals: dict[str, str] = field(default_factory=dict)


class _Merged:
    """A listing that is asked for keys in its own order, and never held."""

    def __init__(self, listing: Iterator[StoredObject]) -> None:
        self._listing = listing
        self._current = next(listing, None)

    def __contains__(self, key: str) -> bool:
        while self._current is not None and self._current.key < key:
            self._current = next(self._listing, None)
        return self._current is not None and self._current.key == key

    def drain(self) -> None:
        """See the rest of it."""
        for _ in self._listing:
            pass


def _checked_header(body: bytes, key: str) -> Header | str:
    try:
        data = json.loads(body.split(b"\n", 1)[0])
        known_format(data, FORMAT, VERSION, key=key)
        wrong = schemas.checker("manifest-header")(data)
        if wrong is not None:
            return f"line 1: {wrong}"
        header = header_of(body, key=key)
    except FormatTooNew:
        raise
    except (NotABackup, KeyError, TypeError, ValueError, RecursionError) as error:
        return f"line 1 is not readable ({type(error).__name__})"
    if keys.manifest(header.album_key, header.generation) != key:
        return f"line 1: it says generation {header.generation} of album {header.album_key}"
    if not header.record.startswith(f"{keys.ALBUMS}{header.album_key}/"):
        return "line 1: its record is another album's"
    return header


def _checked_line(line: bytes, album_key: str) -> Entry | str:
    try:
        data = json.loads(line)
        wrong = schemas.checker("manifest-line")(data)
        if wrong is not None:
            return wrong
        entry = Entry.from_json(data)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        return f"not readable ({type(error).__name__})"
    if entry.record != keys.image_record(album_key, entry.image_key, entry.fingerprint):
        return "record is not where its keys and fingerprint say"
    original = entry.original
    if original.key is not None:
        folder = f"{keys.ORIGINALS}{entry.image_key}/"
        name = original.key.removeprefix(folder).split(".")[0]
        if not original.key.startswith(folder):
            return "original.key is another image's"
        if not name.startswith("rev-") and name != original.md5:
            return "original.key is not named by original.md5"
    if original.verified and original.md5 != original.source_md5:
        return "original.verified, but md5 and source_md5 differ"
    return entry


def _name(entry: Entry) -> str:
    return f"{entry.file_name or 'an image without a file name'} ({entry.image_key})"
