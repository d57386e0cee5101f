"""`smugmug-backup catalog`: a SQLite database of a backup."""

import argparse

from rich.console import Console

from smugmug_backup.cli.catalogs import cache_of, open_catalog, reading
from smugmug_backup.cli.dates import add_dates
from smugmug_backup.cli.errors import tell_problems
from smugmug_backup.cli.output import make_console, plural, print_json
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_to_look
from smugmug_backup.restore.folder import refuse_overlap
from smugmug_backup.words import a_path


def run(args: argparse.Namespace, console: Console) -> int:
    """Make it."""
    opened = open_to_look(args.location)
    file = a_path(args.file)
    refuse_overlap(str(args.location), file)
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
