"""`smugmug-backup doctor`: all that can be asked without changing anything, and what to do."""

import argparse
import platform
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from smugmug_backup import __version__
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli import system_keyring
from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.looks import place, smugmug
from smugmug_backup.cli.looks.line import Line
from smugmug_backup.cli.output import print_json, short
from smugmug_backup.cli.parsing import (
    FINE,
    NOT_ALL,
    add_s3_of_location,
    add_source_options,
    command_parser,
)
from smugmug_backup.cli.secret import credentials_of
from smugmug_backup.cli.settings import (
    LOCATION,
    Setting,
    at_s3,
    profile_name,
    settings_of,
    source_settings_of,
)
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.timers import timers
from smugmug_backup.errors import BackupError
from smugmug_backup.settings import SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.words import Location

NAME = "doctor"

_DESCRIPTION = """\
Look at all that a backup needs, change nothing, and say of each thing that it
is fine or what to do: settings and who made them, the login and its rights,
both of SmugMug's APIs, the clock, the location, the schedule, the last run.

A folder is tried out in a folder of its own, which is taken away again."""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="is all there that a backup needs, and what to do if not",
        description=_DESCRIPTION,
        example="smugmug-backup doctor ~/photos-backup",
        quiet="name only what is not fine",
        looks_only=True,
    )
    parser.add_argument(
        "place",
        nargs="?",
        metavar="LOCATION",
        help="the backup: s3://bucket/prefix, or a folder; without it that which a run would take",
    )
    add_s3_of_location(parser)
    add_source_options(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Tell it; 1 if something has to be done."""
    found = []
    if args.json:
        found = [*_lines(args)]
        fine = all(each.fine for each in found)
        lines = [each.as_json() for each in found]
        print_json(console, {"fine": fine, "version": __version__, "lines": lines})
    else:
        for each in _lines(args):
            found.append(each)
            if each.remedy is not None or not args.quiet:
                _tell(console, each)
        fine = all(each.fine for each in found)
        todo = sum(not each.fine for each in found)
        if fine and not args.quiet:
            console.print("\nAll is fine.", style="bold green")
        elif not fine:
            console.print()
            told = "There is one thing" if todo == 1 else f"There are {todo} things"
            console.print(f"{told} to do: see the lines with DO.", style="bold red")
    return FINE if fine else NOT_ALL


_STYLES = {"fine": None, "note": "yellow", "DO": "bold red"}


def _tell(console: Console, line: Line) -> None:
    said = f"{line.word:<5} {line.subject:<10} {line.said}"
    console.print(said, style=_STYLES[line.word], soft_wrap=True)
    if line.remedy is not None:
        console.print(f"{'':<17}{line.remedy}", soft_wrap=True)
    console.file.flush()


def _lines(args: argparse.Namespace) -> Iterator[Line]:
    yield _versions()
    args.location = args.place
    try:
        settings = settings_of(args)
    except BackupError as error:
        yield Line("settings", shown(str(error)), remedy=hint_of(error))
        return
    yield from map(_setting, settings.values())
    clock = SystemClock()
    source, credentials = None, None
    try:
        source = source_settings_of(args)
        credentials = credentials_of(source.secret)
        yield _secret(source, credentials)
    except BackupError as error:
        yield Line("secret", shown(str(error)), remedy=hint_of(error))
    if source is not None and credentials is not None:
        asked = [smugmug.ask(source, credentials, clock, api) for api in smugmug.APIS]
        yield from smugmug.lines(source, asked, now=clock.now())
    if LOCATION in settings:
        try:
            where = at_s3(args, Location.parse(settings[LOCATION].value))
            yield from place.lines(where, now=clock.now())
        except BackupError as error:
            yield Line("location", shown(str(error)), remedy=hint_of(error))
    else:
        yield Line(
            "location",
            "none is remembered, so each command has to name it",
            remedy="`smugmug-backup setup` remembers one",
            advice=True,
        )
    yield from _schedule(profile_name(args), settings.get(LOCATION))


def _versions() -> Line:
    python = f"Python {platform.python_version()}"
    said = f"smugmug-backup {__version__}, {python}, {platform.system()} {platform.release()}"
    return Line("versions", said)


def _setting(setting: Setting) -> Line:
    return Line(
        "setting", f"{setting.name} is {_short(setting.value)}, by {_short(setting.origin)}"
    )


def _short(text: str) -> str:
    return short(shown(text))


def _secret(source: SourceSettings, credentials: Credentials) -> Line:
    kind = "key and access token" if credentials.signed else "an API key, and no access token"
    said = f"{_short(str(source.secret))} has {kind}"
    if source.secret.kind == "file" and system_keyring.is_there():
        said += "; it could lie in the system's keyring"
    return Line("secret", said)


def _schedule(profile: str, location: Setting | None) -> Iterator[Line]:
    found = timers.states(profile)
    for _, state in found:
        yield Line("schedule", state.said, remedy=state.remedy)
    if len(found) > 1:
        yield Line(
            "schedule",
            "more than one timer starts the same run",
            remedy="`smugmug-backup setup` leaves one of them",
        )
    if not found:
        in_s3 = location is not None and location.value.startswith("s3:")
        said = "nothing on this machine starts a run"
        if in_s3:
            yield Line(
                "schedule",
                f"{said}; if a stack makes it, `smugmug-backup status --stack NAME` looks at that",
            )
        else:
            yield Line(
                "schedule",
                f"{said} of the profile {profile} by a timer of `setup`'s",
                remedy="`smugmug-backup setup` writes one",
                advice=True,
            )
