"""The keys of a store: built from validated ids, digests and a fixed table of extensions.

No key depends on a title or a file name, and every name is the same on every disk: no two keys of a
store differ only in upper and lower case, and none is a name that Windows reserves. What each
folder holds stands in ``FORMAT.md``.
"""

import re
from datetime import UTC, datetime

from smugmug_backup.model import MEDIA_TYPES
from smugmug_backup.words import is_id as is_id

README = "README.txt"
MANIFESTS = "manifests/"
RECORDS = "records/"
ORIGINALS = "originals/"
RUNS = "runs/"
CHECKS = "checks/"
DRILLS = "drills/"
FORGOTTEN = "forgotten/"
WORK = "work/"

_RUN = r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}"
_RUN_ID = re.compile(_RUN)
_DIR = r"[A-Za-z0-9_-]{1,64}(?:=[0-9a-f]{1,16})?"
_EXTENSION = "|".join(MEDIA_TYPES)
_MANIFEST = re.compile(rf"manifests/({_DIR})/([0-9]{{8}})\.jsonl")
_RECORDS = re.compile(rf"records/({_DIR})/([0-9a-f]{{32}})\.jsonl")
_ORIGINAL = re.compile(rf"originals/({_DIR})/(rev-[0-9a-f]{{16}}|[0-9a-f]{{32}})\.({_EXTENSION})")
_REPORT = re.compile(rf"(?:runs|checks|drills)/[0-9]{{4}}/[0-9]{{2}}/({_RUN})\.json")
_FORGOTTEN = rf"forgotten/({_DIR})\.json"
_OUTCOME = rf"work/[^/]+/({_DIR})-([0-9]{{3}})\.json"
_NUMBERED = r"(.+/[^/.]+|[^/.]+)\.([2-9]|[1-9][0-9]{1,3})(\.[a-z0-9]+)"
# Texts, and no patterns yet, where few starts need one: Python keeps what it has compiled.

# Windows keeps these names for devices, whatever extension follows.
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{each}{n}" for each in ("com", "lpt") for n in range(10)))
)

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


def directory(key: str) -> str:
    """The folder of an album or image: its key, marked so that case does not matter.

    A key with capital letters, or one that Windows reserves, is followed by ``=`` and the capitals'
    mask in hex: bit i stands for character i, the first is bit 0. ``hT4mWq`` is ``hT4mWq=12``.
    """
    mask = sum(1 << index for index, letter in enumerate(key) if letter.isupper())
    return f"{key}={mask:x}" if mask or key.lower() in _RESERVED else key


def parse_directory(name: str) -> str | None:
    """The key whose `directory` is called ``name``, None if no key's is."""
    key = name.partition("=")[0]
    return key if is_id(key) and directory(key) == name else None


def is_run_id(text: object) -> bool:
    """Whether ``text`` is a run id, of a day and an hour that there are."""
    if not isinstance(text, str) or _RUN_ID.fullmatch(text) is None:
        return False
    try:
        run_start(text)
    except ValueError:
        return False
    return True


def run_id(start: datetime, token: str) -> str:
    """The id of a run begun at ``start``; ``token`` is 8 random hex digits."""
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token}"


def run_start(run: str) -> datetime:
    """The start that a run id tells. Raises ValueError for one of no real day."""
    begun = datetime.fromisoformat(run[:16])
    if run_id(begun, "")[:16] != run[:16]:
        raise ValueError(f"{run!r} is no run id")
    return begun


def album_manifests(album_key: str) -> str:
    """The folder of an album's manifests."""
    return f"{MANIFESTS}{directory(album_key)}/"


def manifest(album_key: str, generation: int) -> str:
    """Where one generation of an album's manifest lies."""
    return f"{album_manifests(album_key)}{generation:08d}.jsonl"


def parse_manifest(key: str) -> tuple[str, int] | None:
    """(album key, generation) of a manifest's key, None for any other key, a numbered one too."""
    match = _MANIFEST.fullmatch(key)
    album_key = parse_directory(match[1]) if match else None
    return (album_key, int(match[2])) if match and album_key and int(match[2]) else None


def album_of_manifests(key: str) -> str | None:
    """Whose manifests lie in this folder, or the folder of this file; None if nobody's."""
    folder, _, rest = key.removeprefix(MANIFESTS).partition("/")
    mine = key.startswith(MANIFESTS) and "/" not in rest
    return parse_directory(folder) if mine else None


def album_records(album_key: str) -> str:
    """The folder of an album's records files."""
    return f"{RECORDS}{directory(album_key)}/"


def records(album_key: str, digest: str) -> str:
    """Where a records file lies; ``digest``: the first 32 hex digits of its SHA-256."""
    return f"{album_records(album_key)}{digest}.jsonl"


def parse_records(key: str) -> tuple[str, str] | None:
    """(album key, digest) of a records file's key, None for any other key."""
    match = _RECORDS.fullmatch(key)
    album_key = parse_directory(match[1]) if match else None
    return (album_key, match[2]) if match and album_key else None


def image_originals(image_key: str) -> str:
    """The folder of an image's originals."""
    return f"{ORIGINALS}{directory(image_key)}/"


def original(image_key: str, name: str, extension: str) -> str:
    """Where bytes lie; ``name`` is an MD5 or ``rev-<revision>``."""
    return f"{image_originals(image_key)}{name}.{extension}"


def parse_original(key: str) -> tuple[str, str, str] | None:
    """(image key, MD5 or ``rev-<revision>``, extension) of an original's key, else None."""
    match = _ORIGINAL.fullmatch(key)
    image_key = parse_directory(match[1]) if match else None
    return (image_key, match[2], match[3]) if match and image_key else None


def report(run: str) -> str:
    """Where a run report lies; the folders are the run id's own year and month."""
    return _by_month(RUNS, run)


def page(run: str) -> str:
    """Where a run's report lies as a page for people."""
    return report(run).removesuffix(".json") + ".html"


def parse_page(key: str) -> str | None:
    """The run id of a page's key, None for any other key."""
    return parse_report(key.removesuffix(".html") + ".json") if key.endswith(".html") else None


def check_report(run: str) -> str:
    """Where a check report lies."""
    return _by_month(CHECKS, run)


def drill_report(run: str) -> str:
    """Where a drill report lies."""
    return _by_month(DRILLS, run)


def _by_month(folder: str, run: str) -> str:
    return f"{folder}{run[:4]}/{run[4:6]}/{run}.json"


def parse_report(key: str, folder: str = RUNS) -> str | None:
    """The run id of a report's key in ``folder``, None for any other key."""
    match = _REPORT.fullmatch(key)
    run = match[1] if match else None
    return run if run and _by_month(folder, run) == key and is_run_id(run) else None


def forgotten(image_key: str) -> str:
    """Where it stands that an image's bytes were deleted for good."""
    return f"{FORGOTTEN}{directory(image_key)}.json"


def parse_forgotten(key: str) -> str | None:
    """The image key of such a file, None for any other key."""
    match = re.fullmatch(_FORGOTTEN, key)
    return parse_directory(match[1]) if match else None


def plan(run: str) -> str:
    """Where the plan of a run's overflow lies."""
    return f"{WORK}{run}/plan.jsonl"


def outcomes(run: str, album_key: str) -> str:
    """What the keys of an album's outcomes begin with."""
    return f"{WORK}{run}/{directory(album_key)}-"


def outcome(run: str, album_key: str, turn: int) -> str:
    """Where the outcome of an album's n-th turn lies."""
    return f"{outcomes(run, album_key)}{turn:03d}.json"


def parse_outcome(key: str) -> tuple[str, int] | None:
    """(album key, turn) of an outcome's key, None for any other key."""
    match = re.fullmatch(_OUTCOME, key)
    album_key = parse_directory(match[1]) if match else None
    return (album_key, int(match[2])) if match and album_key and int(match[2]) else None


def is_known(key: str) -> bool:
    """Whether ``key`` is the name, plain or numbered, of a file that a backup holds."""
    name = plain(key)[0]
    return (
        name == README
        or parse_manifest(name) is not None
        or parse_records(name) is not None
        or parse_original(name) is not None
        or any(parse_report(name, folder) is not None for folder in (RUNS, CHECKS, DRILLS))
        or parse_page(name) is not None
        or parse_forgotten(name) is not None
    )


def is_litter(key: str) -> bool:
    """Whether an operating system strews such files about: not worth a word."""
    return key.rpartition("/")[2].lower() in ("thumbs.db", "desktop.ini", "ehthumbs.db")


def owners(key: str) -> tuple[str | None, str | None]:
    """(album key, image key) of a file, as far as its name tells; None for what it does not."""
    name = plain(key)[0]
    manifest, records, original = parse_manifest(name), parse_records(name), parse_original(name)
    album = manifest or records
    return (album[0] if album else None, original[0] if original else None)


def numbered(key: str, number: int) -> str:
    """The name that ``key`` gives way to where it is taken: the number before the extension."""
    stem, _, extension = key.rpartition(".")
    return key if number == 1 else f"{stem}.{number}.{extension}"


def plain(key: str) -> tuple[str, int]:
    """(the name without its number, the number); a name without one has the number 1."""
    match = re.fullmatch(_NUMBERED, key)
    return (match[1] + match[3], int(match[2])) if match else (key, 1)


def extension(api_format: str | None) -> str | None:
    """The extension that the API's ``Format`` stands for; None if the bytes must say."""
    return _FORMATS.get(api_format.lower()) if api_format else None
