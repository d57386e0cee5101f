"""`smugmug-backup setup`: three questions, then it runs every night. Each step can be repeated."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli import known, system_keyring
from smugmug_backup.cli.arguments.setup import AT
from smugmug_backup.cli.asking import agreed, ask
from smugmug_backup.cli.commands import authorize
from smugmug_backup.cli.errors import Mistaken, hint_of
from smugmug_backup.cli.looks import place, smugmug
from smugmug_backup.cli.looks.smugmug import Asked
from smugmug_backup.cli.output import make_console, print_json
from smugmug_backup.cli.parsing import COULD_NOT, FINE
from smugmug_backup.cli.profiles import (
    DEFAULT,
    NAMES,
    BrokenSettings,
    config_path,
    read_profile,
    write_profile,
)
from smugmug_backup.cli.secret import credentials_of
from smugmug_backup.cli.settings import profile_name, source_settings_of
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.timers import timers
from smugmug_backup.cli.timers.job import jobs_of, name_of, program, time_of_day
from smugmug_backup.errors import BackupError, BadRequest
from smugmug_backup.model import Album
from smugmug_backup.settings import API_AUTO, API_V2, SourceSettings
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location

_TRIES = 5


def run(args: argparse.Namespace, console: Console) -> int:
    """Set it up; see the parser."""
    say = make_console(stderr=True) if args.json else console
    name_of(profile_name(args))
    if args.remove_timer:
        removed = _remove_timer(args, say)
        if args.json:
            print_json(console, {"profile": profile_name(args), "timers_removed": removed})
        return FINE
    return _Setup(args, say).run(console)


def _remove_timer(args: argparse.Namespace, say: Console) -> list[str]:
    removed = timers.remove_all(profile_name(args))
    for name in removed:
        say.print(f"The timer of {name} is removed.")
    if not removed:
        say.print(f"There was no timer of the profile {profile_name(args)}.")
    return removed


class _Setup:
    """The steps, one after the other; each remembers what it found before the next begins."""

    def __init__(self, args: argparse.Namespace, say: Console) -> None:
        self._args = args
        self._say = say
        self._clock = SystemClock()
        self._profile = profile_name(args)
        self._path = config_path()

    def run(self, console: Console) -> int:
        """All of it; the exit status."""
        before = self._remembered()
        self._keep(_of_the_environment())
        location = self._where(before.get("location"))
        asked = self._log_in()
        api = self._choose_api(asked, before.get("api"))
        hour, minute = self._when(before.get("at"))
        ran = self._small_run(location, asked)
        timer = self._start_every_night(hour, minute)
        if self._args.json:
            value = {
                "profile": self._profile,
                "settings": str(self._path),
                "location": str(location),
                "account": next(each.account.nickname for each in asked if each.account),
                "api": api,
                "at": f"{hour:02}:{minute:02}",
                "timer": timer,
                "first_run": ran,
            }
            print_json(console, value)
        if ran not in (None, FINE):
            self._say.print("The first run was not complete: see above.", style="bold red")
            return COULD_NOT if ran == COULD_NOT else ran or FINE
        self._say.print("\nAll is set up.", style="bold green")
        self._print(f"`{self._command('run')}` makes the first whole run now, or the night does.")
        self._print(f"`{self._command('doctor')}` says at any time whether all is well.")
        return FINE

    # -- what is remembered ------------------------------------------------------------------

    def _remembered(self) -> dict[str, Any]:
        try:
            return read_profile(self._profile, self._path)
        except BrokenSettings as error:
            self._print(f"{error}. It is put aside.")
            self._keep({})
            return {}
        except Mistaken:
            return {}  # the profile begins here

    def _keep(self, changes: dict[str, Any]) -> None:
        write_profile(self._profile, changes, self._path)

    # -- where to ----------------------------------------------------------------------------

    def _where(self, before: str | None) -> Location:
        given = self._args.to
        for _ in range(_TRIES):
            question = "Where to? A folder, or s3://bucket/prefix"
            text = self._asked(question, before) if given is None else given
            try:
                location = _absolute(Location.parse(text))
                self._try(location)
            except BackupError as error:
                if given is not None or self._args.yes:
                    raise
                self._print(f"{shown(str(error))}.", style="yellow")
                self._print(f"({hint_of(error)})", style="yellow")
                continue
            self._keep({"location": str(location)})
            self._print(f"{location} will do.")
            return location
        raise Mistaken("no location would do", hint="docs/disk.md says which disks will do")

    def _try(self, location: Location) -> None:
        """Make it ready, and see whether it is what it was. Raises BackupError."""
        folder = location.folder
        if folder is not None:
            self._make_parent(folder.parent)
        there = folder is None or os.path.lexists(folder)
        if there:
            archive = Archive(open_store(location))
            met, _ = known.meet_at(location, archive)
            refused = known.refusal(met, location)
            if refused is not None and not self._args.new_location:
                self._print(f"{refused}", style="yellow")
                if self._args.yes or not agreed(self._say, "Is it meant?", otherwise=False):
                    raise refused
                self._args.new_location = True
        store = open_store(location, create=True)
        if folder is None:
            Archive(store).holds_backup()
        else:
            place.try_out(folder)

    def _make_parent(self, parent: Path) -> None:
        if os.path.lexists(parent):
            return
        if not self._args.yes:
            self._print(f"There is no folder {parent}.", style="yellow")
        if not self._agreed("If no disk has to be mounted there first: make it?", otherwise=False):
            raise Mistaken(
                f"there is no folder {parent}; is the disk mounted?",
                hint="make it, or name another place",
            )
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRequest(f"{parent} cannot be made ({error.strerror})") from None

    # -- which account -----------------------------------------------------------------------

    def _log_in(self) -> list[Asked]:
        """What SmugMug's two APIs say to the login that is kept, or to a new one."""
        asked = self._with_what_is_kept()
        if asked is None:
            nickname = self._args.nickname
            if nickname is None and not self._args.yes:
                question = "Which account? Its nickname, or Enter for the one you log in to"
                nickname = self._asked(question, "") or None
            login = argparse.Namespace(
                **{
                    **vars(self._args),
                    "nickname": nickname,
                    "secret": self._args.secret or self._keyring(),
                    "json": False,
                    "anonymous": False,
                    "yes": True,
                }
            )
            done = authorize.log_in(login, self._say)
            authorize.tell_login(self._say, done)
            self._args.nickname = None
            asked = self._ask_both(source_settings_of(self._args))
        if not smugmug.answering(asked):
            errors = [each.error for each in asked if each.error is not None]
            raise errors[0]
        return asked

    def _with_what_is_kept(self) -> list[Asked] | None:
        """None if a login is needed."""
        try:
            settings = source_settings_of(self._args)
            asked = self._ask_both(settings)
        except BadRequest:
            return None
        accounts = [each.account for each in asked if each.account is not None]
        if not accounts:
            errors = [str(each.error) for each in asked if each.error is not None]
            self._print(f"The login that is kept does not work: {shown(errors[0])}")
            return None if self._agreed("Log in anew?") else asked
        name = shown(accounts[0].nickname)
        return asked if self._agreed(f"You are logged in to {name}. Keep it?") else None

    def _ask_both(self, settings: SourceSettings) -> list[Asked]:
        credentials = credentials_of(settings.secret)
        with self._say.status("asking SmugMug's two APIs"):
            return [smugmug.ask(settings, credentials, self._clock, api) for api in smugmug.APIS]

    def _keyring(self) -> str | None:
        """The name of a secret in the system's keyring, if the owner wants it there."""
        if "SMUGMUG_SECRET" in os.environ or self._remembered().get("secret"):
            return None
        if not system_keyring.is_there() or self._args.yes:
            return None
        self._print("The access token is kept in a file that only you can read, or in the system's")
        self._print("keyring, which may be locked when the nightly run wants it.")
        wanted = agreed(self._say, "Keep it in the keyring?", otherwise=False)
        return f"keyring:{self._profile}" if wanted else None

    # -- which API ---------------------------------------------------------------------------

    def _choose_api(self, asked: Sequence[Asked], before: str | None) -> str:
        answers = [each.api for each in smugmug.answering(asked)]
        for each in asked:
            if each.error is not None:
                self._print(f"API {each.api} does not serve this account: {shown(str(each.error))}")
        wanted: str = self._args.api or before or API_AUTO
        if len(answers) > 1 and wanted == API_AUTO:
            self._print(
                f"Both of SmugMug's APIs answer: 1.3.0 is asked while it does, then v2. {_VIDEOS}"
            )
        if smugmug.would_flatten(wanted, asked):
            deep = smugmug.flattened(asked)
            self._print(
                "API 1.3.0 names no folder deeper than two levels: "
                f"{shown(deep[0])} would be flattened ({len(deep)} in all).",
                style="yellow",
            )
            if self._args.api is None and self._agreed("Use v2 instead, which keeps them?"):
                wanted = API_V2
        self._keep({"api": wanted})
        return wanted

    # -- when --------------------------------------------------------------------------------

    def _when(self, before: Any) -> tuple[int, int]:
        offered = str(before or AT)
        hour, minute = self._time(offered)
        self._keep({"at": f"{hour:02}:{minute:02}"})
        return hour, minute

    def _time(self, offered: str) -> tuple[int, int]:
        if self._args.at or self._args.timer == "none":
            return time_of_day(self._args.at or offered)
        for _ in range(_TRIES):
            try:
                return time_of_day(self._asked("When, every day?", offered))
            except BadRequest as error:
                self._print(f"{error}.", style="yellow")
        raise BadRequest("that was no time of day")

    def _start_every_night(self, hour: int, minute: int) -> str | None:
        """The name of the timer; None if there is none."""
        if self._args.timer == "none":
            _remove_timer(self._args, self._say)
            return None
        chosen = timers.timers_of(self._args.timer) if self._args.timer else timers.best_here()
        jobs = jobs_of(
            self._profile,
            hour=hour,
            minute=minute,
            program=program(),
            environment=os.environ,
        )
        if chosen is None:
            self._print("There is no systemd of yours and no cron here to start it every night.")
            self._print("Whatever can (a NAS has a task planner), let it start this:")
            self._print(f"  {shlex.join(jobs[0].command)}")
            return None
        question = f"Start it every day at {jobs[0].at}, and a check at {jobs[1].at}, "
        if not self._agreed(f"{question}by {chosen.name}?"):
            return None
        try:
            told = chosen.install(self._profile, jobs)
        except OSError as error:
            raise BadRequest(f"the timer cannot be written ({error.strerror})") from None
        timers.remove_all(self._profile, but=chosen.name)
        self._print(f"{chosen.name.capitalize()} starts it every day at {jobs[0].at}.")
        for line in told:
            self._print(line)
        return chosen.name

    # -- a first small run -------------------------------------------------------------------

    def _small_run(self, location: Location, asked: Sequence[Asked]) -> int | None:
        """Back up the smallest album; its exit status, None if it was not made."""
        if self._args.no_run:
            return None
        album = _smallest(asked)
        if album is None:
            self._print("No album has a photo yet, so there is nothing to try a run with.")
            return None
        self._print(f"A first small run, over the album {shown(album.title) or album.key}:")
        words = ["run", "--profile", self._profile, "--album", album.key]
        words += ["--new-location"] if self._args.new_location else []
        from smugmug_backup.cli.main import main

        self._say.file.flush()
        with redirect_stdout(sys.stderr if self._args.json else sys.stdout):
            return main(words)

    # -- asking ------------------------------------------------------------------------------

    def _asked(self, question: str, offered: str | None) -> str:
        """The answer, or what is ``offered`` (None: there has to be one)."""
        if self._args.yes and offered is not None:
            return offered
        while True:
            answer = ask(self._say, f"{question}{f' [{offered}]' if offered else ''}: ")
            if answer or offered is not None:
                return answer or str(offered)

    def _agreed(self, question: str, *, otherwise: bool = True) -> bool:
        return otherwise if self._args.yes else agreed(self._say, question, otherwise=otherwise)

    def _command(self, name: str) -> str:
        more = "" if self._profile == DEFAULT else f" --profile {self._profile}"
        return f"smugmug-backup {name}{more}"

    def _print(self, text: str, *, style: str | None = None) -> None:
        self._say.print(text, style=style, soft_wrap=True)


_VIDEOS = (
    "(Of a video, 1.3.0 gives at most 1920 pixels and v2 the largest that SmugMug made; "
    "`--api v2` asks v2 alone.)"
)


def _smallest(asked: Sequence[Asked]) -> Album | None:
    """The smallest album that has a photo, by an API that answers."""
    albums = next((each.albums for each in smugmug.answering(asked)), ())
    return min(
        (each for each in albums if each.image_count),
        key=lambda album: (album.image_count or 0, album.key),
        default=None,
    )


def _of_the_environment() -> dict[str, Any]:
    """What the environment says of the source: a timer would not know it. No secret is in there."""
    names = {key: name for key, name in NAMES.items() if key not in ("location", "nickname", "api")}
    found = {key: os.environ.get(name, "").strip() for key, name in names.items()}
    return {key: text for key, text in found.items() if text}


def _absolute(location: Location) -> Location:
    """The same place for whoever starts elsewhere."""
    if location.folder is None:
        return location
    return Location.parse(os.path.abspath(location.folder))  # noqa: PTH100 (follows no link)
