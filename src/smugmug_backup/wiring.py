"""Builds everything for given settings: the source, the store, the backup over both.

An adapter is loaded when it is made: a run into a folder needs nothing of AWS, and ``--help``
neither AWS nor HTTP.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.records import V2, V130
from smugmug_backup.aws.secret import read_secret
from smugmug_backup.backup.api import Choice, choice_of
from smugmug_backup.backup.auto import AutoSource
from smugmug_backup.backup.run import Backup, Observer, Options
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BadRequest
from smugmug_backup.ports import BackupStore, Overflow, PhotoSource
from smugmug_backup.settings import API_AUTO, API_V2, SecretName, Settings, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.outage import Outage, reach
from smugmug_backup.smugmug.rate import RateLimit

Builder = Callable[[str], PhotoSource]
"""Makes the source of a name, always the same one."""

_LOOK, _BREATH = 0.2, 0.02

_MEMORY = 12 * 1024 * 1024
"""For each of `max_concurrency`, of all originals on their way together."""
_LEAST_MEMORY = 32 * 1024 * 1024


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class WakingClock(SystemClock):
    """The machine's clock for whoever may press Ctrl-C: `wake` ends every wait, and all to come."""

    def __init__(self) -> None:
        # No Event: a handler that interrupts its own thread inside of one would wait for ever.
        self._woken = False

    def sleep(self, seconds: float) -> None:
        """Wait, until that or until somebody wakes us."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._woken:
            time.sleep(min(left, _LOOK))
        if left > 0:
            # Who looks again and again must not do it without a pause.
            time.sleep(min(left, _BREATH))

    def wake(self) -> None:
        """Nobody waits any more; from any thread, and from a signal's handler."""
        self._woken = True


@dataclass(slots=True)
class Application:
    """The deployed function's parts. Kept between invocations while the settings stay."""

    settings: Settings
    clock: Clock
    store: BackupStore
    _credentials: Credentials | None = None
    _builders: dict[int, Builder] = field(default_factory=dict)

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> "Application":
        """Make the clients; nothing is asked yet."""
        from smugmug_backup.storage.s3 import S3Store, s3_client

        client = s3_client(max_connections=connections_of(settings.source))
        return cls(settings, clock, S3Store(client, settings.bucket, settings.prefix))

    def backup(
        self, *, deadline: Deadline, observer: Observer | None = None, share: int = 1
    ) -> Backup:
        """The backup of the settings' account into their bucket, for an invocation with that end.

        ``share``: so many workers run at a time and divide the ceiling of calls per second. The
        secret is read at each call, so that a new one is used at once. Raises BadRequest for
        credentials that cannot be used and AwsError if they cannot be read.
        """
        store = self.store.bounded(deadline)
        return Backup(
            source=self._source(share, store),
            store=store,
            clock=self.clock,
            token=new_token,
            options=options_of(self.settings.source),
            overflow=self._overflow(),
            observer=observer,
        )

    def source_for(self, store: BackupStore) -> PhotoSource:
        """The settings' account, for something else than a backup into ``store``. Raises as
        `backup` does."""
        return self._source(1, store)

    def _source(self, share: int, store: BackupStore) -> PhotoSource:
        settings = self.settings.source
        credentials = read_credentials(settings.secret)
        if credentials != self._credentials:
            self._credentials, self._builders = credentials, {}
        if share not in self._builders:
            self._builders[share] = _builder(settings, credentials, self.clock, share)
        return _source_of(settings.api, self._builders[share], store, self.clock)

    def _overflow(self) -> Overflow | None:
        from smugmug_backup.aws.client import aws_client
        from smugmug_backup.aws.step_functions import StepFunctionsOverflow

        arn = self.settings.state_machine_arn
        return StepFunctionsOverflow(aws_client("stepfunctions"), arn) if arn else None


def read_credentials(secret: SecretName) -> Credentials:
    """The credentials behind ``secret``.

    Raises AwsError if AWS does not give them, BadRequest if they are not usable; neither ever
    tells what was read.
    """
    try:
        return Credentials.from_json(read_secret(secret))
    except BadRequest as error:
        raise BadRequest(f"the secret {secret} cannot be used: {error}") from None


class AtHome(NamedTuple):
    """What a run at somebody's home asks of the source besides, and a function never.

    ``patience``: seconds that a lost connection is waited for, which ``tell`` says;
    ``bytes_per_second``: of all downloads together, None for as many as come.
    """

    tell: Callable[[str], None]
    patience: float = 600.0
    bytes_per_second: float | None = None


def build_source(
    settings: SourceSettings,
    credentials: Credentials,
    clock: Clock,
    *,
    share: int = 1,
    store: BackupStore | None = None,
    home: AtHome | None = None,
) -> PhotoSource:
    """The source that the settings name; ``auto`` goes by the reports in ``store``, if any.

    Raises BadRequest if a nickname is needed.
    """
    return _source_of(
        settings.api, _builder(settings, credentials, clock, share, home), store, clock
    )


def check_whose(settings: SourceSettings, credentials: Credentials) -> None:
    """Raise BadRequest if nothing says whose albums are to be read."""
    if settings.nickname is None and not credentials.signed:
        raise BadRequest(
            "SMUGMUG_NICKNAME is missing: without an access token it says whose albums to read"
        )


def _source_of(api: str, build: Builder, store: BackupStore | None, clock: Clock) -> PhotoSource:
    if api != API_AUTO:
        return build(V2 if api == API_V2 else V130)

    def choose() -> Choice:
        return choice_of(Reports() if store is None else Archive(store).reports(now=clock.now()))

    return AutoSource(choose, build)


def _builder(
    settings: SourceSettings,
    credentials: Credentials,
    clock: Clock,
    share: int,
    home: AtHome | None = None,
) -> Builder:
    """Sources of one account; they share their politeness. Raises BadRequest."""
    check_whose(settings, credentials)
    ceiling = settings.max_calls_per_second
    governor = Governor(
        max_concurrency=settings.max_concurrency,
        max_downloads=downloads_of(settings),
        calls_per_second=None if ceiling is None else ceiling / share,
        outage=None if home is None else _outage(settings.api_url, clock, home),
        limit=_limit(home.bytes_per_second if home else None, clock),
        clock=clock,
    )

    @cache
    def build(name: str) -> PhotoSource:
        return _kind(name)(
            credentials,
            settings.nickname,
            api_url=settings.api_url,
            photo_hosts=settings.photo_hosts,
            governor=governor,
            clock=clock,
        )

    return build


def _kind(name: str) -> Callable[..., PhotoSource]:
    if name == V2:
        from smugmug_backup.smugmug.source_v2 import SmugMugV2Source

        return SmugMugV2Source
    from smugmug_backup.smugmug.source_130 import SmugMug130Source

    return SmugMug130Source


def _outage(url: str, clock: Clock, home: AtHome) -> Outage:
    return Outage(clock=clock, reach=lambda: reach(url), patience=home.patience, tell=home.tell)


def _limit(bytes_per_second: float | None, clock: Clock) -> RateLimit | None:
    return None if bytes_per_second is None else RateLimit(bytes_per_second, clock)


def downloads_of(settings: SourceSettings) -> int:
    """How many downloads there may be at a time. Whoever wants few calls wants few of these."""
    return min(settings.max_downloads, 2 * settings.max_concurrency)


def transfers_of(settings: SourceSettings) -> int:
    """How many originals are on their way at a time: those that come, and half as many that are
    being stored meanwhile."""
    downloads = downloads_of(settings)
    return downloads + max(1, downloads // 2)


def connections_of(settings: SourceSettings) -> int:
    """How many connections a store may use: for transfers, albums and what else a run asks."""
    return transfers_of(settings) + settings.max_concurrency + 2


def options_of(settings: SourceSettings) -> Options:
    """What the settings mean for a run."""
    return Options(
        concurrency=settings.max_concurrency,
        transfers=transfers_of(settings),
        memory=max(_LEAST_MEMORY, settings.max_concurrency * _MEMORY),
        full_listing_days=settings.full_listing_days,
        ignore_albums=settings.ignore_albums,
    )


def new_token() -> str:
    """Eight random hex digits for a run id."""
    return secrets.token_hex(4)
