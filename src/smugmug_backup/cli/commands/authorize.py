"""``authorize``: get access to the account from SmugMug, and put the secret where it belongs."""

import argparse
import os
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from smugmug_backup.archive.titles import shown
from smugmug_backup.aws.client import region_in_use
from smugmug_backup.cli.asking import ask as _ask
from smugmug_backup.cli.asking import ask_unseen as _ask_unseen
from smugmug_backup.cli.asking import somebody_is_there
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.output import make_console, print_json, short
from smugmug_backup.cli.parsing import FINE
from smugmug_backup.cli.profiles import (
    DEFAULT,
    BrokenSettings,
    config_path,
    read_profile,
    try_to_write,
    write_profile,
)
from smugmug_backup.cli.settings import profile_name, values_of
from smugmug_backup.cli.vault import Vault, secret_text, vault_of
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BadRequest, LoginLost
from smugmug_backup.model import Account
from smugmug_backup.settings import SecretName, SourceSettings, source_settings
from smugmug_backup.smugmug import oauth
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import SystemClock, build_source
from smugmug_backup.words import a_path, is_id

_TRIES = 3


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Whose account it is, where the secret lies, and the file that says so."""

    account: Account
    secret: SecretName
    path: Path


def run(args: argparse.Namespace, console: Console) -> int:
    """Authorize; see the parser."""
    say = make_console(stderr=True) if args.json else console
    done = log_in(args, say)
    if args.json:
        print_json(
            console,
            {
                "nickname": done.account.nickname,
                "access": done.account.access,
                "secret": str(done.secret),
                "settings": str(done.path),
            },
        )
    else:
        tell_login(say, done)
        say.print("Next: `smugmug-backup doctor` says whether all is ready.", soft_wrap=True)
    return FINE


def log_in(args: argparse.Namespace, say: Console) -> LoggedIn:
    """Ask SmugMug for access and keep it. Raises BackupError; then nothing was stored."""
    clock = SystemClock()
    path = config_path()
    profile = profile_name(args)
    settings = _settings(args, path)
    vault = vault_of(settings.secret)
    # All that can be known beforehand: SmugMug gives a token once, and what is lost is lost.
    vault.try_to()
    try_to_write(path)
    overwrite = _may_overwrite(vault, settings.secret, say, unasked=args.yes)
    credentials = _anonymous(args, say) if args.anonymous else _dance(args, settings, say, clock)
    account = build_source(settings, credentials, clock).account(
        deadline=Deadline.after(clock, 120.0)
    )
    vault.put(secret_text(credentials), overwrite=overwrite)
    write_profile(profile, _to_remember(settings, account), path)
    return LoggedIn(account, settings.secret, path)


def _settings(args: argparse.Namespace, path: Path) -> SourceSettings:
    """The settings as they are so far; a secret that is named nowhere goes into a file."""
    profile = profile_name(args)
    try:
        remembered = read_profile(profile, path)
    except BrokenSettings:
        remembered = {}  # it is put aside, and written anew
    except Mistaken:
        remembered = {}  # the profile begins here
    values = values_of(args, profile=remembered)
    if "SMUGMUG_SECRET" not in values:
        values["SMUGMUG_SECRET"] = f"file:{_credentials_file(profile, path)}"
    if not args.nickname and "SMUGMUG_NICKNAME" not in os.environ and not args.anonymous:
        # The file may remember another account; the token says whose it is.
        values.pop("SMUGMUG_NICKNAME", None)
    settings = source_settings(values)
    if args.anonymous and not settings.nickname:
        raise Mistaken(
            "without an access token, --nickname must say whose photos to read",
            hint="it is the first part of the web address: NICKNAME.smugmug.com",
        )
    return settings


def _credentials_file(profile: str, path: Path) -> Path:
    return path.with_name("credentials.json" if profile == DEFAULT else f"{profile}.json")


def _may_overwrite(vault: Vault, name: SecretName, say: Console, *, unasked: bool) -> bool:
    """Whether a secret is replaced. Asked before the dance, which would else be in vain."""
    if not vault.exists():
        return False
    if unasked:
        return True
    answer = _ask(say, f"There is a secret at {short(str(name))} already. Replace it? [y/N] ")
    if answer.lower() not in ("y", "yes"):
        raise Mistaken(
            f"the secret at {short(str(name))} was left as it is",
            hint="name another place with --secret ssm:<name> or file:<path>",
        )
    return True


# -- with an access token --------------------------------------------------------------------------


def _dance(
    args: argparse.Namespace, settings: SourceSettings, say: Console, clock: Clock
) -> Credentials:
    api_key = _api_key(args, say)
    api_secret = _secret("API secret: ", "SMUGMUG_API_SECRET", os.environ)
    if not api_secret:
        raise Mistaken(
            "the secret of the API key is missing",
            hint="type it in a terminal, or set SMUGMUG_API_SECRET; --anonymous needs none",
        )
    request = oauth.request_token(api_key, api_secret, api_url=settings.api_url, clock=clock)
    url = oauth.authorize_url(request, api_url=settings.api_url)
    opened = not args.no_browser and _open(url)
    say.print("Your browser should show" if opened else "Open", end=" ")
    say.print("this address (good for five minutes), and allow reading:\n")
    # Alone on its line and never broken, so that it can be copied.
    say.print(f"  {url}\n", soft_wrap=True)
    token = _trade(api_key, api_secret, request, settings, say, clock)
    return Credentials(api_key, api_secret, token.token, token.secret)


def _trade(
    api_key: str,
    api_secret: str,
    request: oauth.Token,
    settings: SourceSettings,
    say: Console,
    clock: Clock,
) -> oauth.Token:
    """The code for the access token; a code that is none is asked for again."""
    for attempt in range(1, _TRIES + 1):
        code = _ask(say, "The six digits that SmugMug shows: ")
        try:
            return oauth.access_token(
                api_key, api_secret, request, code, api_url=settings.api_url, clock=clock
            )
        except BadRequest as error:
            problem = str(error)
        except LoginLost:
            problem = "SmugMug does not accept this code"
        if attempt < _TRIES:
            say.print(f"{problem}; once more.", style="yellow")
    raise Mistaken(
        f"{problem}, {_TRIES} times; nothing was stored",
        hint="start again: each address is good for one code and five minutes",
    )


def _open(url: str) -> bool:
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


# -- without ---------------------------------------------------------------------------------------


def _anonymous(args: argparse.Namespace, say: Console) -> Credentials:
    api_key = _api_key(args, say)
    site = _secret("Password of the site (Enter if there is none): ", "SMUGMUG_SITE_PASSWORD")
    passwords: dict[str, str] = {}
    while somebody_is_there():
        album = _ask(say, "AlbumKey of an album with a password (Enter to go on): ")
        if not album:
            break
        if not is_id(album):
            say.print("An AlbumKey has letters and digits only, such as hT4mWq.", style="yellow")
            continue
        password = _ask_unseen(f"Password of {album}: ")
        if password:
            passwords[album] = password
    return Credentials(api_key, site_password=site or None, album_passwords=passwords)


# -- asking ----------------------------------------------------------------------------------------


def _api_key(args: argparse.Namespace, say: Console) -> str:
    key = (args.api_key or os.environ.get("SMUGMUG_API_KEY", "")).strip()
    key = key or _ask(say, "API key: ")
    if not key or not all("!" <= character <= "~" for character in key):
        raise BadRequest("an API key has letters and digits, and no spaces")
    return key


def _secret(prompt: str, name: str, environment: Mapping[str, str] | None = None) -> str:
    """A secret from the environment, or typed unseen; never from the command line, where every
    user of the machine could read it."""
    given = (os.environ if environment is None else environment).get(name)
    if given is not None:
        return given.strip()
    if not somebody_is_there():
        return ""
    return _ask_unseen(prompt)


# -- what stays ------------------------------------------------------------------------------------


def _to_remember(settings: SourceSettings, account: Account) -> dict[str, str | None]:
    """What the profile says from now on: where the secret lies, never the secret."""
    usual = SourceSettings(secret=settings.secret)
    return {
        "secret": _absolute(settings.secret),
        "nickname": account.nickname,
        "api": settings.api,
        "api_url": settings.api_url if settings.api_url != usual.api_url else None,
    }


def _absolute(secret: SecretName) -> str:
    """The other commands may run in another folder."""
    if secret.kind != "file":
        return str(secret)
    return f"file:{os.path.abspath(a_path(secret.name))}"  # noqa: PTH100


def tell_login(say: Console, done: LoggedIn) -> None:
    """Whose account it is, and where the secret lies."""
    account = done.account
    sees = "all of it, read only" if account.access == "owner" else "what the public sees"
    say.print(f"This is the account {shown(account.nickname)}: {sees}.", style="bold")
    say.print(f"The secret is stored at {short(str(done.secret))}.", soft_wrap=True)
    say.print(f"The other commands find it by {short(str(done.path))}.", soft_wrap=True)
    if done.secret.kind in ("ssm", "secretsmanager"):
        say.print(f"A stack finds it only in this region, {region_in_use()}.", soft_wrap=True)
