"""The words that people, templates and events write to us: one pattern and one reader for each.

Album keys, the prefix in a bucket, where a store lies, how much a check reads again. What a writer
took, every reader takes: the parameters of `template.yaml` have these very patterns, and a test
compares them. What the store's files call themselves is `archive/`'s.
"""

import ipaddress
import re
from datetime import time
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import NamedTuple

from smugmug_backup.errors import BadRequest

KEY = r"[A-Za-z0-9_-]{1,64}"
"""An album or image key."""

KEYS = rf" *({KEY} *)?(, *({KEY} *)?)*"
"""Some of them, as a person writes them down."""

BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

_FOLDER = r"(?!\.{1,2}(/|$))[A-Za-z0-9_.-]+"
PREFIX = rf"{_FOLDER}(/{_FOLDER})*"
"""The folder in a bucket. Its parts may begin or end with a dot, which those of our own keys never
do: the bucket is the owner's."""

LONGEST_PREFIX = 500
"""S3 takes keys of 1,024 bytes; ours are at most 512 (`storage.keys`)."""

AMOUNT = (
    r"all|(?=[0-9.]*[1-9])"
    r"((100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?)%|[0-9]{1,12}(\.[0-9]{1,9})? ?[KMGT]?B)"
)
"""Part of a store: bytes (1 GB = 10^9), a share, or all. Never nothing: a check that reads 0 bytes
every night would pass for one that reads."""

_HOST = r"(\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+|localhost|\[?::1\]?)"
HOSTS = rf" *{_HOST}( *, *{_HOST})* *"
"""Hosts of photos, as a person writes them down; see `parse_hosts`."""

CREDENTIALS_NAME = r"(/[A-Za-z0-9_.-]+)+"
"""The name of a secret as a stack takes it, with the slash that the ARN in its role needs."""

MOST_TURNS = 1 << 14
"""A check of the smallest share lasts 45 years."""

ACCOUNT = "account"
"""What `accept_shrink` names for the account as a whole, beside album keys."""

DRILL_IMAGES = 20
"""So many are drilled if nobody says otherwise."""

MOST_DRILL_IMAGES = 1_000

DEFAULT_CREDENTIALS = "ssm:/smugmug-backup/secret"
"""Where a stack that is deployed with its defaults looks for the credentials."""

_KEY = re.compile(KEY)
_ANY_CASE = re.IGNORECASE | re.ASCII
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def is_id(text: object) -> bool:
    """Whether ``text`` can be an album or image key: ``^[A-Za-z0-9_-]{1,64}$``."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def album_keys(text: str) -> frozenset[str]:
    """The album keys in a list with commas. Raises ValueError that names what is none."""
    albums = frozenset(each.strip() for each in text.split(",") if each.strip())
    wrong = sorted(each for each in albums if not is_id(each))
    if wrong:
        raise ValueError(f"must be album keys; no album key: {', '.join(wrong)}")
    return albums


def prefix(text: str) -> str:
    """The folder in a bucket without its last slash; empty is the bucket's top.

    Raises ValueError.
    """
    bare = text.removesuffix("/")
    if text and not (len(bare) <= LONGEST_PREFIX and re.fullmatch(PREFIX, bare)):
        raise ValueError("must be like photos/smugmug, without a leading slash")
    return bare


@lru_cache(256)
def is_loopback_name(host: str) -> bool:
    """Whether ``host`` names this machine: localhost, 127.0.0.1, ::1 and alike."""
    name = host.lower().strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def parse_hosts(text: str) -> tuple[str, ...]:
    """Read ``SMUGMUG_PHOTO_HOSTS``: a comma list without ports. Raises ValueError, whose text goes
    on from the setting's name."""
    patterns = tuple(part.strip().lower().strip("[]") for part in text.split(",") if part.strip())
    if not patterns or not all(map(_is_pattern, patterns)):
        raise ValueError(
            "must be host names such as photos.smugmug.com, or with a leading dot a domain and all "
            "that is under it, such as .smugmug.com; without scheme, port or path, and no domain "
            "as wide as .com"
        )
    return patterns


def _is_pattern(pattern: str) -> bool:
    if is_loopback_name(pattern):
        return True
    labels = pattern.removeprefix(".").split(".")
    # A bare top-level domain would open half the world.
    return len(labels) >= 2 and all(
        label and all(c.isascii() and (c.isalnum() or c in "-_") for c in label) for label in labels
    )


def a_path(text: str) -> Path:
    """``text`` as the path of a file or folder (``~`` is the home folder); nobody is asked whether
    it is there. Raises BadRequest for what can be none."""
    if not text.strip() or "\0" in text:
        raise BadRequest(f"{text!r} is no path")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise BadRequest(f"{text!r} is no path: nobody here has that home folder") from None


class Location(NamedTuple):
    """Where a store lies: in a ``folder``, or in a ``bucket`` of S3 under a ``prefix``.

    ``endpoint`` and ``profile``: of which S3, and with whose credentials (a profile of the AWS
    tools), where that is said and not left to the environment. `str` gives it as it was written.
    """

    text: str
    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""
    endpoint: str | None = None
    profile: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Location":
        """``s3://bucket``, ``s3://bucket/prefix`` or a folder (``~`` is the home folder).

        Raises BadRequest, and asks nobody whether it is there.
        """
        if text.startswith("s3:"):
            return cls._in_s3(text)
        if not text.strip() or "://" in text or "\0" in text:
            raise BadRequest(f"{text!r} is no location; write s3://bucket/prefix or a folder")
        return cls(text, folder=a_path(text))

    @classmethod
    def _in_s3(cls, text: str) -> "Location":
        bucket, _, rest = text.removeprefix("s3://").partition("/")
        if not re.fullmatch(BUCKET, bucket):
            raise BadRequest(f"{text!r} names no bucket; write s3://bucket or s3://bucket/prefix")
        try:
            return cls(text, bucket=bucket, prefix=prefix(rest))
        except ValueError:
            raise BadRequest(f"the prefix in {text!r} must be like photos/smugmug") from None

    def __str__(self) -> str:
        return self.text

    @property
    def in_s3(self) -> bool:
        """Whether it is in a bucket: reading it costs its owner money."""
        return self.folder is None

    @property
    def s3(self) -> str:
        """The same place in S3 by one name."""
        at = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix}{at}"

    @property
    def words(self) -> list[str]:
        """What says it on a command line."""
        found = [self.text]
        if self.endpoint:
            found += ["--endpoint-url", self.endpoint]
        if self.profile:
            found += ["--aws-profile", self.profile]
        return found

    def at(self, *, endpoint: str | None, profile: str | None) -> "Location":
        """The same in this S3, with these credentials. Raises BadRequest for a folder."""
        if self.folder is not None and (endpoint or profile):
            option = "--endpoint-url" if endpoint else "--aws-profile"
            raise BadRequest(f"{option} is for a bucket, and {self} is a folder")
        return self._replace(endpoint=endpoint or self.endpoint, profile=profile or self.profile)

    def key(self, key: str) -> str:
        """The whole name in the bucket of what the store calls ``key``."""
        return f"{self.prefix}/{key}" if self.prefix else key


class Amount(NamedTuple):
    """How much to read: so many bytes, or every day one of so many turns (1: all).

    ==========================  ==================================
    ``all``, ``ALL``, ``100%``  one turn
    ``5%``                      20 turns
    ``5GB``, ``1.5 mb``         bytes, by powers of 1,000
    ``0GB``, ``0%``, ``500%``   refused, like everything else
    ==========================  ==================================
    """

    text: str
    bytes: int | None = None
    turns: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Amount":
        """Raises BadRequest for what is no amount."""
        text = text.strip()
        if not re.fullmatch(AMOUNT, text, _ANY_CASE):
            raise BadRequest(
                f"'{text:.40}' is no amount of data to read; it must be like 5GB, 5% or all"
            )
        if text.lower() == "all":
            return cls("all", turns=1)
        if text.endswith("%"):
            return cls(text, turns=min(MOST_TURNS, ceil(100 / float(text[:-1]))))
        number = text.rstrip("BKMGTbkmgt ")
        unit = text[len(number) :].strip().upper()
        return cls(text, bytes=max(1, round(float(number) * _UNITS[unit])))


LEAST_RATE = 1000
"""Bytes a second: with less, a photo would take a night, and its host would not wait."""

RATE = r"([0-9]{1,12}(\.[0-9]{1,9})?) ?([KMG]?)(B?)"
"""Bytes a second, as wget and curl take them, but in decimal units as all sizes here."""


def bytes_per_second(text: str) -> float:
    """``5M`` is 5,000,000 a second. Raises ValueError, whose text goes on from the name."""
    match = re.fullmatch(RATE, text.strip(), _ANY_CASE)
    rate = float(match[1]) * _UNITS[match[3].upper() + "B"] if match else 0.0
    if rate < LEAST_RATE:
        raise ValueError("must be bytes a second, such as 500K or 5M, and 1K at least")
    return rate


class Hours(NamedTuple):
    """From one time of day until another, by the clock on the wall; over midnight where the first
    is the later one."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """``01:00-06:00``. Raises ValueError, whose text goes on from the name."""
        match = re.fullmatch(_HOURS, text.strip())
        if match is None or match[1] == match[2]:
            raise ValueError("must be two times of day, such as 01:00-06:00 or 22:30-06:00")
        return cls(time.fromisoformat(match[1]), time.fromisoformat(match[2]))

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def hold(self, now: time) -> bool:
        """Whether ``now`` is within them; the last moment is not."""
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


_HOURS = r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9])"
