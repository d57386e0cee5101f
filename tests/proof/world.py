"""A fake account, a store and a clock together: nights pass, processes die, and we look."""

import copy
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.overflow import PlannedBatch
from smugmug_backup.backup.run import Backup, Options, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError
from smugmug_backup.model import Availability, Image, Offer
from smugmug_backup.ports import BackupStore
from tests.tools.clock import FakeClock
from tests.tools.fake_overflow import FakeOverflow
from tests.tools.fake_source import FakeImage, FakeSource
from tests.tools.faults import Plan, Points
from tests.tools.faulty_source import FaultySource
from tests.tools.faulty_store import FaultyStore
from tests.tools.invariants import History, violations
from tests.tools.killed import Killed
from tests.tools.memory_store import MemoryStore


class Inline(Executor):
    """Runs what is submitted at once, in the calling thread: the same order every time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class InlineBackup(Backup):
    """A backup of one thread."""

    @contextmanager
    def _pools(self) -> Iterator[tuple[Executor, Executor]]:
        yield Inline(), Inline()


class _PointOverflow:
    def __init__(self, inner: FakeOverflow, points: Points) -> None:
        self._inner, self._points = inner, points

    def start(self, run_id: str) -> None:
        with self._points.at("overflow.start", run_id):
            self._inner.start(run_id)

    def recent(self) -> tuple[tuple[str, bool], ...]:
        with self._points.at("overflow.recent", ""):
            return self._inner.recent()


@dataclass(frozen=True)
class Limits:
    """How a world's runs work; ``ticks``: operations until the deadline, None for no deadline."""

    ticks: int | None = None
    reserve: int = 3
    overflow: bool = False
    commit_every: int = 500
    threads: int | None = None
    full_listing_days: int = 30
    ignore: frozenset[str] = frozenset()


class MachineClock:
    """The clock of the machine that backs up: the source's, put forward or back."""

    def __init__(self, true: FakeClock) -> None:
        self._true = true
        self.skew = timedelta()

    def now(self) -> datetime:
        return self._true.now() + self.skew

    def monotonic(self) -> float:
        return self._true.monotonic()

    def sleep(self, seconds: float) -> None:
        self._true.sleep(seconds)


@dataclass
class World:
    """One account and its backup."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: BackupStore = field(default_factory=MemoryStore)
    limits: Limits = field(default_factory=Limits)
    source: FakeSource = field(init=False)
    overflow: FakeOverflow = field(default_factory=FakeOverflow)
    history: History = field(default_factory=History)
    tokens: int = 0
    hurt: set[str] = field(default_factory=set)
    """Keys that were damaged, or brought: of these the reader may say what it likes."""

    def __post_init__(self) -> None:
        self.source = FakeSource(self.clock)
        self.machine = MachineClock(self.clock)

    # -- executions ------------------------------------------------------------------------------

    def backup(self, points: Points, limits: Limits | None = None) -> Backup:
        """One process's backup."""
        limits = limits or self.limits
        return (InlineBackup if limits.threads is None else Backup)(
            source=FaultySource(self.source, points),
            store=FaultyStore(self.store, points),
            clock=self.machine,
            token=self.token,
            options=Options(
                concurrency=limits.threads or 1,
                commit_every=limits.commit_every,
                full_listing_days=limits.full_listing_days,
                ignore_albums=limits.ignore,
            ),
            overflow=_PointOverflow(self.overflow, points) if limits.overflow else None,
        )

    def token(self) -> str:
        self.tokens += 1
        return f"{self.tokens:08x}"

    def deadline(self, limits: Limits) -> Deadline:
        if limits.ticks is None:
            return Deadline.none(self.machine)
        return Deadline.after(self.machine, limits.ticks, reserve=limits.reserve)

    def points(self, plan: Plan | None = None) -> Points:
        return Points(plan, tick=lambda: self.clock.advance(seconds=1))

    def run(
        self,
        points: Points | None = None,
        *,
        trigger: str | None = None,
        limits: Limits | None = None,
        **request: Any,
    ) -> RunReport | None:
        """One run and, if it has one, its overflow to the end. None if it ended without a report:
        it was killed, or the store or the source failed it."""
        points, limits = points or self.points(), limits or self.limits
        report = self._run(points, limits, RunRequest(trigger=trigger, **request))
        if limits.overflow and self.overflow.going:
            for run in sorted(self.overflow.going):
                report = self.execute(run, points, limits) or report
        return report

    def _run(self, points: Points, limits: Limits, request: RunRequest) -> RunReport | None:
        try:
            answer = self.backup(points, limits).run(request, deadline=self.deadline(limits))
        except (Killed, BackupError):
            points.revive()
            return None
        assert isinstance(answer, RunReport)
        return answer

    def execute(self, run: str, points: Points, limits: Limits) -> RunReport | None:
        """What the state machine does: each line until it makes no more progress, then finish."""
        for line in self.store.read(keys.plan(run)).splitlines():
            planned = PlannedBatch.from_json(json.loads(line))
            for _ in range(100):
                again = self._try(
                    points,
                    lambda planned=planned: self.backup(points, limits).work(
                        run, planned, deadline=self.deadline(limits)
                    ),
                )
                if not again:
                    break
        report: RunReport | None = self._try(
            points,
            lambda: self.backup(points, limits).finish(run, deadline=self.deadline(limits)),
        )
        self.overflow.going.discard(run)
        return report

    def _try(self, points: Points, task: Callable[[], Any]) -> Any:
        for _ in range(3):
            try:
                return task()
            except (Killed, BackupError):
                points.revive()
        return None

    # -- looks -----------------------------------------------------------------------------------

    def look(self, *, exact: bool = False) -> None:
        """Fail with all broken promises."""
        found = violations(
            self.store,
            self.source,
            history=self.history,
            exact=exact,
            now=self.clock.now(),
            accepted=self.hurt,
        )
        if any(key.startswith("runs/") for key in self.hurt):
            # It may have stated another SHA-256 of a manifest: then that one is what is damaged.
            found = [each for each in found if "passes over a sound generation" not in each]
        assert not found, "\n" + "\n".join(found)

    def fork(self) -> "World":
        """An independent copy, to try one more future from here. For stores in memory."""
        twin = World(_copied_clock(self.clock), limits=self.limits, tokens=self.tokens)
        twin.source = _copied_source(self.source, twin.clock)
        store = MemoryStore()
        store.objects.update(self.store.objects)  # type: ignore[attr-defined]
        twin.store = store
        twin.overflow.runs = list(self.overflow.runs)
        twin.overflow.going = set(self.overflow.going)
        twin.history = self.history.fork()
        twin.hurt = set(self.hurt)
        return twin


class AsksForVideos(FakeSource):
    """Tells of a video's bytes only when asked, as API v2 does."""

    def _offer(self, image: FakeImage, raw: dict[str, Any]) -> Offer:
        offer = super()._offer(image, raw)
        if image.video is None:
            return offer
        return replace(offer, availability=Availability.LOOKUP, md5=None, url=None)

    def resolve(self, album: Any, image: Image, *, deadline: Deadline) -> Offer:
        self._call(f"resolve:{image.key}")
        return super()._offer(
            self.find(image.key), {**image.data, "MD5Sum": self.find(image.key).md5}
        )


def _copied_clock(clock: FakeClock) -> FakeClock:
    twin = FakeClock(clock.now())
    twin.elapsed = clock.elapsed
    return twin


def _copied_source(source: FakeSource, clock: FakeClock) -> FakeSource:
    twin = type(source)(clock, source.nickname, source.access)
    twin.world = copy.deepcopy(source.world)
    twin.errors, twin.bodies = dict(source.errors), dict(source.bodies)
    twin.zone, twin.inclusive = source.zone, source.inclusive
    twin._next = source._next
    return twin
