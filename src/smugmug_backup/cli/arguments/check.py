"""What `smugmug-backup check` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, add_notify, command_parser

NAME = "check"

_DESCRIPTION = """\
Check a backup by listing it: everything that the newest version of every album
names is there and has the right size, no version is missing, all files are
what the format says.

With --history, every version of every album is read, and the chain of reports
from the newest one to the first.

With --read-data, originals and records are also read again and compared with
their SHA-256. An amount takes today's turn, that which has waited longest
(1 GB = 10^9 bytes): checked every day, everything has its turn; all reads the
history too. What lies in an archive class is counted, not read.

What is found is written down under checks/ and stays open until a check finds
it past; the next run mends what SmugMug still has. Nothing else is changed."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="check that a backup is sound",
        description=_DESCRIPTION,
        quiet="say nothing if the backup is sound",
        example="smugmug-backup check ~/photos-backup\n"
        "smugmug-backup check ~/photos-backup --read-data 5GB",
    )
    add_location(parser)
    parser.add_argument("--read-data", metavar="AMOUNT", help="5GB, 5%% or all")
    parser.add_argument(
        "--history", action="store_true", help="also all older versions and reports"
    )
    parser.add_argument(
        "--accept",
        metavar="KEY",
        action="append",
        default=[],
        help="accept that this file, which a check named, is lost; may be given several times",
    )
    add_notify(parser)
