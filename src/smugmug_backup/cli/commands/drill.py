"""`smugmug-backup drill`: restore a few photos to nowhere, and compare them with SmugMug."""

import argparse
import json
import secrets
from collections.abc import Mapping

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.drill_report import ALARMS, Outcome, sentence
from smugmug_backup.archive.report import AlbumState
from smugmug_backup.archive.titles import album_name, shown
from smugmug_backup.cli.account import many
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.output import print_json
from smugmug_backup.cli.parsing import (
    FINE,
    NOT_ALL,
)
from smugmug_backup.cli.secret import credentials_of
from smugmug_backup.cli.settings import source_settings_of
from smugmug_backup.cli.store import open_existing
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest
from smugmug_backup.keeping.drill import Drill, drill
from smugmug_backup.ports import BackupStore, PhotoSource
from smugmug_backup.wiring import build_source, check_whose
from smugmug_backup.words import MOST_DRILL_IMAGES


def run(args: argparse.Namespace, console: Console) -> int:
    """Drill, and tell."""
    if not 1 <= args.images <= MOST_DRILL_IMAGES:
        raise BadRequest(f"--images must be a number from 1 to {MOST_DRILL_IMAGES}")
    store = open_existing(args.location)
    archive, clock = Archive(store), SystemClock()
    with many() as map_:
        done = drill(
            archive,
            open_source(args, store),
            clock=clock,
            token=secrets.token_hex(4),
            dice=secrets.randbelow,
            deadline=Deadline.none(clock),
            map_=map_,
            images=args.images,
        )
    if done is None:
        hint = "`smugmug-backup status LOCATION` says why"
        raise Mistaken("no run has told the account's state yet: nothing to drill", hint=hint)
    if args.json:
        print_json(console, json.loads(done.report.to_bytes()))
    else:
        _tell(console, done, archive.reports(now=clock.now()).albums)
    if done.not_written is not None:
        tell_problems([f"what was found could not be written into the backup: {done.not_written}"])
    return FINE if done.passed and done.not_written is None else NOT_ALL


def open_source(args: argparse.Namespace, store: BackupStore) -> PhotoSource:
    """The account that the settings name."""
    settings = source_settings_of(args)
    credentials = credentials_of(settings.secret)
    check_whose(settings, credentials)
    return build_source(settings, credentials, SystemClock(), store=store)


_WORDS: Mapping[Outcome, str] = {
    Outcome.REPLACED_SINCE: "replaced at SmugMug since the last run",
    Outcome.GONE_SINCE: "gone from SmugMug since the last run",
    Outcome.UNAVAILABLE_AT_SOURCE: "not delivered by SmugMug today",
    Outcome.DIFFERS: "NOT AS SMUGMUG HAS IT",
    Outcome.DAMAGED: "DAMAGED",
    Outcome.UNREADABLE: "NOT TO BE READ",
    Outcome.BROKEN_CHAIN: "NOT PROVED",
}


def _tell(console: Console, done: Drill, albums: Mapping[str, AlbumState]) -> None:
    style = "bold green" if done.passed else "bold red"
    console.print(sentence(done.report), style=style, soft_wrap=True)
    for each in done.report.images:
        if each.outcome == Outcome.SAME:
            continue
        album = album_name(albums[each.album_key]) if each.album_key in albums else each.album_key
        image = f", image {each.image_key}" if each.image_key else ""
        said = f": {shown(each.message)}" if each.message else ""
        console.print(
            f"  {album}{image}: {_WORDS[each.outcome]}{said}",
            style="red" if each.outcome in ALARMS else None,
            soft_wrap=True,
        )
    if done.check is not None:
        console.print(
            "The next run looks at it; `smugmug-backup status LOCATION` says what is left."
        )
    if done.not_written is None:
        console.print(f"The report: {done.report.key}", soft_wrap=True)
