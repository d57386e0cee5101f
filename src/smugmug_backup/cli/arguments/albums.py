"""What `smugmug-backup albums` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "albums"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="list the albums of a backup",
        description="List the albums of a backup, by path and title. Size: of the images that are "
        "still there\n(1 MB = 10^6 bytes). Listed: when SmugMug last showed what is in it.",
        looks_only=True,
        quiet="only the lines, without a head and a sum",
        example="smugmug-backup albums ~/photos-backup",
    )
    add_location(parser)
