"""The keys of the store: built from validated ids, digests and a fixed table of extensions."""

import re
from datetime import UTC, datetime

from smugmug_backup.words import is_id as is_id

README = "README.txt"
ALBUMS = "albums/"
MANIFESTS = "manifests/"
RECORDS = "records/"
ORIGINALS = "originals/"
RUNS = "runs/"
WORK = "work/"

_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_MANIFEST = re.compile(r"manifests/([A-Za-z0-9_-]{1,64})/(\d{8})\.jsonl")
_REPORT = re.compile(r"runs/\d{4}/\d{2}/(\d{8}T\d{6}Z-[0-9a-f]{8})\.json")
_OUTCOME = re.compile(r"work/[^/]+/([A-Za-z0-9_-]{1,64})-(\d{3})\.json")

# From the API's `Format`, lower case. Anything else is judged by its bytes.
_FORMATS = {
    "jpg": "jpg",
    "jpeg": "jpg",
    "png": "png",
    "gif": "gif",
    "heic": "heic",
    "webp": "webp",
    "tif": "tif",
    "tiff": "tif",
    "mp4": "mp4",
    "mov": "mov",
}


def is_run_id(text: object) -> bool:
    """Whether ``text`` is shaped like a run id."""
    return isinstance(text, str) and _RUN_ID.fullmatch(text) is not None


def run_id(start: datetime, token: str) -> str:
    """The id of a run begun at ``start``; ``token`` is 8 random hex digits."""
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token}"


def run_start(run: str) -> datetime:
    """The start that a run id tells."""
    return datetime.strptime(run[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def manifest(album_key: str, generation: int) -> str:
    """Where one generation of an album's manifest lies."""
    return f"{MANIFESTS}{album_key}/{generation:08d}.jsonl"


def parse_manifest(key: str) -> tuple[str, int] | None:
    """(album key, generation) of a manifest's key, None for any other key."""
    match = _MANIFEST.fullmatch(key)
    return (match[1], int(match[2])) if match else None


def album_record(album_key: str, fingerprint: str) -> str:
    """Where an album record lies."""
    return f"{ALBUMS}{album_key}/{fingerprint}.json"


def image_record(album_key: str, image_key: str, fingerprint: str) -> str:
    """Where an image record lies."""
    return f"{RECORDS}{album_key}/{image_key}/{fingerprint}.json"


def original(image_key: str, name: str, extension: str) -> str:
    """Where bytes lie; ``name`` is an MD5 or ``rev-<revision>``."""
    return f"{ORIGINALS}{image_key}/{name}.{extension}"


def report(run: str) -> str:
    """Where a run report lies; the folders are the run id's own year and month."""
    return f"{RUNS}{run[:4]}/{run[4:6]}/{run}.json"


def parse_report(key: str) -> str | None:
    """The run id of a report's key, None for any other key."""
    match = _REPORT.fullmatch(key)
    return match[1] if match else None


def plan(run: str) -> str:
    """Where the plan of a run's overflow lies."""
    return f"{WORK}{run}/plan.jsonl"


def outcome(run: str, album_key: str, turn: int) -> str:
    """Where the outcome of an album's n-th turn lies."""
    return f"{WORK}{run}/{album_key}-{turn:03d}.json"


def parse_outcome(key: str) -> tuple[str, int] | None:
    """(album key, turn) of an outcome's key, None for any other key."""
    match = _OUTCOME.fullmatch(key)
    return (match[1], int(match[2])) if match else None


def extension(api_format: str | None) -> str | None:
    """The extension that the API's ``Format`` stands for; None if the bytes must say."""
    return _FORMATS.get(api_format.lower()) if api_format else None
