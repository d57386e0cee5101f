"""What `smugmug-backup letter` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "letter"
FILE = "letter.html"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="a page to print, for who has to find the photos one day",
        description="Write one page to print and to lay beside your papers: what this backup is, "
        "where it lies, how to get\nin, how to get everything out with this program and without "
        "it, the seal of today, and lines for you\nto fill in by hand. No secret stands in it. "
        "Make it anew each year: a letter that lies in FILE is\nreplaced as long as nobody wrote "
        "into it; anything else is left as it is.",
        example="smugmug-backup letter ~/photos-backup letter.html",
    )
    add_location(parser, before="file")
    parser.add_argument(
        "file",
        nargs="?",
        type=_as_list,
        default=[],
        metavar="FILE",
        help=f"the page to write ({FILE}); a browser prints it, or makes a PDF of it",
    )


def _as_list(word: str) -> list[str]:
    return [word]
