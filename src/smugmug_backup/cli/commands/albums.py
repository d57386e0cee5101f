"""`smugmug-backup albums`: the albums of a backup."""

import argparse
from typing import Any

from rich.console import Console

from smugmug_backup.archive.summary import summarise
from smugmug_backup.cli.albums import AlbumSummary, album_state, read_albums
from smugmug_backup.cli.output import (
    Column,
    day,
    number,
    plural,
    print_json,
    print_table,
    size,
)
from smugmug_backup.cli.parsing import FINE, add_location, command_parser
from smugmug_backup.cli.store import open_existing

NAME = "albums"

_COLUMNS = (
    Column("Album", elastic=True, middle=True),
    Column("Images", right=True),
    Column("Size", right=True),
    Column("Changed"),
    Column("State", elastic=True),
    Column("Key"),
)


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="list the albums of a backup",
        description="List the albums of a backup, by path and title. Size: of the images that are "
        "still there\n(1 MB = 10^6 bytes). Changed: when the newest version of the album was "
        "written.",
        example="smugmug-backup albums ~/photos-backup",
    )
    add_location(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """List them."""
    store = open_existing(args.location)
    state = summarise(store, runs=1).state
    states = state.albums if state else {}
    ignored = frozenset(state.ignored_albums) if state else frozenset[str]()
    albums = read_albums(store)

    def said(album: AlbumSummary) -> str:
        key = album.header.album_key
        return album_state(album, states.get(key), ignored=key in ignored)

    if args.json:
        print_json(console, [{**_json(album), "state": said(album)} for album in albums])
        return FINE
    print_table(
        console,
        _COLUMNS,
        (
            (
                album.name,
                number(album.live),
                size(album.bytes),
                day(album.header.written_at),
                said(album),
                album.header.album_key,
            )
            for album in albums
        ),
    )
    if console.is_terminal:
        total = sum(album.live for album in albums)
        console.print(f"\n{plural(len(albums), 'album')}, {plural(total, 'image')}", style="dim")
    return FINE


def _json(album: AlbumSummary) -> dict[str, Any]:
    header = album.header
    return {
        "album_key": header.album_key,
        "title": header.title,
        "path": list(header.path),
        "images": album.live,
        "bytes": album.bytes,
        "generation": header.generation,
        "written_at": header.written_at,
        "deleted_at": header.deleted_at,
        "pending": len(album.pending),
        "unavailable": len(album.unavailable),
        "unverified": len(album.unverified),
        "gone": len(album.gone),
    }
