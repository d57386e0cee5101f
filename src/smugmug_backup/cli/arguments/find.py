"""What `smugmug-backup find` understands."""

from typing import Any

from smugmug_backup.cli.parsing import add_location, command_parser

NAME = "find"

SHOWN = 200


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="search a backup for photos and videos",
        description="Find the images of whose file name, title, caption or keywords a word "
        "begins with each WORD\n(accents and case do not matter), and that pass all filters. "
        "The first call reads the whole backup\ninto a catalog in your cache folder; later ones "
        "read only what is new.",
        quiet="only the lines, without a head and a sum",
        example="smugmug-backup find ~/photos-backup quay dusk\n"
        "smugmug-backup find ~/photos-backup --taken 2019..2021 --type video --keys",
    )
    add_location(parser, before="words")
    parser.add_argument("words", metavar="WORD", nargs="*", help="what is looked for")
    parser.add_argument(
        "--album", action="append", default=[], help="only in this album (key or title); repeatable"
    )
    parser.add_argument(
        "--taken",
        metavar="DAYS",
        help="when: 2019, 2019-05, 2019-05-31, or two of them: 2019..2021",
    )
    parser.add_argument(
        "--read-exif",
        action="store_true",
        help="read the dates that SmugMug does not say from all originals first (S3: asks each)",
    )
    parser.add_argument("--gone", action="store_true", help="only what SmugMug shows no more")
    parser.add_argument("--type", choices=("photo", "video"), help="only photos, or only videos")
    parser.add_argument(
        "--near", metavar="LAT,LON,KM", help="only what was taken near a place: 54.48,-0.61,5"
    )
    parser.add_argument(
        "--past", action="store_true", help="look at earlier versions, too: a caption that was"
    )
    parser.add_argument("--all", action="store_true", help=f"show all, not the first {SHOWN}")
    parser.add_argument(
        "--keys", action="store_true", help="print image keys only, one a line, each once"
    )
