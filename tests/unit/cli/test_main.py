"""The frame of the owner's tool: helps, exit statuses, errors, settings."""

import argparse
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from smugmug_backup.cli import main as cli
from smugmug_backup.cli.errors import Mistaken, hint_of
from smugmug_backup.cli.output import Column, make_console, shown, size
from smugmug_backup.cli.terminal import _cut, _widths, terminal_console
from smugmug_backup.errors import BackupError, LoginLost, StoreRefused
from tests.tools.cli import Shell

COMMANDS = cli.COMMANDS


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path):
    return Shell(capsys, monkeypatch, tmp_path)


def command_that(monkeypatch, action):
    """Put ``action`` behind every command."""

    def parser(argv):
        made = argparse.ArgumentParser()
        made.add_argument("--debug", action="store_true")
        made.set_defaults(command=action)
        return made

    monkeypatch.setattr(cli, "_parser", parser)


def raising(error):
    def action(args, console):
        raise error

    return action


def test_help_names_every_command_and_every_exit_status(shell):
    ran = shell("--help")
    assert ran.status == 0
    assert all(command in ran.out for command in COMMANDS)
    assert all(re.search(rf"^  {status}\s", ran.out, re.MULTILINE) for status in (0, 1, 2, 130))
    assert "smugmug-backup status" in ran.out.strip().splitlines()[-1]


@pytest.mark.parametrize("command", ["status", "albums", "images", "check", "diff"])
def test_the_help_of_a_command_ends_with_an_example_of_it(shell, command):
    ran = shell(command, "--help")
    assert ran.status == 0
    assert "exit status:" in ran.out and "--json" in ran.out
    assert f"smugmug-backup {command}" in ran.out.strip().splitlines()[-1]


def test_the_help_of_all_says_what_each_command_says_of_itself():
    for name, line in COMMANDS.items():
        subparsers = argparse.ArgumentParser().add_subparsers()
        import_module(f"smugmug_backup.cli.arguments.{name}").add_parser(subparsers)
        (own,) = subparsers._choices_actions
        assert (own.dest, own.help) == (name, line)


def test_wrong_arguments_end_with_2(shell):
    assert shell().status == 2
    assert shell("nonsense").status == 2
    assert shell("status").status == 2


def test_an_error_is_one_line_and_a_hint(shell, monkeypatch):
    command_that(monkeypatch, raising(LoginLost("SmugMug does not accept the token")))
    ran = shell()
    assert ran.status == 2 and ran.out == ""
    first, second = ran.err.splitlines()
    assert first == "error: SmugMug does not accept the token"
    assert second.startswith("hint:  ") and "authorize" in second


def test_a_long_error_stays_on_one_line_and_cannot_drive_the_terminal(shell, monkeypatch):
    command_that(monkeypatch, raising(BackupError("\x1b[2J[red]title\n" + "word " * 100)))
    ran = shell()
    assert len(ran.err.splitlines()) == 2
    assert "\x1b" not in ran.err and "[red]" in ran.err


def test_what_nobody_expected_shows_neither_traceback_nor_text(shell, monkeypatch):
    command_that(monkeypatch, raising(RuntimeError("https://host/?oauth_token=secret")))
    ran = shell()
    assert ran.status == 2
    assert "secret" not in ran.err and "Traceback" not in ran.err
    assert "RuntimeError" in ran.err and "--debug" in ran.err
    assert "Traceback" in shell("--debug").err


def test_not_even_a_traceback_can_drive_the_terminal(shell, monkeypatch):
    command_that(monkeypatch, raising(RuntimeError("\x1b[2J\u202etitle")))
    ran = shell("--debug")
    assert "Traceback" in ran.err and "title" in ran.err
    assert "\x1b" not in ran.err and "\u202e" not in ran.err


def test_an_interruption_ends_with_130(shell, monkeypatch):
    command_that(monkeypatch, raising(KeyboardInterrupt()))
    assert shell().status == 130


def test_a_reader_that_goes_away_is_no_error_and_no_verdict(tmp_path):
    """`check … | head -1` must neither complain nor end with 1, which means "not sound"."""
    path = tmp_path / "runs/2026/11/20261124T030000Z-00000001.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "smugmug_backup.cli", "check", str(tmp_path)],
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (130, b"")


def test_a_command_that_cannot_be_loaded_does_not_take_the_others_with_it(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "smugmug_backup.cli.commands.restore", None)
    assert shell("--help").status == 0
    assert shell("status", "--help").status == 0
    ran = shell("restore", "a", "b")
    assert ran.status == 2 and "cannot be loaded" in ran.err


def test_every_error_has_a_hint():
    pending = [BackupError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        error = BackupError("x")
        error.code = kind.code
        assert hint_of(error)
    assert hint_of(Mistaken("x", hint="do y")) == "do y"


# -- locations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["status"], ["albums"], ["check"], ["images"], ["diff"]])
def test_a_place_without_a_backup_is_named_as_such(shell, tmp_path, command):
    more = {"images": ["x"], "diff": ["latest", "latest"]}.get(command[0], [])
    ran = shell(*command, tmp_path, *more)
    assert ran.status == 2 and "holds no backup" in ran.err
    ran = shell(*command, tmp_path / "nowhere", *more)
    assert ran.status == 2 and "there is no folder" in ran.err
    ran = shell(*command, "ftp://host/x", *more)
    assert ran.status == 2 and "is no location" in ran.err


def test_a_store_without_permission_and_a_bucket_that_is_not_there_are_told_apart(
    shell, monkeypatch
):
    for message in ("listing was denied; s3:ListBucket is needed", "there is no bucket named x"):

        class Refusing:
            def batch(self):
                return self

            def list(self, prefix, message=message):
                raise StoreRefused(message)

        monkeypatch.setattr(
            "smugmug_backup.storage.location.open_store", lambda location, **more: Refusing()
        )
        ran = shell("status", "s3://bucket")
        assert ran.status == 2 and message in ran.err


def test_a_store_of_a_newer_format_is_told_to_be_one(shell, tmp_path):
    path = tmp_path / "runs/2026/11/20261124T030000Z-00000001.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": "smugmug-backup/run-report", "version": 2}))
    for command in ("status", "albums", "check"):
        ran = shell(command, tmp_path)
        assert ran.status == 2 and "format version 2" in ran.err and "upgrade" in ran.err


# -- what is printed -----------------------------------------------------------------------------


def test_texts_of_the_source_are_decoded_and_made_harmless():
    assert shown("Harbour &amp; Quay &#233;") == "Harbour & Quay \u00e9"
    assert shown("a\x1b[31mb\u202ec\nd") == "a\ufffd[31mb\ufffdc\ufffdd"
    assert shown(None) == ""


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 KB"),
        (7_901_222, "7.90 MB"),
        (98_700_000, "98.7 MB"),
        (999_999, "1.00 MB"),
        (999_400_000, "999 MB"),
        (5 * 10**12, "5.00 TB"),
    ],
)
def test_sizes_are_decimal(number, text):
    assert size(number) == text


def test_only_elastic_columns_give_way():
    columns = [Column("A", elastic=True), Column("B"), Column("C", elastic=True)]
    rows = [["x" * 60, "y" * 20, "z" * 30]]
    assert _widths(120, columns, rows) == [60, 20, 30]
    assert _widths(80, columns, rows) == [28, 20, 28]
    assert _widths(20, columns, rows) == [8, 20, 8]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("short.jpg", "short.jpg"),
        ("IMG_20190812_panorama_v2.jpg", "IMG_201\u2026.jpg"),
        ("\u5c71" * 12, "\u5c71" * 3 + "\u2026" + "\u5c71" * 2),
    ],
)
def test_a_name_that_is_too_long_loses_its_middle(text, cut):
    assert _cut(text, 12) == cut


def test_a_spinner_has_letters_that_every_encoding_has():
    frames = terminal_console(sys.stdout, quiet=False).status("x").renderable.frames
    assert all(frame.isascii() for frame in frames)


def test_a_console_without_a_terminal_never_breaks_a_line(capsys):
    make_console().print("word " * 200)
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    "said", ["", "[bold]:smile: 7 x", "tab\tand bell\a, back\b, return\r", "word " * 200, "a\nb\n"]
)
def test_where_no_terminal_is_the_same_is_printed_with_and_without_what_draws(capsys, said):
    for console in (make_console(), terminal_console(sys.stdout, quiet=False)):
        console.print(said, style="bold red", soft_wrap=True)
        console.print(said, end="")
        console.print()
        with console.status("asking"):
            console.print(said, style="dim")
    printed = capsys.readouterr().out
    assert printed[: len(printed) // 2] * 2 == printed


def test_colours_are_there_without_a_terminal_where_the_environment_wants_them(capsys, monkeypatch):
    for name, text in (("FORCE_COLOR", "1"), ("TTY_COMPATIBLE", "1")):
        with monkeypatch.context() as patch:
            patch.setenv(name, text)
            make_console().print("Complete", style="bold green")
            assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "")
    make_console().print("Complete", style="bold green")
    make_console(quiet=True).print("Complete")
    assert capsys.readouterr().out == "Complete\n"


def test_what_is_shipped_to_lambda_knows_neither_this_tool_nor_what_it_needs():
    package = Path(cli.__file__).parents[1]
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] not in ("cli", "restore"):
            words = re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
            for word in words:
                assert not word.startswith(("rich", "smugmug_backup.cli")), path
