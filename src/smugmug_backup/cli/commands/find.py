"""`smugmug-backup find`: search a backup."""

import argparse
from dataclasses import asdict
from typing import Any

from rich.console import Console

from smugmug_backup.archive.titles import find_albums
from smugmug_backup.catalog.search import Days, Found, Near, Query, search, undated
from smugmug_backup.cli.arguments.find import SHOWN
from smugmug_backup.cli.catalogs import albums_of, cache_of, open_catalog, reading
from smugmug_backup.cli.dates import add_dates
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.output import Column, make_console, plural, print_json, print_table, size
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_to_look

_SECONDS = 5.0
_STILL = "the dates of {photos} were not read yet; the next call goes on (--read-exif: all at once)"
_COLUMNS = (
    Column("File", elastic=True, middle=True),
    Column("Album", elastic=True, middle=True),
    Column("Taken"),
    Column("Size", right=True),
    Column("Says", elastic=True),
    Column("Key"),
)


def run(args: argparse.Namespace, console: Console) -> int:
    """Search."""
    query = _query(args)
    opened = open_to_look(args.location)
    with (
        reading() as tell,
        open_catalog(opened.archive, cache_of(args.location), tell=tell) as catalog,
    ):
        albums = albums_of(catalog.db)
        left = 0
        if query.taken or args.read_exif:
            left = add_dates(
                catalog.db,
                opened.archive,
                args.location,
                cache_of(args.location),
                make_console(stderr=True),
                seconds=None if args.read_exif else _SECONDS,
                asked=args.read_exif,
            )
        if args.album:
            query = Query(**{**_fields(query), "albums": tuple(find_albums(args.album, albums))})
        found = list(search(catalog.db, query))
        without = undated(catalog.db, query) if query.taken else 0
    problems = [
        f"{albums[key].name if key in albums else key}: {why}"
        for key, why in catalog.updated.problems.items()
    ]
    problems += opened.unseen()
    tell_problems(problems)
    if args.json:
        images = [asdict(each) for each in found]
        print_json(console, {"images": images, "undated": without, "problems": problems})
    elif args.keys:
        for key in dict.fromkeys(each.image_key for each in found):
            console.print(key)
    else:
        everything = args.all or not console.is_terminal
        if left:
            tell_problems([_STILL.format(photos=plural(left, "photo"))])
        _show(console, found, without, everything=everything, quiet=args.quiet)
    return NOT_ALL if problems else FINE


def _query(args: argparse.Namespace) -> Query:
    query = Query(
        words=tuple(word for each in args.words for word in each.split()),
        taken=Days.parse(args.taken) if args.taken else None,
        gone=True if args.gone else None,
        video=None if args.type is None else args.type == "video",
        near=Near.parse(args.near) if args.near else None,
        past=args.past,
    )
    if query == Query(past=args.past) and not args.album:
        raise Mistaken(
            "nothing to look for was said",
            hint="give a word, or a filter: --album, --taken, --gone, --type, --near",
        )
    return query


def _fields(query: Query) -> dict[str, Any]:
    return {name: getattr(query, name) for name in Query.__dataclass_fields__}


def _show(
    console: Console, found: list[Found], without: int, *, everything: bool, quiet: bool
) -> None:
    shown = found if everything else found[:SHOWN]
    if found:
        print_table(console, _COLUMNS, map(_row, shown), head=not quiet)
    if quiet:
        return
    if console.is_terminal:
        console.print()
        if len(shown) < len(found):
            console.print(f"… and {len(found) - len(shown):,} more (--all)")
    if console.is_terminal or not found:
        console.print(plural(len(found), "image") if found else "nothing found", style="dim")
    if without:
        console.print(f"of {plural(without, 'image')} no date is known", style="dim")


def _row(found: Found) -> tuple[str, ...]:
    said = [found.caption or found.title or "", found.keywords or ""]
    if found.gone_since:
        said.insert(0, f"gone {found.gone_since[:10]}")
    elif found.valid_until:
        said.insert(0, f"until {found.valid_until[:10]}")
    return (
        found.file_name or "-",
        found.album_name,
        (found.taken_at or "-")[:10],
        size(found.bytes),
        " · ".join(each for each in said if each),
        found.image_key,
    )
