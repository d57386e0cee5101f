"""What is printed: text and tables for people, plain lines for pipes, JSON for programs.

Bytes are counted in decimal units, as disks and cloud bills do: 1 MB = 10^6 bytes.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from smugmug_backup.archive.titles import harmless
from smugmug_backup.archive.titles import shown as shown
from smugmug_backup.cli.streams import OutputLost as OutputLost
from smugmug_backup.cli.streams import Plain, Printed

if TYPE_CHECKING:
    from rich.console import Console

_BREAKS = re.compile(r"[\t\r\n]+")


class Column(NamedTuple):
    """``elastic``: it gives way when the terminal is narrow. ``middle``: then the middle goes, as
    the ends of names tell them apart."""

    name: str
    right: bool = False
    elastic: bool = False
    middle: bool = False


def make_console(*, stderr: bool = False, quiet: bool = False) -> "Console":
    """A console that takes texts as they are; lines are never broken where no terminal is.

    ``quiet``: it says nothing. What draws on a terminal is loaded where one is, or where the
    environment asks for its colours.
    """
    stream = sys.stderr if stderr else sys.stdout
    if not stream.isatty() and not _colours_are_wanted():
        return cast("Console", Plain(stream, quiet=quiet))
    from smugmug_backup.cli.terminal import terminal_console

    return terminal_console(stream, quiet=quiet)


def _colours_are_wanted() -> bool:
    """By the two names that rich listens to, https://force-color.org and its own."""
    return bool(os.environ.get("FORCE_COLOR")) or os.environ.get("TTY_COMPATIBLE") == "1"


def print_json(console: "Console", value: Any) -> None:
    """One JSON document; a command prints one and no more."""
    Printed.documents += 1
    console.file.write(json.dumps(value, ensure_ascii=True, indent=2, default=_json_of) + "\n")


def print_table(
    console: "Console",
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
    from smugmug_backup.cli.terminal import draw_table

    draw_table(console, columns, [*lines], head=head)


def _cell(text: str) -> str:
    """``text`` in a line that others share: a caption may have tabs and lines of its own."""
    return harmless(_BREAKS.sub(" ", text))


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
