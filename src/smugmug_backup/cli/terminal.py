"""What is drawn on a terminal: colours, a line that moves, tables as wide as the window."""

import os
from collections.abc import Sequence
from typing import IO, Any, TextIO, cast

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.status import Status
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from smugmug_backup.archive.titles import harmless_lines
from smugmug_backup.cli.output import Column
from smugmug_backup.cli.streams import Stream

_GAP = 2
_LEAST = 8


class _Console(Console):
    """What is printed here drives no terminal, whoever wrote it: SmugMug, a disk, an error."""

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich has it, which calls it for each text, but what the text could do is made visible.
        Only the ends of lines stay."""
        return super().render_str(harmless_lines(text), **options)

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


def terminal_console(stream: TextIO, *, quiet: bool) -> Console:
    """A console of ``stream`` that takes texts as they are."""
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


def draw_table(
    console: Console, columns: Sequence[Column], lines: Sequence[Sequence[str]], *, head: bool
) -> None:
    """See `print_table`."""
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
