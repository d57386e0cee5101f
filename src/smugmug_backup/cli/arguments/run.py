"""What `smugmug-backup run` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, add_nightly, command_parser
from smugmug_backup.words import ACCOUNT

NAME = "run"

_DESCRIPTION = """\
Back up the account into a bucket or a folder: the same backup as the scheduled
function's, in this process. A folder needs no AWS at all.

The first run fetches everything, the later ones what has changed. It can be
interrupted at any time: Ctrl-C gives what is under way a few seconds, commits
what is whole and writes the report; a second Ctrl-C stops at once. The same
command goes on, and nothing is lost either way. A connection that is lost is
waited for, for ten minutes at most."""


def add_parser(subparsers: Any) -> None:
    """The command's arguments."""
    parser = command_parser(
        subparsers,
        NAME,
        help="back up now, into a bucket or a folder",
        description=_DESCRIPTION,
        example="smugmug-backup run ~/photos-backup --dry-run",
        quiet="say nothing if the backup is complete",
        verbose="name also the albums that have not changed, and say how long it took",
    )
    add_location(parser)
    parser.add_argument(
        "--accept-shrink",
        nargs="*",
        metavar="ALBUM",
        help=f"believe SmugMug though these albums lost much, or `{ACCOUNT}` (as without a name): "
        "though much of the account is gone; the backup keeps it all",
    )
    parser.add_argument(
        "--accept-rename",
        action="store_true",
        help="SmugMug has another nickname for the account now, and it is the same account",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only say what would be done and what AWS would charge; write nothing",
    )
    parser.add_argument(
        "--new-location",
        action="store_true",
        help="the location is meant, though another backup, or one that is gone, was seen there",
    )
    add_nightly(parser)
