"""What `smugmug-backup images` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "images"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="list the images of one album of a backup",
        description="List the images of one album, in the album's order; what has left it comes "
        "last.\nUpdated: when it was last changed at SmugMug, as SmugMug writes it. "
        "1 MB = 10^6 bytes.",
        looks_only=True,
        quiet="only the lines, without a head and a sum",
        example='smugmug-backup images ~/photos-backup "Harbour 2024"',
    )
    add_location(parser)
    parser.add_argument("album", metavar="ALBUM", help="the album's key or title")
