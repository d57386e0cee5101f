"""`smugmug-backup diff`: what changed between two runs or dates."""

import argparse
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, time

from rich.console import Console

from smugmug_backup.archive.history import (
    AlbumChange,
    Generations,
    ImageChange,
    Moments,
    differences,
)
from smugmug_backup.archive.keys import is_run_id
from smugmug_backup.archive.titles import album_name, shown
from smugmug_backup.cli.account import many
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.output import plural, print_json
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.store import open_to_look
from smugmug_backup.errors import BadRequest

_LAST = time(23, 59, 59)
_SHOWN = 20
_SIGNS = {"new": "+", "back": "+", "gone": "-", "missing": "-", "moved": ">", "forgotten": "-"}
_ORDER = ("new", "back", "replaced", "changed", "moved", "missing", "gone", "forgotten")


def run(args: argparse.Namespace, console: Console) -> int:
    """Tell the differences."""
    opened = open_to_look(args.location)
    with many() as map_:
        moments = Moments.of(opened.archive, map_)
        before, after = _state(moments, args.a), _state(moments, args.b)
        if any(before[key] > after.get(key, 0) for key in before):
            raise Mistaken(f"{args.a} is later than {args.b}", hint="put the earlier one first")
        found = differences(moments, before, after)
    problems = [f"album {key}: {why}" for key, why in sorted(found.problems.items())]
    problems += opened.unseen()
    ended = NOT_ALL if problems else FINE
    tell_problems(problems)
    changes = sorted(found.albums, key=lambda each: (each.path, each.title, each.album_key))
    if args.json:
        albums = [asdict(each) for each in changes]
        print_json(console, {"a": args.a, "b": args.b, "albums": albums, "problems": problems})
        return ended
    for change in changes:
        _tell(console, change, None if args.all else _SHOWN)
    if not args.quiet:
        _total(console, changes)
    return ended


def _state(moments: Moments, text: str) -> Generations:
    if text == "latest":
        return moments.latest()
    if not is_run_id(text):
        return moments.at(_instant(text))
    try:
        return moments.after_run(text)
    except BadRequest:
        hint = "`smugmug-backup status LOCATION` lists the last runs"
        raise Mistaken(f"there is no run {text}", hint=hint) from None


def _instant(text: str) -> datetime:
    """A day is meant to its end; a moment without a zone is one of UTC."""
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text), _LAST, UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Mistaken(
            f"{text!r} is no run id, no date and no time",
            hint="write a run id, 2026-03-01, 2026-03-01T12:00:00Z or latest",
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _tell(console: Console, change: AlbumChange, most: int | None) -> None:
    sign = _SIGNS.get(change.what, "~")
    fields = f": {', '.join(change.fields)}" if change.fields else ""
    console.print(
        f"{sign} album {album_name(change)} ({change.album_key}) {change.what}{fields}",
        style="bold",
    )
    images = sorted(change.images, key=lambda each: (_ORDER.index(each.what), each.file_name or ""))
    for image in images[:most]:
        console.print(f"    {_line(image)}")
    if most is not None and len(images) > most:
        console.print(f"    … and {len(images) - most:,} more (--all)")


def _line(image: ImageChange) -> str:
    text = f"{_SIGNS.get(image.what, '~')} {shown(image.file_name) or '-'} ({image.image_key})"
    text += f" {image.what}"
    if image.moved_to is not None:
        return f"{text} to album {image.moved_to}"
    return text + (f": {', '.join(image.fields)}" if image.fields else "")


def _total(console: Console, changes: list[AlbumChange]) -> None:
    if not changes:
        console.print("no difference")
        return
    counts = {
        what: sum(image.what == what for change in changes for image in change.images)
        for what in _ORDER
    }
    images = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    console.print(f"\n{plural(len(changes), 'album')}; images: {images or 'none'}")
