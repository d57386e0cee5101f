"""Builds everything for given settings: the source, the store, the backup over both."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.secret import read_secret
from smugmug_backup.aws.step_functions import StepFunctionsOverflow
from smugmug_backup.backup.run import Backup, Observer, Options
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BadRequest
from smugmug_backup.ports import BackupStore, PhotoSource
from smugmug_backup.settings import API_V2, SecretName, Settings, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.outage import Outage, reach
from smugmug_backup.smugmug.rate import RateLimit
from smugmug_backup.smugmug.source_130 import SmugMug130Source
from smugmug_backup.smugmug.source_v2 import SmugMugV2Source
from smugmug_backup.storage.s3 import S3Store, s3_client

_LOOK, _BREATH = 0.2, 0.02


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
    _sources: dict[int, PhotoSource] | None = None

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> "Application":
        """Make the clients; nothing is asked yet."""
        client = s3_client(max_connections=2 * settings.source.max_concurrency + 2)
        return cls(settings, clock, S3Store(client, settings.bucket, settings.prefix))

    def backup(
        self, *, deadline: Deadline, observer: Observer | None = None, share: int = 1
    ) -> Backup:
        """The backup of the settings' account into their bucket, for an invocation with that end.

        ``share``: so many workers run at a time and divide the ceiling of calls per second. The
        secret is read at each call, so that a new one is used at once. Raises BadRequest for
        credentials that cannot be used and AwsError if they cannot be read.
        """
        return Backup(
            source=self._source(share),
            store=self.store.bounded(deadline),
            clock=self.clock,
            token=new_token,
            options=options_of(self.settings.source),
            overflow=self._overflow(),
            observer=observer,
        )

    def _source(self, share: int) -> PhotoSource:
        credentials = read_credentials(self.settings.source.secret)
        if self._sources is None or credentials != self._credentials:
            self._credentials, self._sources = credentials, {}
        if share not in self._sources:
            self._sources[share] = build_source(
                self.settings.source, credentials, self.clock, share=share
            )
        return self._sources[share]

    def _overflow(self) -> StepFunctionsOverflow | None:
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


@dataclass(frozen=True, slots=True)
class AtHome:
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
    home: AtHome | None = None,
) -> PhotoSource:
    """The source that the settings name. Raises BadRequest if a nickname is needed."""
    if settings.nickname is None and not credentials.signed:
        raise BadRequest(
            "SMUGMUG_NICKNAME is missing: without an access token it says whose albums to read"
        )
    ceiling = settings.max_calls_per_second
    build: Callable[..., PhotoSource] = (
        SmugMugV2Source if settings.api == API_V2 else SmugMug130Source
    )
    return build(
        credentials,
        settings.nickname,
        api_url=settings.api_url,
        photo_hosts=settings.photo_hosts,
        governor=Governor(
            max_concurrency=settings.max_concurrency,
            calls_per_second=None if ceiling is None else ceiling / share,
            clock=clock,
            outage=None if home is None else _outage(settings.api_url, clock, home),
            limit=_limit(home.bytes_per_second if home else None, clock),
        ),
        clock=clock,
    )


def _outage(url: str, clock: Clock, home: AtHome) -> Outage:
    return Outage(clock=clock, reach=lambda: reach(url), patience=home.patience, tell=home.tell)


def _limit(bytes_per_second: float | None, clock: Clock) -> RateLimit | None:
    return None if bytes_per_second is None else RateLimit(bytes_per_second, clock)


def options_of(settings: SourceSettings) -> Options:
    """What the settings mean for a run."""
    return Options(
        concurrency=settings.max_concurrency,
        full_listing_days=settings.full_listing_days,
        ignore_albums=settings.ignore_albums,
    )


def new_token() -> str:
    """Eight random hex digits for a run id."""
    return secrets.token_hex(4)
