"""Questions to whoever sits before the terminal, or to whatever is piped in."""

import io
import sys

import pytest
from rich.console import Console

from smugmug_backup.cli.asking import agreed, ask
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


@pytest.mark.parametrize(
    ("typed", "otherwise", "yes"),
    [
        ("y\n", False, True),
        ("YES\n", False, True),
        ("n\n", True, False),
        ("no\n", True, False),
        ("\n", True, True),
        ("\n", False, False),
        ("perhaps\nyn\ny\n", False, True),
    ],
)
def test_only_a_yes_is_one_and_enter_means_what_is_shown_in_capitals(
    monkeypatch, typed, otherwise, yes
):
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    said = io.StringIO()
    assert agreed(Console(file=said, markup=False), "Go on?", otherwise=otherwise) is yes
    assert f"Go on? [{'Y/n' if otherwise else 'y/N'}] " in said.getvalue()
    assert said.getvalue().count("Please answer") == typed.count("\n") - 1


def test_where_nothing_is_said_of_it_enter_is_a_yes(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Typed("\n"))
    assert agreed(Console(file=io.StringIO()), "Go on?")
