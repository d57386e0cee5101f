"""What all the work of one run has in common; handed on whole instead of piece by piece."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import Finding
from smugmug_backup.archive.original import When
from smugmug_backup.backup.alone import Alone
from smugmug_backup.backup.dates import RunDate
from smugmug_backup.backup.forgotten import Forgotten
from smugmug_backup.backup.room import Space
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import OutOfTime
from smugmug_backup.model import Account, Album
from smugmug_backup.ports import PhotoSource

COMMIT_EVERY = 500
"""Originals between two commits on the way."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Options(NamedTuple):
    """How runs work.

    ``concurrency``: albums at a time. ``transfers``: originals at a time, fetched or being stored
    (0: as many). ``memory``: bytes of all that are on their way together.
    """

    concurrency: int = 8
    transfers: int = 0
    memory: int = 96 * 1024 * 1024
    full_listing_days: int = 30
    ignore_albums: frozenset[str] = frozenset()
    commit_every: int = COMMIT_EVERY

    @property
    def threads(self) -> int:
        """How many fetch and store."""
        return self.transfers or self.concurrency


class Listener(Protocol):
    """Hears what the work on albums does, from many threads; it never fails and never waits."""

    def received(self, size: int) -> None:
        """``size`` more bytes of originals came from the source."""

    def defect(self, album: Album, error: Exception) -> None:
        """An error that nobody raised on purpose; its text may hold secrets."""


@dataclass(frozen=True, slots=True)
class Context:
    """One run (or one worker's batch).

    ``account``: whose photos these are. ``date``: the source's clock. ``alone``: decides whether
    an error concerns the run. ``space``: how much more the store can take. ``forgotten``: images
    that the owner had deleted for good. ``full``: every album is listed whole. ``accepted``: albums
    whose shrinking the owner accepted. ``findings``: what checks found damaged and no run has
    mended yet, by album. ``transfers``: the pool that fetches and stores, not the one that works
    through albums.
    """

    source: PhotoSource
    archive: Archive
    clock: Clock
    deadline: Deadline
    options: Options
    account: Account
    run_id: str
    date: RunDate
    alone: Alone
    space: Space
    forgotten: Forgotten
    transfers: Executor
    listener: Listener | None = None
    full: bool = False
    accepted: frozenset[str] = frozenset()
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    def now(self) -> datetime | None:
        """The run's date: SmugMug's clock as it stands now; None if it is not known."""
        return self.date.now(self.clock.monotonic())

    def when(self, answered_at: datetime | None = None) -> When:
        """The instant of an answer, for what is recorded of it: its own date, else the run's.

        Where neither may decide anything, no time passes; what begins is dated all the same, by
        SmugMug's clock if there is one.
        """
        dated = self.dated(answered_at) or self.now()
        if dated is not None:
            return When(dated)
        return When(self.date.at or self.clock.now(), decides=False)

    def dated(self, answered_at: datetime | None) -> datetime | None:
        """The date of an answer, if it may decide anything."""
        return self.date.of_answer(answered_at, now=self.clock.now())

    def map(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item], /
    ) -> Iterator[_Result]:
        """``function`` of each item by the transfers' pool, in order, a few ahead.

        Raises OutOfTime once no more work may be taken.
        """

        def one(item: _Item) -> _Result:
            if self.deadline.passed:
                raise OutOfTime("no time left")
            return function(item)

        return self.ahead(one, items)

    def ahead(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item], /
    ) -> Iterator[_Result]:
        """The same, whatever the time."""
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(self.transfers.submit(function, item))
                if len(waiting) > 2 * self.options.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
