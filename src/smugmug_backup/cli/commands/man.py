"""``man``: the manual page; made from the parser that reads the command line."""

import argparse
from typing import Any

from rich.console import Console

from smugmug_backup.cli.man_page import man_page
from smugmug_backup.cli.output import print_json
from smugmug_backup.cli.parsing import FINE, command_parser

NAME = "man"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    command_parser(
        subparsers,
        NAME,
        help="print the manual page",
        description="Print the manual page of all commands, for `man` to show.\n"
        "It belongs into a folder man1 of $MANPATH, as smugmug-backup.1.",
        looks_only=True,
        example="smugmug-backup man > ~/.local/share/man/man1/smugmug-backup.1",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Print it."""
    from smugmug_backup.cli.main import whole_parser

    page = man_page(whole_parser())
    if args.json:
        print_json(console, {"page": page})
    else:
        console.file.write(page)
    return FINE
