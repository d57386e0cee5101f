"""What can go wrong with one process: every operation is a point, and a plan strikes some.

    points = Points()                                   # nothing fails, all is counted
    points = Points({3: Fault.ANSWER_LOST})             # the third operation
    points = Points({("create", KEY, 0): Fault.FULL})   # the first `create` of that key
    points = Points(always(Fault.REFUSED, "records/"))  # whatever is asked of these keys

Who is killed does nothing more: every later operation of any of its threads is `Killed`, too.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from smugmug_backup.errors import SourceUnavailable, StoreFull, StoreRefused, StoreUnavailable
from tests.tools.killed import Killed

SOURCE = "source."
"""With this the names of a source's operations begin; all others are a store's."""


class Fault(Enum):
    """What goes wrong with one operation."""

    REQUEST_LOST = "the request was lost"
    """Nobody heard of it."""
    ANSWER_LOST = "the answer was lost"
    """It was done; we never learn. A listing or a body breaks off after its first piece."""
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    RETRIED = "the answer was lost, and the adapter asked again"
    """It was done, and the adapter's own retry meets what it wrote itself."""
    FULL = "the disk is full"
    REFUSED = "permission denied"
    UNREADABLE = "input/output error"
    """A bad sector: the object is there, and its body does not come."""


LOST = (Fault.REQUEST_LOST, Fault.ANSWER_LOST)
_ANYWHERE = (*LOST, Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
_ONLY_AT = {
    "create": (Fault.RETRIED, Fault.FULL, Fault.REFUSED),
    "write": (Fault.FULL,),
    "commit": (Fault.RETRIED, Fault.FULL, Fault.REFUSED),
    "head": (Fault.REFUSED,),
    "read": (Fault.REFUSED, Fault.UNREADABLE),
    "open": (Fault.REFUSED, Fault.UNREADABLE),
    "list": (Fault.REFUSED,),
}
_ERRORS = {Fault.FULL: StoreFull, Fault.REFUSED: StoreRefused}

Label = tuple[str, str, int]


@dataclass(frozen=True)
class Operation:
    """The ``number``-th of a process (1, 2, 3 …), and the ``nth`` of its name and key (0, 1 …),
    by which it is found again in the next execution.

    A store's: ``create``, ``write``, ``commit``, ``head``, ``read``, ``open``, and ``list`` (once
    for each 1,000 objects, the key is the prefix).
    """

    number: int
    name: str
    key: str
    nth: int

    @property
    def label(self) -> Label:
        return self.name, self.key, self.nth


Plan = Mapping[int | Label, Fault] | Callable[[Operation], Fault | None]


def possible(name: str) -> tuple[Fault, ...]:
    """What can go wrong with an operation of that name; no other fault strikes it."""
    return _ANYWHERE + _ONLY_AT.get(name, ())


def always(fault: Fault, *prefixes: str) -> Plan:
    """Strikes all that is asked of what begins so."""
    return lambda each: fault if each.key.startswith(prefixes) else None


class Points:
    """The operations of one process.

    ``log`` has those so far, so a run without a plan enumerates all points at which it can fail;
    ``struck`` those that failed. ``tick`` is called at each: time passes, or another run comes in
    between.
    """

    def __init__(
        self, plan: Plan | None = None, *, tick: Callable[[], object] = lambda: None
    ) -> None:
        self.log: list[Operation] = []
        self.struck: list[Operation] = []
        self.dead = False
        self.tick = tick
        self._plan: Plan = {} if plan is None else plan
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def at(self, name: str, key: str) -> Iterator[Fault | None]:
        """One operation."""
        fault = self.begin(name, key)
        yield fault
        self.end(fault, name, key)

    def begin(self, name: str, key: str) -> Fault | None:
        """Raise what comes before the operation; what the doer of it has to see to itself."""
        fault = self._next(name, key)
        if fault is Fault.KILLED_BEFORE:
            self._die()
        if fault in (Fault.REQUEST_LOST, Fault.FULL, Fault.REFUSED):
            raise _error(fault, name, key)
        return fault

    def end(self, fault: Fault | None, name: str, key: str) -> None:
        """Raise what comes after it."""
        self.check_alive()
        if fault is Fault.KILLED_AFTER:
            self._die()
        if fault in (Fault.ANSWER_LOST, Fault.UNREADABLE):
            raise _error(fault, name, key)

    def check_alive(self) -> None:
        """Raise Killed if the process is gone."""
        if self.dead:
            raise Killed

    def revive(self) -> None:
        """A new process."""
        self.dead = False

    def _next(self, name: str, key: str) -> Fault | None:
        with self._lock:
            self.check_alive()
            number = len(self.log) + 1
            operation = Operation(number, name, key, self._counts[name, key])
            self._counts[name, key] += 1
            self.log.append(operation)
        self.tick()
        plan = self._plan
        fault = plan(operation) if callable(plan) else plan.get(number, plan.get(operation.label))
        if fault not in possible(name):
            return None
        self.struck.append(operation)
        return fault

    def _die(self) -> None:
        self.dead = True
        raise Killed


def _error(fault: Fault, name: str, key: str) -> Exception:
    if name.startswith(SOURCE):
        return SourceUnavailable(fault.value)
    return _ERRORS.get(fault, StoreUnavailable)(f"{key}: {fault.value}")
