"""What a row has to tell, and whether its goal is met: arithmetic only.

A goal is met, missed, or not judged:

=========================  ==========================  =====================
what                       the machine                 verdict
=========================  ==========================  =====================
no goal                    any                         (none)
a peer that is not there   any                         not measured
a ratio or a count         any                         ok, or missed
seconds, milliseconds      as fast before as after     ok, or missed, scaled
MiB, ÷ a fixed time        as fast before as after     ok, or missed
all of these               not as fast after as before too busy to judge
=========================  ==========================  =====================

Only *missed* makes the benchmark fail. "As fast": a fixed piece of Python took, before the row
and after it, times that differ by no more than a fifth. *Scaled*: the goal holds on a machine that
needs `REFERENCE` seconds for that piece; one that needs twice as long may take twice as long.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

REFERENCE = 0.0390
"""Seconds that `yardstick` takes on the machine of the goals: 2 cores of an AMD EPYC, Python 3.13,
nothing else running."""
TOLERANCE = 1.2


class Kind(Enum):
    """What a goal depends on."""

    RATIO = "ratio"
    """Of two figures of the same run, or a count."""
    QUIET = "quiet"
    """On a quiet machine, however fast it is: MiB, and times that are mostly latency."""
    SCALED = "scaled"
    """On a quiet machine, and on how fast it is: seconds and milliseconds."""


class Verdict(Enum):
    """What became of a goal."""

    NONE = ""
    OK = "ok"
    MISSED = "missed"
    BUSY = "too busy to judge"
    ABSENT = "not measured"


@dataclass(frozen=True, slots=True)
class Machine:
    """The yardstick's seconds before a row and after it."""

    before: float = REFERENCE
    after: float = REFERENCE

    @property
    def busy(self) -> bool:
        """Whether something else was going on during one of the two."""
        return max(self.before, self.after) > TOLERANCE * min(self.before, self.after)

    @property
    def factor(self) -> float:
        """So many times as long as the machine of the goals this one takes."""
        return (self.before + self.after) / 2 / REFERENCE


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. ``limit`` None: there is no goal. ``value`` None: a peer is absent.

    ``parts`` are the figures behind it, by their names; the plots are drawn from them.
    """

    row: str
    what: str
    value: float | None
    unit: str = ""
    limit: float | None = None
    exact: bool = False
    kind: Kind = Kind.RATIO
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    machine: Machine = Machine()

    @property
    def goal(self) -> float | None:
        """The limit, for this machine."""
        if self.limit is None or self.kind is not Kind.SCALED:
            return self.limit
        return self.limit * self.machine.factor

    @property
    def verdict(self) -> Verdict:
        """See the module's table."""
        if self.value is None:
            return Verdict.ABSENT
        if self.goal is None:
            return Verdict.NONE
        if self.kind is not Kind.RATIO and self.machine.busy:
            return Verdict.BUSY
        # What is printed is what is judged: 0.604 is shown as 0.60, and is no miss of 0.60.
        value = self.value if self.exact else round(self.value, 3)
        met = value == self.goal if self.exact else value <= self.goal
        return Verdict.OK if met else Verdict.MISSED

    @property
    def target(self) -> str:
        """The goal as the table shows it."""
        if self.goal is None or self.limit is None:
            return ""
        text = f"{'=' if self.exact else '≤'} {number(self.goal)}"
        return text if self.goal == self.limit else f"{text} ({number(self.limit)})"

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        told = asdict(self)
        return {**told, "kind": self.kind.value, "goal": self.goal, "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of one side. ``seconds`` without the start of the process where that can be told."""

    seconds: float
    cpu: float = 0.0
    whole: float = 0.0
    """Seconds of the whole process."""
    peak_mib: float = 0.0
    servers: float = 0.0
    """CPU seconds that what it talked to took meanwhile."""
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Least:
    """Of several runs of one side the least of each figure: what others do only adds."""

    seconds: float
    cpu: float
    whole: float
    servers: float
    peak_mib: float
    """The greatest."""
    runs: tuple[float, ...]
    said: Mapping[str, Any]


def least(runs: Iterable[Ran]) -> Least:
    """The least of each."""
    found = list(runs)
    return Least(
        seconds=min(each.seconds for each in found),
        cpu=min(each.cpu for each in found),
        whole=min(each.whole for each in found),
        servers=min(each.servers for each in found),
        peak_mib=max(each.peak_mib for each in found),
        runs=tuple(each.seconds for each in found),
        said=min(found, key=lambda each: each.seconds).said,
    )


def interleaved(times: int, sides: Mapping[str, Callable[[], Ran]]) -> dict[str, Least]:
    """Each side so often, in turns, every second turn backwards: a busy minute hits all alike."""
    runs: dict[str, list[Ran]] = {name: [] for name in sides}
    for turn in range(times):
        names = list(sides) if turn % 2 == 0 else list(reversed(sides))
        for name in names:
            runs[name].append(sides[name]())
    return {name: least(found) for name, found in runs.items()}


def yardstick() -> float:
    """Seconds of a fixed piece of Python, the least of many: calls, dicts, strings, hashing."""
    return min(_once() for _ in range(15))


def _once() -> float:
    began = time.perf_counter()
    total = 0
    for turn in range(12_000):
        fields = {"key": f"i-{turn:07d}", "size": turn * 17, "md5": "0" * 32}
        text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
        total += hash(text) & 1 | len(text.partition("=")[2].split("&"))
    assert total
    return time.perf_counter() - began


def number(value: float) -> str:
    """A number as the table shows it."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.2f}"
