"""`smugmug-backup catalog`: a SQLite database of a backup."""

import argparse
from typing import Any

from rich.console import Console

from smugmug_backup.cli.catalogs import cache_of, open_catalog, reading
from smugmug_backup.cli.dates import add_dates
from smugmug_backup.cli.errors import tell_problems
from smugmug_backup.cli.output import make_console, plural, print_json
from smugmug_backup.cli.parsing import FINE, NOT_ALL, add_location, command_parser
from smugmug_backup.cli.store import open_to_look
from smugmug_backup.words import a_path

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


def run(args: argparse.Namespace, console: Console) -> int:
    """Make it."""
    opened = open_to_look(args.location)
    file = a_path(args.file)
    with reading() as tell, open_catalog(opened.archive, file, cached=False, tell=tell) as catalog:
        add_dates(
            catalog.db,
            opened.archive,
            args.location,
            cache_of(args.location),
            make_console(stderr=True),
            seconds=None,
            asked=args.read_exif,
        )
        (images,) = catalog.db.execute("SELECT count(*) FROM images").fetchone()
        names = dict(catalog.db.execute("SELECT album_key, name FROM albums"))
    updated = catalog.updated
    problems = [f"{names.get(key) or key}: {why}" for key, why in updated.problems.items()]
    problems += opened.unseen()
    tell_problems(problems)
    if args.json:
        print_json(
            console,
            {
                "file": str(file),
                "albums": len(names),
                "images": images,
                "albums_read": updated.albums,
                "problems": problems,
            },
        )
    else:
        read = f"{plural(updated.albums, 'album')} read" if updated.albums else "nothing was new"
        console.print(f"{file}: {plural(len(names), 'album')}, {plural(images, 'image')}; {read}")
    return NOT_ALL if problems else FINE
