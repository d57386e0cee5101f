"""What `smugmug-backup catalog` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "catalog"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="make a SQLite database of a backup",
        description="Make FILE, a SQLite database of all albums, images and their versions, runs "
        "and checks, for any\nprogram that reads SQLite; or bring it up to date, which reads only "
        "what is new. It is no part of the\nbackup: delete it, and it can be made again. "
        "Its tables: SCHEMA.md in the program's folder catalog/.",
        example="smugmug-backup catalog ~/photos-backup photos.sqlite",
    )
    add_location(parser)
    parser.add_argument(
        "--read-exif",
        action="store_true",
        help="in S3, too: read the dates that SmugMug does not say from the originals",
    )
    parser.add_argument("file", metavar="FILE", help="the database to make or bring up to date")
