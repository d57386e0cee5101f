"""Run the benchmark, print its table, write its JSON; 1 while a goal is missed.

Goals in seconds, milliseconds and MiB are judged on a quiet machine only. What is counted, and CPU
time, can be judged on a busy one: ``--anywhere``.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import light
from tests.bench.figures import REFERENCE, Machine, Measure, Verdict, number, yardstick
from tests.bench.rows import ANYWHERE, ROWS
from tests.bench.sizes import Sizes
from tests.stack import environment

_COLOURS = {Verdict.OK: "green", Verdict.MISSED: "red", Verdict.BUSY: "yellow"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 if a goal is missed or a row broke down."""
    options = _options(arguments)
    console = Console(stderr=True)
    if options.yardstick:
        print(f"{yardstick():.4f} s; the machine of the goals: {REFERENCE:.4f} s")
        return 0
    environment.clean()
    # Where it is installed, and in the function's package, all byte-code is there.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sizes = _sizes(options)
    found: list[Measure] = []
    broken: list[str] = []
    started = time.strftime("%Y-%m-%d %H:%M")
    for name in options.only or (ANYWHERE if options.anywhere else ROWS):
        began = time.monotonic()
        console.print(f"{name} …", end="")
        before = yardstick()
        try:
            row = list(ROWS[name](sizes))
        except Exception as error:
            console.print(f" {type(error).__name__}: {error}", markup=False)
            broken.append(name)
        else:
            machine = Machine(before, yardstick())
            found += [replace(each, machine=machine) for each in row]
            console.print(f" {time.monotonic() - began:.0f} s")
    wide = {} if sys.stdout.isatty() else {"width": 190}
    Console(**wide).print(_table(found))
    result = {
        "when": started,
        "machine": machine_of(),
        "quick": options.quick,
        "sizes": {**asdict(sizes), "go_peer": sizes.go_peer is not None},
        "measures": [each.as_json() for each in found],
        "broken": broken,
    }
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1, default=str) + "\n")
    return int(bool(broken) or any(each.verdict is Verdict.MISSED for each in found))


def machine_of() -> dict[str, Any]:
    """What it ran on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "servers": light.written_in(),
        "reference": REFERENCE,
    }


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = Sizes.quick() if options.quick else Sizes()
    sizes.go_peer = options.go_peer and Path(options.go_peer)
    for each in options.set:
        name, _, value = each.partition("=")
        setattr(sizes, name, type(getattr(sizes, name))(value))
    return sizes


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", choices=list(ROWS), metavar="ROW", help=f"of {', '.join(ROWS)}")
    add("--anywhere", action="store_true", help=f"on a busy machine: {', '.join(ANYWHERE)}")
    add("--quick", action="store_true", help="small: whether the rows work, nothing to judge by")
    add("--json", metavar="PATH", help="write the figures there")
    add("--go-peer", metavar="PATH", help="the program of tommyblue/smugmug-backup")
    add("--yardstick", action="store_true", help="how fast this machine is, and nothing else")
    names = ", ".join(each.name for each in fields(Sizes) if each.name != "go_peer")
    add("--set", nargs="+", default=[], metavar="NAME=VALUE", help=f"a size: {names}")
    return parser.parse_args(arguments)


def _table(found: list[Measure]) -> Table:
    table = Table(title="SmugMug Backup on the local SmugMug, latency injected")
    for name in ("row", "what", "measured", "goal", "", "note"):
        table.add_column(name, justify="right" if name in ("measured", "goal") else "left")
    last = ""
    for each in found:
        verdict = each.verdict
        colour = _COLOURS.get(verdict)
        mark = f"[{colour}]{verdict.value}[/]" if colour else verdict.value
        shown = "" if each.value is None else f"{number(round(each.value, 3))} {each.unit}".strip()
        row = "" if each.row == last else each.row
        table.add_row(row, each.what, shown, each.target, mark, each.note)
        last = each.row
    return table


if __name__ == "__main__":
    sys.exit(main())
