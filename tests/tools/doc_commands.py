"""The commands that pages tell their readers to give.

A block that begins with ```sh holds commands, one a line (a backslash at the end goes on); any
other block says what else it is: text, json, toml, sql.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(smugmug-backup [^`]+)`")
_ENDS = frozenset("|;&<>()")

PROGRAM = "smugmug-backup"


@dataclass(frozen=True)
class Block:
    """A fenced block. ``kind``: what its fence says, ``line``: where that stands."""

    kind: str
    line: int
    text: str


@dataclass(frozen=True)
class Command:
    """One line for a shell, and where it stands."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in _FENCE.finditer(text):
        yield Block(match[2], text.count("\n", 0, match.start()) + 1, match[3])


def commands(page: Path, name: str) -> list[Command]:
    """The commands of a page, in its order."""
    return [
        Command(name, block.line + number, line)
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.kind == "sh"
        for number, line in lines(block.text)
    ]


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line for a shell; comments and what is empty are none."""
    begun = ""
    for number, line in enumerate(text.splitlines(), 1):
        begun += line.strip()
        if begun.endswith("\\"):
            begun = f"{begun[:-1].rstrip()} "
            continue
        if begun and not begun.startswith("#"):
            yield number, begun
        begun = ""
    assert not begun, f"the last line goes on after its block: {begun}"


def inline(page: Path, name: str) -> list[Command]:
    """Commands of ours that stand within the text."""
    text = page.read_text(encoding="utf-8")
    return [
        Command(name, text.count("\n", 0, match.start()) + 1, " ".join(match[1].split()))
        for match in _INLINE.finditer(text)
    ]


def ours(line: str) -> Iterator[list[str]]:
    """The words of each call of our program in a line for a shell, without the program."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if token and set(token) <= _ENDS:
            if words[:1] == [PROGRAM]:
                yield words[1:]
            words = []
        else:
            words.append(token)
