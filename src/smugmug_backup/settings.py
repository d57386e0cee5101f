"""The settings, read from the environment once an invocation; all that is wrong in one error.

An ARN or the name of a secret may stand there, a secret never.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from smugmug_backup.errors import BadRequest
from smugmug_backup.words import album_keys, is_loopback_name, parse_hosts, prefix

API_AUTO = "auto"
API_130 = "1.3.0"
API_V2 = "v2"
DEFAULT_API_URL = "https://api.smugmug.com"
DEFAULT_PHOTO_HOSTS = (".smugmug.com",)

_SECRET = re.compile(r"(ssm|secretsmanager|file|keyring):(.+)")


class SecretName(NamedTuple):
    """Where the credentials lie: ``ssm:<name>``, ``secretsmanager:<name or ARN>``, or (for the
    owner's tool) ``file:<path>`` and ``keyring:<name>``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> "SecretName":
        """Raises ValueError for any other form."""
        match = _SECRET.fullmatch(text)
        if match is None:
            raise ValueError("must be ssm:<name> or secretsmanager:<name or ARN>")
        return cls(match[1], match[2])


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How the source is read, and how politely.

    ``api`` auto: as `backup.api` decides by the reports of the store.
    ``max_concurrency`` is the number of API calls at a time. Downloads begin with as many, and find
    their own number up to ``max_downloads``, and to twice as many as calls. All originals on their
    way hold 12 MiB for each of ``max_concurrency`` together, 32 MiB at the least.
    ``max_calls_per_second`` None: no ceiling.
    """

    secret: SecretName
    api: str = API_AUTO
    nickname: str | None = None
    api_url: str = DEFAULT_API_URL
    photo_hosts: tuple[str, ...] = DEFAULT_PHOTO_HOSTS
    max_concurrency: int = 8
    max_downloads: int = 16
    max_calls_per_second: float | None = None
    full_listing_days: int = 30
    ignore_albums: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the deployed function."""

    source: SourceSettings
    bucket: str
    prefix: str = ""
    idempotency_table: str | None = None
    reserve_seconds: float = 60.0
    state_machine_arn: str | None = None
    map_concurrency: int = 5
    alert_topic_arn: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the function's environment. Raises BadRequest that names all that is wrong."""
        read = _Reader(environment)
        source = _source(read)
        settings = cls(
            source=source,
            bucket=read.required("BACKUP_BUCKET", str, ""),
            prefix=read.optional("BACKUP_PREFIX", prefix, ""),
            idempotency_table=read.optional("IDEMPOTENCY_TABLE", str, None),
            reserve_seconds=read.optional("RESERVE_SECONDS", _between(5, 840), 60.0),
            state_machine_arn=read.optional("STATE_MACHINE_ARN", str, None),
            map_concurrency=int(read.optional("MAP_CONCURRENCY", _between(1, 1000), 5)),
            alert_topic_arn=read.optional("ALERT_TOPIC_ARN", str, None),
        )
        if source.secret.kind in ("file", "keyring"):
            kind = source.secret.kind
            read.wrong("SMUGMUG_SECRET", f"a {kind} is for the command line; use ssm:<name>")
        read.finish()
        return settings


def source_settings(environment: Mapping[str, str]) -> SourceSettings:
    """Only the settings of the source, for the owner's tool. Raises BadRequest."""
    read = _Reader(environment)
    settings = _source(read)
    read.finish()
    return settings


def _source(read: "_Reader") -> SourceSettings:
    return SourceSettings(
        secret=read.required("SMUGMUG_SECRET", SecretName.parse, SecretName("ssm", "")),
        api=read.optional("SMUGMUG_API", _api, API_AUTO),
        nickname=read.optional("SMUGMUG_NICKNAME", str, None),
        api_url=read.optional("SMUGMUG_API_URL", _api_url, DEFAULT_API_URL),
        photo_hosts=read.optional("SMUGMUG_PHOTO_HOSTS", parse_hosts, DEFAULT_PHOTO_HOSTS),
        max_concurrency=int(read.optional("MAX_CONCURRENCY", _between(1, 64), 8)),
        max_downloads=int(read.optional("MAX_DOWNLOADS", _between(1, 64), 16)),
        max_calls_per_second=read.optional("MAX_CALLS_PER_SECOND", _between(0.01, 1000), None),
        full_listing_days=int(read.optional("FULL_LISTING_DAYS", _between(1, 365), 30)),
        ignore_albums=read.optional("IGNORE_ALBUMS", album_keys, frozenset()),
    )


_T = TypeVar("_T")
_D = TypeVar("_D")


@dataclass(slots=True)
class _Reader:
    """Reads names one by one and remembers everything that is wrong."""

    environment: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def required(self, name: str, parse: Callable[[str], _T], stand_in: _T) -> _T:
        """``stand_in`` is what goes on until `finish` raises."""
        if not self.environment.get(name, "").strip():
            self.wrong(name, "is missing")
        return self.optional(name, parse, stand_in)

    def optional(self, name: str, parse: Callable[[str], _T], default: _D) -> _T | _D:
        text = self.environment.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.wrong(name, str(error))
            return default

    def wrong(self, name: str, why: str) -> None:
        self.problems.append(f"{name} {why}")

    def finish(self) -> None:
        if self.problems:
            raise BadRequest("the settings cannot be used: " + "; ".join(self.problems))


def _api(text: str) -> str:
    if text not in (API_AUTO, API_130, API_V2):
        raise ValueError(f"must be {API_AUTO}, {API_130} or {API_V2}")
    return text


def _api_url(text: str) -> str:
    parts = urlsplit(text)
    loopback = parts.hostname is not None and is_loopback_name(parts.hostname)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("must be an https URL (http only on a loopback address)")
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be a plain URL such as " + DEFAULT_API_URL)
    return text.rstrip("/")


def _between(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return number

    return parse
