"""What is printed: text and tables for people, plain lines for pipes, JSON for programs.

Bytes are counted in decimal units, as disks and cloud bills do: 1 MB = 10^6 bytes.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import IO, Any, cast

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.status import Status
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from smugmug_backup.archive.titles import harmless
from smugmug_backup.archive.titles import shown as shown
from smugmug_backup.cli.streams import OutputLost as OutputLost
from smugmug_backup.cli.streams import Printed, Stream

_BREAKS = re.compile(r"[\t\r\n]+")
_GAP = 2
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Column:
    """``elastic``: it gives way when the terminal is narrow. ``middle``: then the middle goes, as
    the ends of names tell them apart."""

    name: str
    right: bool = False
    elastic: bool = False
    middle: bool = False


class _Console(Console):
    """What is printed here drives no terminal, whoever wrote it: SmugMug, a disk, an error."""

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich has it, which calls it for each text, but what the text could do is made visible.
        Only the ends of lines stay."""
        return super().render_str("\n".join(map(harmless, text.split("\n"))), **options)

    def on_broken_pipe(self) -> None:
        """Rich would end the program with 1, which means something else here."""
        raise BrokenPipeError

    def status(
        self,
        status: RenderableType,
        *,
        spinner: str = "line",
        spinner_style: StyleType = "status.spinner",
        speed: float = 1.0,
        refresh_per_second: float = 12.5,
    ) -> Status:
        """As rich has it, but for the spinner: every encoding has its letters."""
        return super().status(
            status,
            spinner=spinner,
            spinner_style=spinner_style,
            speed=speed,
            refresh_per_second=refresh_per_second,
        )


def make_console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console that takes texts as they are; lines are never broken where no terminal is.

    ``quiet``: it says nothing.
    """
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return _Console(
        file=cast("IO[str]", Stream(stream)),
        markup=False,
        highlight=False,
        emoji=False,
        width=None if terminal else 100_000,
        soft_wrap=not terminal,
        quiet=quiet,
        _environ=_measures(),
    )


def _measures() -> dict[str, str]:
    """The environment without a size of nothing, of which nothing at all would be shown."""
    sizes = ("COLUMNS", "LINES")
    return {name: text for name, text in os.environ.items() if name not in sizes or text.strip("0")}


def print_json(console: Console, value: Any) -> None:
    """One JSON document; a command prints one and no more."""
    Printed.documents += 1
    console.file.write(json.dumps(value, ensure_ascii=True, indent=2, default=_json_of) + "\n")


def print_table(
    console: Console,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    head: bool = True,
) -> None:
    """A table; where no terminal is, a line per row with tabs between. ``head``: its first line
    names the columns."""
    lines = ([_cell(text) for text in row] for row in rows)
    if not console.is_terminal:
        for row in chain([[column.name for column in columns]] if head else [], lines):
            # Not by rich, which makes spaces of tabs.
            console.file.write("\t".join(row) + "\n")
        return
    _print_lines(console, columns, [*lines], head=head)


def _cell(text: str) -> str:
    """``text`` in a line that others share: a caption may have tabs and lines of its own."""
    return harmless(_BREAKS.sub(" ", text))


def _print_lines(
    console: Console, columns: Sequence[Column], lines: Sequence[Sequence[str]], *, head: bool
) -> None:
    table = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0), show_header=head
    )
    widths = _widths(console.width, columns, lines)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.name,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=width,
        )
    for line in lines:
        cells = zip(columns, line, widths, strict=True)
        table.add_row(*(Text(_cut(c, w) if column.middle else c) for column, c, w in cells))
    console.print(table)


def _cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, an ellipsis in its middle where it is longer."""
    if cell_len(text) <= width:
        return text
    tail = text[-(width // 3) :]
    while cell_len(tail) > width // 3:
        tail = tail[1:]
    head = text
    while cell_len(head) + 1 + cell_len(tail) > width:
        head = head[:-1]
    return f"{head}\u2026{tail}"


def _widths(space: int, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """As wide as the cells need; where that is too wide, the widest elastic column gives way."""
    widths = [
        max([cell_len(column.name), *(cell_len(row[index]) for row in rows)])
        for index, column in enumerate(columns)
    ]
    elastic = [index for index, column in enumerate(columns) if column.elastic]
    for _ in range(sum(widths) + _GAP * (len(widths) - 1) - space):
        widest = max(elastic, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return widths


def size(number: int | None) -> str:
    """Bytes in decimal units: ``7.90 MB``; ``-`` for None."""
    if number is None:
        return "-"
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("KB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.5 or unit == "PB":
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def short(text: str) -> str:
    """Paths below the home folder as people write them."""
    home = os.path.expanduser("~")  # noqa: PTH111 (Path.home raises where there is none)
    return text.replace(f"{home}/", "~/", 1) if len(home) > 1 else text


def number(count: int) -> str:
    """``48,211``."""
    return f"{count:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 album``, ``2 albums``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(instant: datetime | None) -> str:
    """``2026-11-24 03:00 UTC``; ``never`` for None."""
    return "never" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(instant: datetime, now: datetime) -> str:
    """``today``, ``yesterday``, ``5 days ago``: whole days between."""
    days = (now.astimezone(UTC).date() - instant.astimezone(UTC).date()).days
    return "today" if days < 1 else "yesterday" if days == 1 else f"{days:,} days ago"


def day(instant: datetime | None) -> str:
    """``2026-11-24``; ``-`` for None."""
    return "-" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d}"


def _json_of(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    raise TypeError(type(value).__name__)
