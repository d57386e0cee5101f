"""What shells complete, and the manual page, come from the parser that reads the command line."""

import subprocess

import pytest

from smugmug_backup.cli.arguments.completion import SHELLS
from smugmug_backup.cli.main import COMMANDS, whole_parser
from smugmug_backup.cli.man_page import man_page


@pytest.mark.parametrize("kind", SHELLS)
def test_every_command_and_its_options_are_completed(shell, kind):
    ran = shell("completion", kind)
    assert (ran.status, ran.err) == (0, "")
    assert all(command in ran.out for command in COMMANDS)
    options = ("--limit-rate", "--as-of", "--read-data", "--accept-shrink")
    assert all(option in ran.out or option.lstrip("-") in ran.out for option in options)
    assert shell("completion", kind, "--json").json["script"].strip() == ran.out.strip()


def test_bash_completes_what_is_typed(shell, tmp_path):
    (tmp_path / "script").write_text(shell("completion", "bash").out)
    asked = f"""
        source {tmp_path}/script
        function=$(complete -p smugmug-backup | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        COMP_WORDS=(smugmug-backup "$@") COMP_CWORD=$#
        $function smugmug-backup "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
        echo "${{COMPREPLY[@]}}"
    """

    def completed(*words):
        done = subprocess.run(
            ["bash", "-c", asked, "bash", *words], capture_output=True, text=True, check=False
        )
        return done.stdout.split()

    assert "restore" in completed("re")
    assert "--limit-rate" in completed("run", "--lim")


def test_a_shell_that_nobody_knows_is_told_in_one_sentence(shell):
    ran = shell("completion", "tcl")
    assert ran.status == 2 and ran.err.startswith("error: ") and "bash" in ran.err


def test_the_manual_has_every_command_option_and_exit_status(shell):
    page = shell("man").out
    assert page == man_page(whole_parser()) == shell("man", "--json").json["page"]
    for command in COMMANDS:
        assert f'.SH "{command.upper()}"' in page
    assert "\\-\\-limit\\-rate" in page and "130  interrupted" in page
    assert "None" not in page and "%(" not in page


def test_no_line_of_the_manual_is_taken_for_a_command_of_mans(shell):
    known = {".TH", ".SH", ".PP", ".TP", ".B", ".I", ".nf", ".fi"}
    lines = [line for line in shell("man").out.splitlines() if line.startswith((".", "'"))]
    assert {line.split()[0] for line in lines} <= known
