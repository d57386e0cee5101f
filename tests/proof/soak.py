"""The whole proof, for hours if you like: ``python -m tests.proof.soak [--only NAME] [sizes]``.

Every part prints its lines as it goes, and the closing table says what was tried, with which
seeds, for how long and in how much memory. The first broken promise ends it with its story.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof import copies
from tests.proof.big import TableStore
from tests.proof.crash import SCENARIOS, futures, try_all
from tests.proof.damage import Result, live_through
from tests.proof.kills import kill_often
from tests.proof.machine import BackupMachine
from tests.proof.years import live_for
from tests.tools.dying import ROOT


@dataclass
class Row:
    """A line of the closing table."""

    part: str
    tried: str
    seeds: str
    seconds: float = 0.0
    peak_mb: int = 0


def crash_points(sizes: argparse.Namespace) -> Iterator[Row]:
    """Every operation of every scenario, failing in every way that it can."""
    total = 0
    for scenario in SCENARIOS:
        tried = try_all(scenario, futures(scenario))
        print(f"  {scenario.name}: {tried} points in memory")
        total += tried
    yield Row("crash points, in memory", f"{total} points", "all")
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, scenario in enumerate(SCENARIOS):
            faults = futures(scenario)[:: sizes.folder_step]
            total += try_all(scenario, faults, Path(folder) / str(number))
            print(f"  {scenario.name}: {len(faults)} points in a folder")
    yield Row("crash points, in a folder", f"{total} points", "all")


def kills(sizes: argparse.Namespace) -> Iterator[Row]:
    """Real processes, killed for real."""
    with tempfile.TemporaryDirectory() as folder:
        died = kill_often(Path(folder) / "backup", sizes.kills, seed=sizes.seed)
    yield Row("kill -9", f"{sizes.kills} kills, {died} in the midst", str(sizes.seed))


def copying(sizes: argparse.Namespace) -> Iterator[Row]:
    """Every fault at every operation of a copy, and real copies killed."""
    tried = copies.try_all()
    yield Row("copies that fail", f"{tried} faults, each a copy and the same again", "1")
    with tempfile.TemporaryDirectory() as folder:
        most = max(1, sizes.kills // 4)
        died = copies.kill_often(Path(folder), most, seed=sizes.seed)
    yield Row("kill -9 of copies", f"{most} kills, {died} in the midst", str(sizes.seed))


def machine(sizes: argparse.Namespace) -> Iterator[Row]:
    """The state machine, with other histories each time ``--seed`` differs."""
    for each in range(sizes.seed, sizes.seed + sizes.machine_seeds):
        run_state_machine_as_test(
            seed(each)(BackupMachine),
            settings=settings(
                database=None,
                deadline=None,
                max_examples=sizes.histories,
                stateful_step_count=sizes.steps,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
        print(f"  seed {each}: {sizes.histories} histories")
    yield Row(
        "machine",
        f"{sizes.machine_seeds * sizes.histories} histories of up to {sizes.steps} steps",
        f"{sizes.seed}…{sizes.seed + sizes.machine_seeds - 1}",
    )


def damage(sizes: argparse.Namespace) -> Iterator[Row]:
    """Random histories with random damage."""
    result = Result()
    for each in range(sizes.seed, sizes.seed + sizes.damaged):
        try:
            live_through(each, result)
        except Exception as error:
            raise AssertionError(f"damage, seed {each}: {error}") from error
    print(f"  {result}")
    yield Row(
        "damage",
        f"{result.histories} histories, {result.damaged} objects damaged, {result.found} findings",
        f"{sizes.seed}…{sizes.seed + sizes.damaged - 1}",
    )


def years(sizes: argparse.Namespace) -> Iterator[Row]:
    """Years of nights, and a second backup to compare with."""
    # A table finds a key range faster than ten years' keys can be sorted at each listing.
    memory = Path(":memory:")
    with closing(TableStore(memory)) as one, closing(TableStore(memory)) as other:
        result = live_for(365 * sizes.years, seed=sizes.seed, look_every=30, stores=(one, other))
    print(f"  {result}")
    yield Row(
        f"{sizes.years} years",
        f"{result.nights} nights, {result.faults} with faults, {result.generations} generations",
        str(sizes.seed),
    )


def big(sizes: argparse.Namespace) -> Iterator[Row]:
    """A great account over ten nights, beside one of a tenth of its size."""
    images = sizes.images // sizes.albums
    small = _account(sizes.albums // 10, images, sizes.nights)
    great = _account(sizes.albums, images, sizes.nights)
    hundreds = sizes.images / 100_000
    tenth = hundreds / 10
    memory = (great["peak_mb"] - small["peak_mb"]) / (hundreds - tenth)
    yield Row(
        "great account",
        f"{sizes.images} images, {sizes.albums} albums, {sizes.nights} nights; per 100k images: "
        f"{memory:.1f} MB, first night {small['cpu'] / tenth:.1f} s CPU at a tenth, "
        f"{great['cpu'] / hundreds:.1f} s at all, later nights {great['later'] / hundreds:.2f} s",
        "none",
        peak_mb=int(great["peak_mb"]),
    )


def _account(albums: int, images: int, nights: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.proof.big", str(albums), str(images), str(nights)]
    found = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(f"  {albums} albums: {line.strip()}", flush=True)
            found.append(json.loads(line))
    if process.returncode:
        raise SystemExit("the great account failed")
    later = [night["cpu"] for night in found[1:]] or [0.0]
    return {
        "cpu": found[0]["cpu"],
        "later": sum(later) / len(later),
        "peak_mb": found[-1]["peak_mb"],
    }


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "crash": crash_points,
    "kills": kills,
    "copies": copying,
    "machine": machine,
    "damage": damage,
    "years": years,
    "big": big,
}


def main() -> None:
    """Run the parts and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.soak", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS)
    for name, value in (
        ("seed", 1),
        ("kills", 200),
        ("histories", 500),
        ("steps", 60),
        ("machine-seeds", 20),
        ("damaged", 1000),
        ("years", 10),
        ("images", 1_000_000),
        ("albums", 20_000),
        ("nights", 10),
        ("folder-step", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default {value}")
    sizes = parser.parse_args()
    rows: list[Row] = []
    for name in sizes.only or PARTS:
        print(f"{name} …", flush=True)
        # A process for each part, begun from this small one: their memory is their own.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            rows += process.submit(_rows_of, name, sizes).result()
    print(f"\n{'part':<26} {'seeds':<8} {'seconds':>8} {'peak MB':>8}  tried")
    for row in rows:
        print(f"{row.part:<26} {row.seeds:<8} {row.seconds:>8.1f} {row.peak_mb:>8}  {row.tried}")


def _rows_of(name: str, sizes: argparse.Namespace) -> list[Row]:
    rows = []
    began = time.monotonic()
    for row in PARTS[name](sizes):
        row.seconds = time.monotonic() - began
        began = time.monotonic()
        row.peak_mb = row.peak_mb or _peak_mb()
        print(f"  {row.part}: {row.tried}", flush=True)
        rows.append(row)
    return rows


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
