"""What `smugmug-backup repair` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, add_one_writer, add_s3_options, command_parser

NAME = "repair"

_DESCRIPTION = """\
Bring what a check found damaged from another copy of the backup: originals and
records, and manifests and reports of its history.

Each file is proved by the SHA-256 that this backup itself states of it. Nothing
is overwritten: where damaged bytes have the name, the good ones get the next
number, and every command finds them there. Doing it twice changes nothing.

First `check LOCATION --read-data all`; afterwards again, and the next run says
of what was brought that it is stored. A run mends without a copy what SmugMug
still has."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="bring what is damaged from another copy of the backup",
        description=_DESCRIPTION,
        example="smugmug-backup repair ~/photos-backup --from /mnt/disk/photos-backup",
    )
    add_location(parser)
    parser.add_argument(
        "--from", dest="other", metavar="OTHER", required=True, help="the copy that has it"
    )
    add_one_writer(parser)
    add_s3_options(parser, "from", what="OTHER")
