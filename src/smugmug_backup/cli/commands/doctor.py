"""`smugmug-backup doctor`: all that can be asked without changing anything, and what to do."""

import argparse
import platform
from collections.abc import Iterator

from rich.console import Console

from smugmug_backup import __version__
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli import system_keyring
from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.looks import place, smugmug
from smugmug_backup.cli.looks.line import Line
from smugmug_backup.cli.output import print_json, short
from smugmug_backup.cli.parsing import FINE, NOT_ALL
from smugmug_backup.cli.secret import credentials_of
from smugmug_backup.cli.settings import (
    LOCATION,
    SECRET,
    Setting,
    at_s3,
    profile_name,
    settings_of,
    source_settings_of,
)
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.timers import timers
from smugmug_backup.errors import BackupError
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.words import Location


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
    said = f"{setting.name} is {_shown(setting)}, by {_short(setting.origin)}"
    return Line("setting", said)


def _shown(setting: Setting) -> str:
    """Its value, unless that may be the secret itself where its name belongs: who asks for help
    sends this to strangers."""
    if setting.name == SECRET:
        try:
            SecretName.parse(setting.value)
        except ValueError:
            return "no name of a secret (and is not shown: it may be the secret itself)"
    return _short(setting.value)


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
