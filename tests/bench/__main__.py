"""Run the benchmark, print its table, write its JSON."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.result import Measure, Sizes, number
from tests.bench.rows import ROWS
from tests.stack import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 if a target is missed or a row broke down."""
    options = _options(arguments)
    environment.clean()
    sizes = Sizes.full() if options.full else Sizes()
    for each in options.set:
        name, _, value = each.partition("=")
        setattr(sizes, name, type(getattr(sizes, name))(value))
    console = Console(stderr=True)
    found: list[Measure] = []
    broken: list[str] = []
    for name in options.only or ROWS:
        began = time.monotonic()
        console.print(f"{name} …", end="")
        try:
            found += ROWS[name](sizes)
        except Exception as error:
            console.print(f" {type(error).__name__}: {error}", markup=False)
            broken.append(name)
        else:
            console.print(f" {time.monotonic() - began:.0f} s")
    Console().print(_table(found))
    if options.json:
        result = {
            "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
            "sizes": asdict(sizes),
            "measures": [each.as_json() for each in found],
            "broken": broken,
        }
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    return int(bool(broken) or any(each.holds is False for each in found))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes the targets are stated for")
    parser.add_argument("--only", action="append", choices=list(ROWS), help="this row (again: too)")
    parser.add_argument("--json", metavar="PATH", help="write the figures there as well")
    names = ", ".join(each.name for each in fields(Sizes))
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help=f"a size: {names}"
    )
    return parser.parse_args(arguments)


def _table(found: list[Measure]) -> Table:
    table = Table(title="SmugMug Backup on the local SmugMug, latency injected")
    for name in ("row", "what", "measured", "target", "", "note"):
        table.add_column(name, justify="right" if name in ("measured", "target") else "left")
    last = ""
    for each in found:
        mark = {True: "[green]ok[/]", False: "[red]missed[/]", None: ""}[each.holds]
        shown = f"{number(round(each.value, 2))} {each.unit}".strip()
        table.add_row("" if each.row == last else each.row, each.what, shown, each.target, mark,
                      each.note)  # fmt: skip
        last = each.row
    return table


if __name__ == "__main__":
    sys.exit(main())
