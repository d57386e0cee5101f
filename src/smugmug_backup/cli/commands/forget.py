"""`smugmug-backup forget`: delete images from the backup for good."""

import argparse
import secrets
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.account import many
from smugmug_backup.cli.asking import somebody_is_there
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.output import make_console, plural, print_json
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_existing, open_remover
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.errors import NotABackup
from smugmug_backup.keeping.forget import Forgotten, Held, decide, forget, look


def run(args: argparse.Namespace, console: Console) -> int:
    """Show what would be deleted, ask, delete."""
    archive, clock = Archive(open_existing(args.location)), SystemClock()
    remover = open_remover(args.location)
    say = make_console(stderr=True) if args.json else console
    with many() as map_:
        try:
            held = look(archive, args.images, now=clock.now(), map_=map_)
            _announce(say, held)
            _confirm(say, held.images)
            done = forget(
                archive,
                remover,
                held.images,
                clock=clock,
                token=secrets.token_hex(4),
                map_=map_,
            )
        except NotABackup as error:
            hint = "a run mends what is damaged; `smugmug-backup check LOCATION` names it all"
            raise Mistaken(f"nobody can say what there is to delete: {error}", hint=hint) from None
    if args.json:
        print_json(console, _as_json(done))
    elif not args.quiet or done.left:
        _tell(console, done)
    tell_problems(f"{key} could not be deleted: {why}" for key, why in done.left.items())
    return NOT_ALL if done.left else FINE


def _announce(say: Console, held: Held) -> None:
    say.print("to be deleted from the backup, for good:", style="bold")
    for image in held.images:
        albums = "; ".join(held.titles_of(image)) or "no album"
        name = shown(held.file_name_of(image)) or "-"
        files = plural(len(held.originals[image]), "original")
        again = "" if held.told[image] is None else "; was forgotten before"
        say.print(f"  {name} ({image}), in {albums}: {files}{again}", soft_wrap=True)
    named = plural(len(decide(held).remove), "file")
    say.print(f"{named} in all versions, of {plural(len(held.albums), 'album')}")
    say.print(
        "SmugMug keeps what it has: delete it there, too. The file names stay in manifests and "
        "reports.",
        soft_wrap=True,
    )


def _confirm(say: Console, images: Sequence[str]) -> None:
    """Have it typed, and nothing else will do. Raises BadRequest."""
    alone = len(images) == 1
    wanted = images[0] if alone else str(len(images))
    what = f"the image's key ({wanted})" if alone else f"the number of images ({wanted})"
    say.print(f"Type {what} to delete for good: ", end="", soft_wrap=True)
    say.file.flush()
    try:
        line = sys.stdin.readline() if sys.stdin is not None else ""
    except (UnicodeDecodeError, OSError, ValueError):
        line = ""
    if not line.endswith("\n") or not somebody_is_there():
        say.print()
    if line.strip() != wanted:
        raise Mistaken("that was not it: nothing was changed", hint=f"type {what}")


def _tell(console: Console, done: Forgotten) -> None:
    for album_key, generation in done.committed:
        console.print(f"album {album_key}: generation {generation} leaves it out")
    console.print(f"deleted {plural(len(done.removed), 'file')}")
    if done.left:
        console.print("NOT ALL was deleted; the same command tries again", style="bold red")
    else:
        console.print("forgotten", style="bold green")


def _as_json(done: Forgotten) -> dict[str, Any]:
    return {
        "images": list(done.images),
        "generations": [
            {"album_key": album_key, "generation": generation}
            for album_key, generation in done.committed
        ],
        "deleted": list(done.removed),
        "not_deleted": [{"key": key, "message": why} for key, why in done.left.items()],
    }
