"""What `smugmug-backup man` understands."""

from typing import Any

from smugmug_backup.cli.parsing import command_parser

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
        plain=True,
        example="smugmug-backup man > ~/.local/share/man/man1/smugmug-backup.1",
    )
