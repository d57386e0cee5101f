"""What `smugmug-backup browse` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "browse"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="look through a backup in the browser",
        description="Serve pages on this machine alone, and open them in the browser: albums, "
        "photos with their history,\na slider through time, search, what needs you. Ends with "
        "Ctrl-C. Needs the extra `browse`.",
        example="smugmug-backup browse ~/photos-backup\n"
        "smugmug-backup browse ~/photos-backup --static ~/photo-pages",
    )
    add_location(parser)
    parser.add_argument("--port", type=int, default=0, help="the port (default: any that is free)")
    parser.add_argument(
        "--static",
        metavar="DIR",
        help="write the pages into a folder instead: they open by a double click, without a "
        "program; a second call writes only what changed",
    )
    parser.add_argument(
        "--with-originals", action="store_true", help="with --static: copy the originals, too"
    )
    parser.add_argument(
        "--as-of", metavar="DAY", help="with --static: the account as of that day (2026-03-01)"
    )
    parser.add_argument(
        "--read-exif",
        action="store_true",
        help="in S3, too: read the dates that SmugMug does not say from the originals",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
