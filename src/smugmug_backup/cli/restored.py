"""What is told of a restore: to people, and to programs."""

import argparse
import itertools
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.output import number, plural, size
from smugmug_backup.cli.progress import duration
from smugmug_backup.cli.thaw import archived, command
from smugmug_backup.restore.perform import Result
from smugmug_backup.restore.plan import Plan, Problem
from smugmug_backup.restore.survey import Survey

_SHOWN = 10
"""So many of one kind are named in a terminal."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a restore went. ``embeds``: what SmugMug says was to be written into the files."""

    args: argparse.Namespace
    planned: Plan
    found: Survey
    result: Result
    embeds: bool
    tables: tuple[str, ...]

    @property
    def bare(self) -> int:
        """How many files could not take what SmugMug says of them, of those that are there."""
        there = (*self.found.done, *self.result.written)
        held = self.result.embedded
        return sum(not target.older and target.path not in held for target in there)

    def tell(self, say: Console, *, seconds: float) -> None:
        """To people."""
        args, planned, found, result = self.args, self.planned, self.found, self.result
        line = (
            f"Restored {plural(len(result.written), 'file')} ({size(self._bytes)}) of "
            f"{plural(planned.albums, 'album')} into {args.target} in {duration(seconds)}."
        )
        if found.done:
            line += f" {number(len(found.done))} were there already."
        say.print(line, style="bold" if not result.problems else None)
        if planned.gone_left_out:
            gone = plural(planned.gone_left_out, "image that has", "images that have")
            say.print(f"Left out: {gone} left SmugMug; --with-gone brings them back.")
        if self.embeds and self.bare:
            say.print(
                f"Cannot hold what SmugMug says of them: {plural(self.bare, 'file')} "
                f"({self._instead()})."
            )
        if self.tables:
            say.print(f"What has no place there stands in {', '.join(self.tables)}.")
        tell_problems(say, result.problems)
        if result.thaw:
            self._tell_thaw(say)
        if result.stopped and result.error is None:
            say.print("Interrupted; the same command goes on where it was.", style="yellow")

    def _instead(self) -> str:
        beside = any(each.sidecars for each in (*self.found.done, *self.result.written))
        return "it stands in a sidecar beside each" if beside else "it stands in photos.csv"

    @property
    def _bytes(self) -> int:
        there = self.found.present
        return sum(target.bytes for target in self.result.written if target.path not in there)

    def as_json(self) -> dict[str, Any]:
        """To programs."""
        return {
            "target": self.args.target,
            "albums": self.planned.albums,
            "restored": len(self.result.written),
            "bytes": self._bytes,
            "already_there": len(self.found.done),
            "gone_left_out": self.planned.gone_left_out,
            "not_embedded": self.bare if self.embeds else None,
            "tables": list(self.tables),
            "interrupted": self.result.stopped,
            "error": str(self.result.error) if self.result.error else None,
            "problems": [each.as_json() for each in self.result.problems],
            "archived": archived(self.args.location, self.result.thaw),
        }

    def _tell_thaw(self, say: Console) -> None:
        location = self.args.location
        keys = archived(location, self.result.thaw)
        say.print("Thaw it (a day or two, by the bulk rate), then restore again:", style="bold")
        told = command(location, keys, f"{the_same(self.args)} --list-archived")
        say.print(f"  {told}", soft_wrap=True)


def the_same(args: argparse.Namespace) -> str:
    """The command again, for the same images as they were then: nothing more is thawed, and paid
    for, than was asked for."""
    words = ["smugmug-backup", "restore", *args.location.words, args.target]
    for album in args.album:
        words += ["--album", album]
    if args.images is not None:
        words += ["--images", ",".join(args.images)]
    if args.as_of is not None:
        words += ["--as-of", args.as_of]
    for flag in ("with_gone", "gone", "bag"):
        if getattr(args, flag):
            words.append(f"--{flag.replace('_', '-')}")
    # What is there already, under the names that it has there, is not thawed.
    if args.way != "files":
        words += ["--for", args.way]
    return shlex.join(words)


def tell_problems(say: Console, problems: Sequence[Problem]) -> None:
    """Name them, by reason."""
    if not problems:
        return
    say.print(f"Not as it should be: {number(len(problems))}", style="bold red")
    by_reason = sorted(problems, key=lambda each: (each.code, each.message, each.path))
    counts = Counter((each.code, each.message) for each in problems)
    most = _SHOWN if say.is_terminal else len(problems)
    for (code, message), group in itertools.groupby(by_reason, lambda p: (p.code, p.message)):
        say.print(f"  {shown(message)}:", style="red")
        for each in itertools.islice(group, most):
            say.print(f"    {shown(each.path)}", soft_wrap=True)
        more = counts[code, message] - most
        if more > 0:
            say.print(f"    … and {number(more)} more (--json names all)")
