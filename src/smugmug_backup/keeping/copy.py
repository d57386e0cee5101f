"""`copy`: the whole of one store into another place, where it is a sound store at every moment.

What is read, backwards (`archive/stated.py`): reports, manifests, what tells of forgotten images,
and then what these name. So all that is named was there before it was looked for, and a run that
goes on meanwhile does no harm: what it adds comes with the next copy.

What is written, forwards, each step only when the one before is done:

1. README.txt, originals, records, what tells of forgotten images;
2. manifests, each album's from the oldest;
3. reports, each after those that it names.

So a copy that is killed at any point is a store as a run leaves it that was killed there, and the
same command goes on. Nothing is overwritten; each file is verified by its SHA-256 while it passes,
or where S3 copies it by itself (`ports.Way`), by the SHA-256 that S3 states of what it wrote.

=========================  =======================================================================
in the source              then
=========================  =======================================================================
a file has other bytes     it is left out and named; all the rest is copied, the manifests that
than stated, under every   name it, too, and the target's own check names it
name, or is not there
a file cannot be read      it is named, and what names it waits for the next copy: its album's
tonight                    manifests from there on, and the reports that name these. ``leave_out``:
                           it is left out like a damaged one
a file lies in an archive  the same, and it is told beforehand: a copy says of nothing that it is
class                      there before it is, but with ``leave_out``
nothing names a file       it is no part of the backup
=========================  =======================================================================
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from smugmug_backup.archive import keys, transfer
from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.report import Link
from smugmug_backup.archive.stated import Generation, Inventory, Stated, names_any, take_stock
from smugmug_backup.archive.transfer import FOLDERS, Unread, bring, what_is_archived, what_lies
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    Archived,
    BackupError,
    Concerns,
    NotABackup,
    StoreError,
    StoreFull,
)
from smugmug_backup.keeping.parting import check_same_history
from smugmug_backup.ports import Way


class Observer(Protocol):
    """Is told how far it is; from any thread."""

    def passed(self, size: int) -> None:
        """So many bytes more have passed."""

    def file_done(self, problem: str | None) -> None:
        """A file is there now, or is not: why."""

    def way_closed(self, why: str) -> None:
        """Nothing more comes by the `Way`; all bytes pass from now on."""


class Silent:
    """An `Observer` that says nothing."""

    def passed(self, size: int) -> None:
        """Nothing."""

    def file_done(self, problem: str | None) -> None:
        """Nothing."""

    def way_closed(self, why: str) -> None:
        """Nothing."""


@dataclass(slots=True)
class Plan:
    """What is to be copied. ``wanted``: of step 1, in order; ``pages``: those that are to be
    made; ``present``: how many files are there already; ``forgotten_there``: what its
    owner had deleted, and the copy still has; ``archived``: what has to be thawed before it can be
    read, by key, and its length."""

    stock: Inventory
    wanted: list[Stated]
    manifests: list[tuple[str, list[int]]]
    reports: list[str]
    pages: frozenset[str]
    present: int
    forgotten_there: tuple[str, ...]
    archived: dict[str, int] = field(default_factory=dict)

    @property
    def files(self) -> int:
        """How many."""
        return len(self.wanted) + sum(len(each) for _, each in self.manifests) + len(self.reports)

    @property
    def bytes(self) -> int:
        """Of all of which the length is known beforehand: records are not."""
        stock = self.stock
        return (
            sum(each.bytes or 0 for each in self.wanted)
            + sum(
                stock.manifests[key, number].bytes or 0
                for key, numbers in self.manifests
                for number in numbers
            )
            + sum(stock.reports[run].file.bytes or 0 for run in self.reports)
        )

    @property
    def large(self) -> list[int]:
        """The lengths of those that do not go with one request."""
        sizes = (each.bytes or 0 for each in self.wanted)
        return [each for each in sizes if each > transfer.IN_MEMORY]


@dataclass(slots=True)
class Copied:
    """What was done. ``left_out``: damaged files that no sound name has, and why; ``waiting``: what
    could not be read, and what waits for it; ``by_way``: how many of the files came by the `Way`,
    and ``way_closed`` why no more did; ``seal``: the heads of what was copied."""

    files: int = 0
    bytes: int = 0
    present: int = 0
    renamed: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    by_way: int = 0
    way_closed: str | None = None
    seal: tuple[Link, ...] = ()
    stopped: bool = False
    error: BackupError | None = None

    @property
    def whole(self) -> bool:
        """All that the source has is there."""
        return not (self.left_out or self.waiting or self.stopped or self.error)


def plan(stock: Inventory, target: Archive) -> Plan:
    """What ``target`` lacks of ``stock``; nothing is written. Raises StoreError."""
    there = what_lies(target.store, FOLDERS)
    counts = Counter(key for key, _ in stock.originals)
    doubtful = frozenset(key for key, count in counts.items() if count > 1)
    first = [*stock.readmes, *stock.originals.values(), *stock.records.values(), *stock.forgotten]
    wanted = []
    for each in first:
        doubt = each.key in doubtful or each in stock.readmes or there.is_taken(each)
        if not (_lies_sound(target, each) if doubt else there.has(each)):
            wanted.append(each)
    by_album: dict[str, list[int]] = {}
    for key, number in sorted(stock.manifests):
        if not there.has(stock.manifests[key, number]):
            by_album.setdefault(key, []).append(number)
    reports = [run for run in stock.in_order() if not there.has(stock.reports[run].file)]
    lacking = len(wanted) + sum(map(len, by_album.values())) + len(reports)
    return Plan(
        stock,
        wanted,
        sorted(by_album.items()),
        reports,
        frozenset(stock.pages - there.pages),
        present=len(first) + len(stock.manifests) + len(stock.reports) - lacking,
        forgotten_there=tuple(sorted(stock.gone & there.sizes.keys())),
    )


def _lies_sound(target: Archive, stated: Stated) -> bool:
    with suppress(StoreError):
        return transfer.lies_sound(target.store, stated)
    return False


class Copier:
    """Carries out a `Plan`."""

    def __init__(
        self,
        source: Archive,
        target: Archive,
        planned: Plan,
        *,
        deadline: Deadline,
        map_: Map,
        leave_out: bool = False,
        way: Way | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._plan = planned
        self._deadline = deadline
        self._map = map_
        self._leave_out = leave_out
        self._way = way
        self._observer = observer or Silent()
        self._done = Copied(present=planned.present)
        self._held: set[Generation] = set()
        self._lock = Lock()
        self._error: BackupError | None = None

    def copy(self) -> Copied:
        """Do it; what stops it is in the answer."""
        stock, done = self._plan.stock, self._done
        done.left_out |= stock.damaged
        apart = done.left_out if self._leave_out else done.waiting
        apart |= dict.fromkeys(self._plan.archived, ARCHIVED) | stock.unread
        try:
            self._files(self._plan.wanted)
            self._manifests()
            self._reports()
            done.seal = tuple(
                link
                for link in stock.heads
                if stock.reports[link.run_id].file.key not in done.waiting
                and stock.reports[link.run_id].file.key not in done.left_out
            )
        except _Stopped:
            # Threads end in any order: what ended all counts, not what ended because of it.
            done.error, done.stopped = self._error, self._error is None
        except BackupError as error:
            done.error = self._error or error
        if self._way is not None:
            done.by_way = self._way.copied
        return done

    # -- step 1 ----------------------------------------------------------------------------------

    def _files(self, wanted: Sequence[Stated]) -> None:
        # README.txt first, one after the other: the older text has the lower number.
        readmes = [each for each in wanted if each in self._plan.stock.readmes]
        rest = [each for each in wanted if each not in readmes] if readmes else list(wanted)
        tellings = {each.key for each in self._plan.stock.forgotten}
        self._all(readmes, map)
        self._all([each for each in rest if each.key not in tellings], self._map)
        self._all([each for each in rest if each.key in tellings], self._map)

    def _all(self, wanted: Sequence[Stated], map_: Map) -> None:
        again = self._try(wanted, map_, last=False)
        self._try(again, map_, last=True)

    def _try(self, wanted: Sequence[Stated], map_: Map, *, last: bool) -> list[Stated]:
        """Bring these; those that might come the next time, unless this was the ``last``."""
        again = []
        for each, error in map_(self._one, wanted):
            if error is None:
                continue
            if isinstance(error, NotABackup):
                if not self._gone_meanwhile(each.key):
                    self._left_out(each.key, str(error))
            elif not last and not _archived(error):
                again.append(each)
            elif self._leave_out and isinstance(error, Unread):
                self._left_out(each.key, str(error))
            else:
                self._waits(each.key, str(error))
        return again

    def _gone_meanwhile(self, key: str) -> bool:
        """Whether the owner of the source has just had it deleted."""
        try:
            return self._source.is_forgotten(key)
        except BackupError:
            return False

    def _one(self, stated: Stated) -> tuple[Stated, BackupError | None]:
        """Bring it, if it does not end all. Raises _Stopped, and what ends all."""
        if self._deadline.passed or self._error is not None:
            raise _Stopped
        try:
            self._bring(stated)
        except NotABackup as error:
            return stated, error
        except StoreError as error:
            if self._deadline.passed:
                raise _Stopped from None
            if not _archived(error):
                self._probe(error)
            return stated, error
        return stated, None

    def _bring(self, stated: Stated) -> None:
        source, target, way = self._source.store, self._target.store, self._way
        name = bring(source, target, stated, self._passed, way=way)
        closed = None
        with self._lock:
            if way is not None and self._done.way_closed is None:
                closed = self._done.way_closed = way.closed
            self._done.files += 1
            self._done.bytes += stated.bytes or 0
            if name != stated.key:
                self._done.renamed[stated.key] = name
        if closed is not None:
            self._observer.way_closed(closed)
        self._observer.file_done(None)

    def _passed(self, size: int) -> None:
        if self._deadline.over:
            raise _Stopped
        self._observer.passed(size)

    def _probe(self, error: StoreError) -> None:
        """Raise if it is not one file that fails, but a whole store."""
        try:
            if isinstance(error, StoreFull):
                raise error
            if not isinstance(error, Unread) and error.concerns in _WHOLE:
                raise error
            self._source.look()
            self._target.has_originals()
        except StoreError as whole:
            self._error = self._error or whole
            raise

    def _left_out(self, key: str, why: str) -> None:
        self._done.left_out[key] = why
        self._observer.file_done(why)

    def _waits(self, key: str, why: str) -> None:
        self._done.waiting[key] = why
        self._observer.file_done(why)

    # -- step 2 ----------------------------------------------------------------------------------

    def _manifests(self) -> None:
        lost = frozenset(self._done.waiting)
        self._held.update(found for key in lost if (found := keys.parse_manifest(key)) is not None)

        def one(item: tuple[str, list[int]]) -> None:
            self._album(item[0], item[1], lost)

        for _ in self._map(one, self._plan.manifests):
            pass

    def _album(self, key: str, numbers: list[int], lost: frozenset[str]) -> None:
        """Each generation in its order; what comes after one that waits, waits."""
        unread = {number for album, number in tuple(self._held) if album == key} if lost else set()
        waits = ""
        for number in numbers:
            file = self._plan.stock.manifests[key, number]
            if not waits and any(each < number for each in unread):
                waits = "an older version of the album did not come"
            if not waits and lost and self._names(key, number, lost):
                waits = "it names what did not come"
            if not waits:
                error = self._one(file)[1]
                if isinstance(error, NotABackup):
                    self._left_out(file.key, str(error))
                    continue
                waits = str(error) if error else ""
            if waits:
                self._held.add((key, number))
                self._waits(file.key, waits)

    def _names(self, key: str, number: int, lost: frozenset[str]) -> bool:
        sha256 = self._plan.stock.manifests[key, number].sha256
        try:
            return names_any(self._source.manifest(key, number, sha256), lost)
        except (NotABackup, StoreError):
            return False  # Then it does not come either, and says why.

    # -- step 3 ----------------------------------------------------------------------------------

    def _reports(self) -> None:
        stock = self._plan.stock
        waiting = {run for key in self._done.waiting if (run := keys.parse_report(key)) is not None}
        for run in stock.in_order():
            report = stock.reports[run]
            if any(link.run_id in waiting for link in report.previous) or any(
                each in self._held for each in report.names
            ):
                waiting.add(run)
                if run in self._plan.reports:
                    self._waits(report.file.key, "it names what did not come")
                continue
            error = self._one(report.file)[1] if run in self._plan.reports else None
            if isinstance(error, NotABackup):
                self._left_out(report.file.key, str(error))
            elif error is not None:
                waiting.add(run)
                self._waits(report.file.key, str(error))
            elif run in self._plan.pages:
                self._page(run)

    def _page(self, run: str) -> None:
        """The same for people: made anew, for nothing states what the page is."""
        file = self._plan.stock.reports[run].file
        try:
            # Under its plain name may lie what is damaged: it came from where its hash led.
            self._target.write_page(self._source.inspect_report(run, file.sha256))
        except AlreadyStored:
            return  # Made by another version of this program, just now.
        except (NotABackup, StoreError) as error:
            self._waits(f"{file.key} (its page)", str(error))


def _archived(error: BackupError) -> bool:
    """Whether it says so of itself: asking again, or anybody else, is in vain."""
    return isinstance(error, Unread) and isinstance(error.error, Archived)


ARCHIVED = "it lies in an archive class and must be thawed first"

_WHOLE = (Concerns.BUCKET, Concerns.CREDENTIALS, Concerns.REGION)


class _Stopped(Exception):
    """Nothing more is to be begun."""


def look(source: Archive, target: Archive, *, map_: Map, thaws: bool = False) -> Plan:
    """What is to be copied; nothing is written. ``thaws``: the source may have things in an archive
    class, which are looked for. Raises BadRequest if ``target`` belongs to another
    account, or has a history of its own; FormatTooNew, StoreError."""
    stock = take_stock(source.store, map_)
    check_same_history(stock, target)
    planned = plan(stock, target)
    if thaws:
        asked = {*(each.key for each in planned.wanted), *stock.unread}
        planned.archived = what_is_archived(source.store, asked, map_)
        planned.wanted = [each for each in planned.wanted if each.key not in planned.archived]
    return planned
