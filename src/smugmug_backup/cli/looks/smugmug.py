"""What SmugMug says: whose login it is, which APIs answer, whose clock is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.looks.line import Line
from smugmug_backup.cli.output import plural
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BackupError, BadRequest, LoginLost, SourceRetired
from smugmug_backup.model import Account, Album
from smugmug_backup.settings import API_130, API_V2, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import build_source

APIS = (API_130, API_V2)
_SECONDS = 90.0
_LEVELS = 2
"""API 1.3.0 names a category and a subcategory of an album, and no folder deeper."""

_OFF = timedelta(minutes=5)
_FAR_OFF = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one API answered: whose account, with which albums, or why not."""

    api: str
    account: Account | None = None
    albums: tuple[Album, ...] = ()
    error: BackupError | None = None
    answered_at: datetime | None = None


def ask(settings: SourceSettings, credentials: Credentials, clock: Clock, api: str) -> Asked:
    """Ask one API for the account and its albums; an error is an answer, too."""
    account: Account | None = None
    try:
        source = build_source(replace(settings, api=api), credentials, clock)
        deadline = Deadline.after(clock, _SECONDS)
        account = source.account(deadline=deadline)
        albums = source.albums(deadline=deadline)
    except BackupError as error:
        return Asked(api, account, error=error)
    return Asked(api, account, albums, answered_at=source.answered_at)


def answering(asked: Sequence[Asked]) -> list[Asked]:
    """Those that showed the account's albums."""
    return [each for each in asked if each.error is None]


def flattened(asked: Sequence[Asked]) -> list[str]:
    """The folders, by API v2, that lie deeper than API 1.3.0 can name; their albums are in them."""
    found = {
        "/".join(album.path)
        for each in asked
        if each.api == API_V2
        for album in each.albums
        if len(album.path) > _LEVELS
    }
    return sorted(found)


def would_flatten(api: str, asked: Sequence[Asked]) -> bool:
    """Whether the albums come without folders that SmugMug has.

    ===========  ======================  ===============
    API wanted   1.3.0 answers           folders deeper
    ===========  ======================  ===============
    v2           any                     come whole
    1.3.0        any                     are flattened
    auto         yes                     are flattened
    auto         no: v2 is taken         come whole
    ===========  ======================  ===============
    """
    if not flattened(asked) or api == API_V2:
        return False
    return api == API_130 or any(each.api == API_130 for each in answering(asked))


def lines(settings: SourceSettings, asked: Sequence[Asked], *, now: datetime) -> Iterator[Line]:
    """All that can be said of it."""
    yield _login(asked)
    for each in asked:
        yield _api(each, settings.api, asked)
    deep = flattened(asked)
    if would_flatten(settings.api, asked):
        yield Line(
            "folders",
            f"API 1.3.0 names no folder deeper than two levels: {plural(len(deep), 'folder')} "
            f"such as {shown(deep[0])} would be flattened",
            remedy="--api v2 keeps them (`smugmug-backup setup --api v2` remembers it)",
            advice=True,
        )
    yield from clock_lines([each.answered_at for each in asked if each.answered_at], now)


def _login(asked: Sequence[Asked]) -> Line:
    """The login as a whole: lost only if both APIs say so."""
    accounts = [each.account for each in asked if each.account is not None]
    if accounts:
        account = accounts[0]
        rights = (
            "all of it, as its owner" if account.access == "owner" else "only what the public sees"
        )
        return Line("login", f"shows {shown(account.nickname)}: {rights}")
    errors = [each.error for each in asked if each.error is not None]
    told = next((e for e in errors if isinstance(e, (LoginLost, BadRequest))), errors[0])
    return Line("login", shown(str(told)), remedy=hint_of(told))


def _api(asked: Asked, wanted: str, all_asked: Sequence[Asked]) -> Line:
    subject = f"API {asked.api}"
    if asked.error is None:
        return Line(subject, f"answers, with {plural(len(asked.albums), 'album')}")
    said = f"does not serve this account: {shown(str(asked.error))}"
    others = [each.api for each in answering(all_asked)]
    if not others:
        return Line(subject, said, remedy=_remedy(asked.error))
    if wanted == asked.api:
        return Line(subject, said, remedy=f"--api {others[0]}, which answers")
    return Line(subject, f"{said} (it is not needed)", remedy=_remedy(asked.error), advice=True)


def _remedy(error: BackupError) -> str:
    if isinstance(error, SourceRetired):
        return "nothing can be done about that here"
    return hint_of(error)


def clock_lines(answers: Sequence[datetime], now: datetime) -> Iterator[Line]:
    """How far this machine's clock is from SmugMug's.

    ================  ==============================================================
    difference        verdict
    ================  ==============================================================
    unknown           nothing is said
    up to 5 minutes   fine
    up to 12 hours    to be set: a login may be refused for it
    more              to be set: no run moves on, `backup.dates`
    ================  ==============================================================
    """
    if not answers:
        return
    off = now - max(answers)
    if abs(off) <= _OFF:
        yield Line("clock", "agrees with SmugMug's")
        return
    way = "ahead of" if off > timedelta(0) else "behind"
    minutes = round(abs(off).total_seconds() / 60)
    worse = "no run is believed" if abs(off) > _FAR_OFF else "SmugMug may refuse the login"
    yield Line(
        "clock",
        f"is {plural(minutes, 'minute')} {way} SmugMug's: {worse}",
        remedy="set this machine's clock (on Linux: sudo timedatectl set-ntp true)",
    )
