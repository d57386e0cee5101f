"""What `smugmug-backup doctor` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_s3_of_location, add_source_options, command_parser

NAME = "doctor"

_DESCRIPTION = """\
Look at all that a backup needs, change nothing, and say of each thing that it
is fine or what to do: settings and who made them, the login and its rights,
both of SmugMug's APIs, the clock, the location, the schedule, the last run.

A folder is tried out in a folder of its own, which is taken away again."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="is all there that a backup needs, and what to do if not",
        description=_DESCRIPTION,
        example="smugmug-backup doctor ~/photos-backup",
        quiet="name only what is not fine",
        looks_only=True,
    )
    parser.add_argument(
        "place",
        nargs="?",
        metavar="LOCATION",
        help="the backup: s3://bucket/prefix, or a folder; without it that which a run would take",
    )
    add_s3_of_location(parser)
    add_source_options(parser)
