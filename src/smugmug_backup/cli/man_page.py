"""A manual page in the language of `man`, from a parser and its commands."""

import argparse
from collections.abc import Iterator


def man_page(parser: argparse.ArgumentParser) -> str:
    """All commands, each with its own description, options and example."""
    return "\n".join(_lines(parser)) + "\n"


def _lines(parser: argparse.ArgumentParser) -> Iterator[str]:
    name = parser.prog
    yield f".TH {_word(name.upper())} 1"
    yield ".SH NAME"
    yield f"{_text(name)} \\- {_text((parser.description or '').splitlines()[0])}"
    yield ".SH SYNOPSIS"
    yield f".B {_word(name)}"
    yield ".I COMMAND"
    yield "[\\fIOPTION\\fR ...]"
    for command, of_it, help_ in _commands(parser):
        yield f".SH {_word(command.upper())}"
        yield f"{_text(help_)}."
        yield ".PP"
        yield f".B {_word(of_it.prog)}"
        yield _synopsis(of_it)
        yield from _paragraphs(of_it.description or "")
        for action in of_it._actions:
            if action.help is not argparse.SUPPRESS:
                yield ".TP"
                yield _invocation(action)
                yield _text(_help(action))
        example = (of_it.epilog or "").partition("example:\n")[2]
        if example:
            yield ".PP"
            yield "Example:"
            yield from _as_it_is(example)
    statuses = (parser.epilog or "").partition("exit status:\n")[2].partition("\n\n")[0]
    yield ".SH EXIT STATUS"
    yield from _as_it_is(statuses)


def _commands(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """(name, parser, what it does) of each command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            for name, of_it in action.choices.items():
                yield name, of_it, helps.get(name, "")


def _synopsis(parser: argparse.ArgumentParser) -> str:
    words = [] if not parser._actions else ["[\\fIOPTION\\fR ...]"]
    for action in parser._actions:
        if not action.option_strings:
            word = f"\\fI{_text(_value(action))}\\fR"
            several = " ..." if action.nargs in ("+", "*") else ""
            words.append(f"[{word}{several}]" if action.nargs in ("?", "*") else word + several)
    return " ".join(words)


def _invocation(action: argparse.Action) -> str:
    if not action.option_strings:
        return f".I {_word(_value(action))}"
    value = "" if action.nargs == 0 else f" \\fI{_text(_value(action))}\\fR"
    return ", ".join(f"\\fB{_text(each)}\\fR{value}" for each in action.option_strings)


def _value(action: argparse.Action) -> str:
    if action.metavar is not None:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper()


def _help(action: argparse.Action) -> str:
    """As `--help` shows it; argparse fills in its own words."""
    words = {"default": action.default, "prog": "smugmug-backup", "dest": action.dest}
    return (action.help or "") % words


def _paragraphs(text: str) -> Iterator[str]:
    """Blank lines part paragraphs; indented lines stay as they are."""
    for paragraph in text.split("\n\n"):
        if any(line.startswith("  ") for line in paragraph.splitlines()):
            yield from _as_it_is(paragraph)
        else:
            yield ".PP"
            yield from map(_text, paragraph.splitlines())


def _as_it_is(text: str) -> Iterator[str]:
    yield ".PP"
    yield ".nf"
    yield from map(_text, text.rstrip().splitlines())
    yield ".fi"


def _word(text: str) -> str:
    return '"' + _text(text).replace('"', "\\(dq") + '"'


def _text(text: str) -> str:
    """``text``, in which nothing is a command of `man`'s, and a minus sign can be copied."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("\u2026", "...")
    plain = plain.replace("`", "\\`").replace("~", "\\(ti").replace("^", "\\(ha")
    return "\\&" + plain if plain.startswith((".", "'")) else plain
