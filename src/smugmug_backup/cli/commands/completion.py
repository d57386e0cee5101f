"""``completion SHELL``: what a shell needs to complete this command; made from its own parser."""

import argparse
from typing import Any

from rich.console import Console

from smugmug_backup.cli.parsing import FINE, command_parser

NAME = "completion"

SHELLS = ("bash", "zsh", "fish")

_DESCRIPTION = """\
Print what a shell needs to complete commands and options.

  bash   smugmug-backup completion bash >
             ~/.local/share/bash-completion/completions/smugmug-backup
  zsh    smugmug-backup completion zsh > a folder of $fpath/_smugmug-backup
  fish   smugmug-backup completion fish >
             ~/.config/fish/completions/smugmug-backup.fish"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="print what bash, zsh or fish need to complete this command",
        description=_DESCRIPTION,
        looks_only=True,
        example="smugmug-backup completion bash",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(args: argparse.Namespace, console: Console) -> int:
    """Print it."""
    import shtab

    from smugmug_backup.cli.main import whole_parser
    from smugmug_backup.cli.output import print_json

    script = shtab.complete(whole_parser(), shell=args.shell)
    if args.json:
        print_json(console, {"shell": args.shell, "script": script})
    else:
        console.file.write(script.rstrip() + "\n")
    return FINE
