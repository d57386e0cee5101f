"""`smugmug-backup albums`: the albums of a backup."""

import argparse
from typing import Any

from rich.console import Console

from smugmug_backup.archive.titles import album_name
from smugmug_backup.cli.account import AccountView, read_account
from smugmug_backup.cli.errors import tell_problems
from smugmug_backup.cli.output import (
    Column,
    day,
    number,
    plural,
    print_json,
    print_table,
    size,
)
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_to_look
from smugmug_backup.cli.time import SystemClock

_COLUMNS = (
    Column("Album", elastic=True, middle=True),
    Column("Images", right=True),
    Column("Size", right=True),
    Column("Listed"),
    Column("State", elastic=True),
    Column("Key"),
)


def run(args: argparse.Namespace, console: Console) -> int:
    """List them."""
    opened = open_to_look(args.location)
    account = read_account(opened.archive, now=SystemClock().now())
    broken = [*(f"{account.name(key)}: {why}" for key, why in account.damage.items())]
    broken += opened.unseen()
    ended = NOT_ALL if broken else FINE
    tell_problems(broken)
    if args.json:
        print_json(console, [_json(account, key) for key in account.by_name()])
        return ended
    states = account.albums
    print_table(
        console,
        _COLUMNS,
        (
            (
                album_name(states[key]),
                number(states[key].image_count),
                size(states[key].bytes),
                day(states[key].listed_at),
                account.said_of(key),
                key,
            )
            for key in account.by_name()
        ),
        head=not args.quiet,
    )
    if console.is_terminal and not args.quiet:
        total = sum(state.image_count for state in states.values() if not state.gone)
        console.print(f"\n{plural(len(states), 'album')}, {plural(total, 'image')}", style="dim")
    return ended


def _json(account: AccountView, key: str) -> dict[str, Any]:
    state = account.albums[key]
    return {
        "album_key": key,
        "title": state.title,
        "path": list(state.path),
        "images": state.image_count,
        "bytes": state.bytes,
        "generation": state.generation,
        "listed_at": state.listed_at,
        "missing_since": state.missing_since,
        "deleted_at": state.deleted_at,
        "pending": state.pending,
        "unavailable": state.unavailable,
        "unverified": state.unverified,
        "damage": account.damage.get(key),
        "state": account.said_of(key),
    }
