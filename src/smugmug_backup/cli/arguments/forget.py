"""What `smugmug-backup forget` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "forget"

_DESCRIPTION = """\
Delete images from the backup for good: their bytes in every version that was
ever stored, and all that SmugMug said of them, in every album of the backup.

This cannot be undone, and is done only after you have typed the image's key,
or the number of images if there are several. What SmugMug has is not touched:
delete it there, too. Until then the backup leaves these images out of the
albums that have them now.

What stays: the file name, the key and hashes, in the manifests, and the file
name in reports and copies of the backup. If it is interrupted, or could not
delete everything, the same command goes on. Not while a run is at work.

`smugmug-backup images LOCATION ALBUM` shows the keys of images."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="delete images from the backup for good",
        description=_DESCRIPTION,
        example="smugmug-backup forget ~/photos-backup V2xgTbs",
    )
    add_location(parser, before="images")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="the key of an image")
