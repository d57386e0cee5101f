"""The large account: more work than one invocation has time for."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from smugmug_backup.archive import keys
from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.overflow import PlannedBatch
from smugmug_backup.backup.run import Backup, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import SystemClock, build_source, new_token, options_of
from tests.bench.figures import Measure
from tests.bench.services import SmugMug, smugmug
from tests.bench.sizes import Sizes
from tests.tools.memory_store import MemoryStore

CHILDREN = 5
SECONDS, RESERVE = 6.0, 2.0


class Machine:
    """`Overflow` that remembers what it was asked to start; the row plays the state machine."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.going = True

    def start(self, run_id: str) -> None:
        self.started.append(run_id)

    def recent(self) -> tuple[tuple[str, bool], ...]:
        return tuple((run, self.going) for run in reversed(self.started))


def row(sizes: Sizes) -> Iterator[Measure]:
    """Plan, batches, finish, each with a short deadline of its own."""
    albums, images = sizes.overflow_albums, sizes.overflow_images
    with smugmug(albums=albums, images=images) as served:
        served.slow(api=0.1 * sizes.slow, photo=0.05 * sizes.slow)
        store, machine, clock = MemoryStore(), Machine(), SystemClock()

        def invocation(share: int = 1) -> tuple[Backup, Deadline]:
            backup = backup_of(served, store, machine, clock, share=share)
            return backup, Deadline.after(clock, SECONDS, reserve=RESERVE)

        began = monotonic()
        backup, deadline = invocation()
        first = backup.run(RunRequest(), deadline=deadline)
        assert isinstance(first, RunReport)
        assert first.status == "continuing" and machine.started == [first.run_id], first
        planned_in = monotonic() - began
        plan = store.read(keys.plan(first.run_id)).splitlines()

        def child(line: bytes) -> int:
            planned = PlannedBatch.from_json(json.loads(line))
            turns, progress = 0, True
            while progress:
                backup, deadline = invocation(share=CHILDREN)
                progress = backup.work(first.run_id, planned, deadline=deadline)
                turns += 1
            return turns

        with ThreadPoolExecutor(CHILDREN) as children:
            turns = sum(children.map(child, plan))
        machine.going = False
        worked_in = monotonic() - began - planned_in
        backup, deadline = invocation()
        last = backup.finish(first.run_id, deadline=deadline)
        finished_in = monotonic() - began - planned_in - worked_in
        wanted = albums * images
        stored = first.counts.originals_stored + last.counts.originals_stored
        note = (
            f"{SECONDS:.0f} s each; {first.counts.originals_stored} in the first run of "
            f"{planned_in:.1f} s, children {worked_in:.1f} s, finish {finished_in:.1f} s"
        )
        what = f"{albums} × {images} images: originals stored"
        yield Measure("overflow", what, stored, "", wanted, exact=True, note=note)
        note = f"{len(plan)} lines of the plan in {turns} turns of {CHILDREN} children"
        again = served.calls()["photos"]
        yield Measure("overflow", "downloads", again, "", wanted, exact=True, note=note)
        complete = int(last.status == "complete" and last.counts.images == wanted)
        yield Measure("overflow", "complete at the end", complete, "", 1, exact=True)


def backup_of(
    served: SmugMug, store: MemoryStore, machine: Machine, clock: SystemClock, *, share: int
) -> Backup:
    """A fresh invocation's backup."""
    settings = SourceSettings(
        secret=SecretName("file", "unused"),
        nickname=served.nickname,
        api_url=served.url,
        photo_hosts=("127.0.0.1",),
        max_concurrency=2,
    )
    credentials = Credentials.from_json(json.dumps(served.secret))
    return Backup(
        source=build_source(settings, credentials, clock, share=share),
        store=store,
        clock=clock,
        token=new_token,
        options=options_of(settings),
        overflow=machine,
    )
