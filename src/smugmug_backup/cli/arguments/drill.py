"""What `smugmug-backup drill` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, add_source_options, command_parser
from smugmug_backup.words import DRILL_IMAGES

NAME = "drill"

_DESCRIPTION = f"""\
Hold a fire drill: take {DRILL_IMAGES} photos by chance, spread over years and albums, find
them in the backup as somebody would who has nothing but its seal, read them
back whole, and compare them with what SmugMug serves, afresh downloaded.

Nothing is written but what was found: a report under drills/ in the backup,
and, if something is wrong, a report under checks/, so that the next run looks
at it and mends what SmugMug still has. What left SmugMug, or was replaced
there since, is no alarm. From S3, reading costs its owner a few cents at most."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="restore a few photos to nowhere, and compare them with SmugMug",
        description=_DESCRIPTION,
        example="smugmug-backup drill ~/photos-backup --images 5",
    )
    add_location(parser)
    parser.add_argument(
        "--images",
        type=int,
        default=DRILL_IMAGES,
        metavar="N",
        help=f"how many photos ({DRILL_IMAGES})",
    )
    add_source_options(parser)
