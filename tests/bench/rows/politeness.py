"""Politeness, by the local SmugMug's own counters."""

import tempfile
from collections.abc import Iterator

from tests.bench.figures import Measure
from tests.bench.services import smugmug
from tests.bench.sizes import Sizes
from tests.bench.worker import work

CEILING = 20.0


def row(sizes: Sizes) -> Iterator[Measure]:
    """At once, per second, and while SmugMug asks for quiet."""
    with smugmug(albums=60, images=3) as served, tempfile.TemporaryDirectory() as folder:
        served.slow(api=0.1 * sizes.slow, photo=0.05 * sizes.slow)
        # The ceiling is off here, or the concurrency would never be reached.
        done = work(served, {"kind": "folder", "path": folder}, concurrency=4)
        assert done.said["status"] == "complete", done.said
        peak = served.calls()["peak"]
        yield Measure("politeness", "API calls at once", peak["api"], "", 4)
        # They find their own number, and never more than twice as many as calls.
        yield Measure("politeness", "downloads at once", peak["photo"], "", 8)
        served.forget()
        done = work(
            served,
            {"kind": "folder", "path": folder},
            concurrency=sizes.concurrency,
            calls_per_second=CEILING,
        )
        assert done.said["status"] == "complete", done.said
        counted = served.calls()
        note = "counted where they arrive"
        what = f"calls in the busiest second, ceiling {CEILING:.0f}"
        yield Measure("politeness", what, counted["per_second"]["api"], "", CEILING, note=note)
        # Without latency, or what is under way when SmugMug complains would count as a breach.
        served.slow(api=0, photo=0)
        served.forget()
        for after in (10, 30):
            served.change(
                "faults", kind="status", status=429, method="images", after=after, retry_after=2
            )
        done = work(
            served,
            {"kind": "folder", "path": folder},
            concurrency=sizes.concurrency,
            calls_per_second=CEILING,
        )
        assert done.said["status"] == "complete", done.said
        counted = served.calls()
        note = f"{counted['by_status'].get('429', 0)} answers said so, for 2 s each"
        quiet = counted["during_retry_after"]
        yield Measure(
            "politeness", "calls during a Retry-After", quiet, "", 0, exact=True, note=note
        )
