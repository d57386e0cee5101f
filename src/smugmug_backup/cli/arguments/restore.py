"""What `smugmug-backup restore` understands."""

import argparse
from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser, threads
from smugmug_backup.restore.ways import SIDECARS, WAYS

NAME = "restore"

_DESCRIPTION = """\
Write the photos and videos of a backup into a folder: albums as folders named
as in SmugMug, files under their own names, their times set, sidecars beside
each, and tables of all that has no place there (albums.csv, photos.csv).

--for says which program they are for: names, sidecars and folders are then as
it reads them; docs/ways-out.md says what each one reads and ignores.

Nothing is ever overwritten. Every file is verified before it gets its name, so
the same command can be repeated after an interruption and goes on where it was.

Names: what no file system may have becomes _; of several images of one name in
an album the first keeps it, the others get their ImageKey: DSC_1 (V2xgTbs).JPG.
Videos come re-encoded from SmugMug: ferry.mov that is an mp4 becomes ferry.mp4.
Times: when the photo was taken, as SmugMug says. API 1.3.0 does not tell the
time zone: its times are read as UTC and may be some hours off.
An image in several albums is fetched once and written into each of them."""


def add_parser(subparsers: Any) -> None:
    """The command's arguments."""
    parser = command_parser(
        subparsers,
        NAME,
        help="write the photos of a backup into a folder",
        description=_DESCRIPTION,
        quiet="say nothing if all is restored",
        example="smugmug-backup restore ~/photos-backup ~/for-immich --for immich\n"
        "smugmug-backup restore ~/photos-backup ~/restored --album 'Harbour 2024'",
    )
    add_location(parser)
    parser.add_argument("target", metavar="TARGET", help="the folder to write into")
    parser.add_argument(
        "--for",
        dest="way",
        choices=tuple(WAYS),
        default="files",
        help="the program that the files are for (default: files, for any program)",
    )
    parser.add_argument(
        "--album",
        action="append",
        default=[],
        metavar="KEY|TITLE|PATH",
        help="only this album, even if it has left SmugMug, as `albums` names it: by its key, "
        "its title, or path and title; can be repeated",
    )
    parser.add_argument(
        "--as-of",
        metavar="DAY|RUN",
        help="as the backup was at the end of a day (2026-03-01, UTC) or after a run (its id)",
    )
    parser.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="KEYS",
        help="only these images, in every album they are in, even if they have left SmugMug: keys "
        "with commas between them, or - to read them, one a line, as `find --keys` prints them",
    )
    gone = parser.add_mutually_exclusive_group()
    gone.add_argument(
        "--with-gone", action="store_true", help="bring back what has left SmugMug, too"
    )
    gone.add_argument("--gone", action="store_true", help="only what has left SmugMug")
    parser.add_argument(
        "--sidecar",
        choices=SIDECARS,
        help="json: all that SmugMug says of the image; xmp: title, caption, keywords, date, "
        "place, rating and album, for other programs; both; none (default: as --for needs them)",
    )
    parser.add_argument(
        "--embed",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="write the same into the restored files, the picture unchanged; what cannot take it "
        "gets a sidecar (default: as --for needs it)",
    )
    parser.add_argument(
        "--bag", action="store_true", help="make TARGET a BagIt bag (RFC 8493), for archives"
    )
    parser.add_argument(
        "--threads", type=threads, default=8, metavar="N", help="files at a time (default 8)"
    )
    parser.add_argument(
        "--yes", action="store_true", help="do not ask, whatever AWS charges for the data"
    )
    parser.add_argument(
        "--list-archived",
        action="store_true",
        help="fetch nothing; print the keys of what must be thawed first, one a line",
    )
