"""What all passes of a check share, and reading ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from smugmug_backup.archive.archive import Archive
from smugmug_backup.check.ledger import Ledger
from smugmug_backup.check.listings import Listings
from smugmug_backup.check.turns import OriginalsIndex, Turn, Weights
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError, Concerns, OutOfTime, StoreError
from smugmug_backup.words import Amount

AT_A_TIME = 8
_ENOUGH_FAILURES = 10
"""So many objects in a row that cannot be read mean that the store is away, or not ours."""


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
    reports: int = 0
    reports_read: int = 0
    manifests_read: int = 0
    objects_read: int = 0
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What is going to be read: the ceiling of what today's turn holds, and of its requests."""

    amount: str
    turn: Turn
    budget: int | None
    objects: int
    bytes: int
    archived: int
    archived_bytes: int
    get_requests: int
    list_requests: int

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "amount": self.amount,
            "turn": self.turn.number + 1,
            "turns": self.turn.turns,
            "objects": self.objects,
            "bytes": self.bytes,
            "archived": self.archived,
            "archived_bytes": self.archived_bytes,
            "get_requests": self.get_requests,
            "list_requests": self.list_requests,
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
class Work:
    """One check: what it has, and what it found by now.

    ``newest``: each album's sound newest generation, and all of its generations that are listed.
    ``forgotten``: keys that the owner had deleted, ``forgotten_images`` whose they were. ``whole``:
    all was seen of the structure.
    """

    archive: Archive
    now: datetime
    deadline: Deadline
    executor: Executor
    observer: CheckObserver | None
    ledger: Ledger
    listings: Listings
    amount: Amount | None
    history: bool
    counts: CheckCounts
    index: OriginalsIndex
    weights: Weights
    archived: Weights
    newest: list[tuple[str, int, tuple[int, ...]]]
    forgotten: frozenset[str] = frozenset()
    forgotten_images: frozenset[str] = frozenset()

    @property
    def day(self) -> int:
        """The day of the check: what rotates, rotates by it."""
        return self.now.date().toordinal()


class Patience:
    """Tells an object that cannot be read from a store that is away.

    A failure that speaks of one object alone never counts; of any other, ten in a row are one.
    """

    def __init__(self) -> None:
        self._failures = 0

    def good(self) -> None:
        """Something was read."""
        self._failures = 0

    def bad(self, error: BackupError) -> None:
        """Something could not be read. Raises the error if it is enough."""
        if isinstance(error, StoreError) and error.concerns is not Concerns.OBJECT:
            self._failures += 1
            if self._failures >= _ENOUGH_FAILURES:
                raise error


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def ahead(
    executor: Executor, load: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[_Result]:
    """Like map, in order, but only a few results are held."""
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(load, item))
            if len(waiting) > AT_A_TIME:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def in_time(deadline: Deadline, said: str) -> None:
    """Raises OutOfTime if no new work may be taken."""
    if deadline.passed:
        raise OutOfTime(said)
