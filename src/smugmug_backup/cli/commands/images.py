"""`smugmug-backup images`: the images of one album of a backup."""

import argparse

from rich.console import Console

from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.titles import album_name, find_albums, shown
from smugmug_backup.cli.account import read_account
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.output import (
    Column,
    day,
    plural,
    print_json,
    print_table,
    size,
)
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_to_look
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.troubles import why_unverified
from smugmug_backup.errors import NotABackup

_COLUMNS = (
    Column("File", elastic=True, middle=True),
    Column("Updated"),
    Column("Size", right=True),
    Column("State", elastic=True),
    Column("Key"),
)


def run(args: argparse.Namespace, console: Console) -> int:
    """List them."""
    opened = open_to_look(args.location)
    archive = opened.archive
    account = read_account(archive, now=SystemClock().now())
    (key,) = find_albums([args.album], account.albums)
    state = account.albums[key]
    newest = archive.newest(key, state.generation, state.manifest_sha256)
    damage = newest.damage or account.damage.get(key)
    manifest = newest.manifest
    if manifest is None and damage is None:
        raise Mistaken(
            f"nothing of {account.name(key)} is stored yet",
            hint="`smugmug-backup status LOCATION` says why",
        )
    if manifest is None:
        raise NotABackup(str(damage))
    if damage is not None:
        tell_problems([f"{damage}; what follows is version {manifest.header.generation}"])
    ended = FINE if damage is None else NOT_ALL
    entries = sorted(manifest.entries.values(), key=_order)
    if args.json:
        print_json(
            console,
            {**manifest.header.as_json(), "images": [entry.as_json() for entry in entries]},
        )
        return ended
    if console.is_terminal and not args.quiet:
        console.print(album_name(manifest.header), style="bold")
    print_table(
        console,
        _COLUMNS,
        (
            (
                shown(entry.file_name) or "-",
                entry.last_updated or "-",
                size(entry.original.bytes),
                _state(entry),
                entry.image_key,
            )
            for entry in entries
        ),
        head=not args.quiet,
    )
    if console.is_terminal and not args.quiet:
        live = sum(entry.live for entry in entries)
        gone = f", {len(entries) - live} gone" if live < len(entries) else ""
        console.print(f"\n{plural(live, 'image')}{gone}", style="dim")
    return ended


def _order(entry: Entry) -> tuple[bool, bool, int, str]:
    unknown = entry.position is None
    return (not entry.live, unknown, entry.position or 0, entry.file_name or "")


def _state(entry: Entry) -> str:
    if entry.deleted_at is not None:
        return f"gone {day(entry.deleted_at)}"
    if entry.missing_since is not None:
        return f"missing {day(entry.missing_since)}"
    original = entry.original
    if not original.stored:
        return f"{original.status}: {original.reason}"
    return "ok" if original.verified else f"unverified: {why_unverified(entry)}"
