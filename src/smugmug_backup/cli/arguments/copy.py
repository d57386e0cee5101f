"""What `smugmug-backup copy` understands."""

from typing import Any

from smugmug_backup.cli.parsing import (
    add_notify,
    add_one_writer,
    add_s3_options,
    command_parser,
    threads,
)

NAME = "copy"

_DESCRIPTION = """\
Copy the whole backup into another place: a folder (an external disk, a NAS), or
S3 (another region, another provider). Only what is missing there is copied, and
each file is verified by its SHA-256 while it passes. Nothing is overwritten.
From S3 to S3 the bytes stay within AWS, where the credentials of TO may read
FROM; then S3 states the SHA-256 of what it wrote.

The copy is a sound backup at every moment: if it is interrupted, the same
command goes on, and a run at the same time does no harm. At the end it has the
same seal (`status` shows it). Checks and drills speak of one place and stay
there.

What is damaged in FROM is left out and named, all the rest is copied; what
cannot be read tonight waits for the next time, with all that names it. What lies
in an archive class (Glacier Flexible Retrieval, Deep Archive) is told before
anything is copied, and how to thaw it."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="copy the whole backup into another place",
        description=_DESCRIPTION,
        example="smugmug-backup copy ~/photos-backup /mnt/disk/photos-backup",
    )
    parser.add_argument("source", metavar="FROM", help="the backup: s3://bucket/prefix or a folder")
    parser.add_argument(
        "target", metavar="TO", help="where it goes: s3://bucket/prefix or a folder"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be copied, and what it costs"
    )
    parser.add_argument(
        "--yes", action="store_true", help="do not ask, whatever AWS charges for the data"
    )
    parser.add_argument(
        "--threads", type=threads, default=8, metavar="N", help="files at a time (default 8)"
    )
    parser.add_argument(
        "--leave-unreadable",
        action="store_true",
        help="leave out what cannot be read, as what is damaged, and copy what names it",
    )
    parser.add_argument(
        "--list-archived",
        action="store_true",
        help="only print the names of what has to be thawed before it can be copied",
    )
    add_one_writer(parser)
    add_s3_options(parser, "from", what="FROM")
    add_s3_options(parser, "to", what="TO")
    add_notify(parser)
