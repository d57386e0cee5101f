"""Questions to whoever sits before the terminal, or to whatever is piped in."""

import io
import sys

import pytest
from rich.console import Console

from smugmug_backup.cli.asking import ask
from smugmug_backup.cli.errors import Mistaken


class Typed(io.StringIO):
    """A terminal, which shows itself what is typed, with the Enter at its end."""

    def isatty(self):
        return True


def asked(monkeypatch, stdin):
    """(the answer, or the error; what was printed)."""
    monkeypatch.setattr(sys, "stdin", stdin)
    said = io.StringIO()
    try:
        return ask(Console(file=said), "Where to? "), said.getvalue()
    except Mistaken as error:
        return error, said.getvalue()


@pytest.mark.parametrize(
    ("stdin", "shown"),
    [(Typed(" here \n"), "Where to? "), (io.StringIO(" here \n"), "Where to? \n")],
    ids=["a terminal", "a pipe"],
)
def test_what_is_said_after_an_answer_begins_a_line(monkeypatch, stdin, shown):
    assert asked(monkeypatch, stdin) == ("here", shown)


@pytest.mark.parametrize("stdin", [None, io.StringIO(), Typed()])
def test_where_nobody_answers_the_question_is_named_on_a_line_of_its_own(monkeypatch, stdin):
    error, shown = asked(monkeypatch, stdin)
    assert isinstance(error, Mistaken) and "Where to?" in str(error)
    assert shown == "Where to? \n"
