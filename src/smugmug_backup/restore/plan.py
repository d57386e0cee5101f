"""Say which file goes where; touch nothing.

The same backup gives the same names, whatever part of it is restored and with whatever sidecars:
a restore that was interrupted, or is repeated, finds its own files again.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Entry, Header, Manifest, Original
from smugmug_backup.restore.names import (
    FILE_BYTES,
    FOLDER_BYTES,
    Taken,
    file_name,
    identity,
    kind_of,
    safe_name,
)

SIDECARS = ("json", "xmp", "none")

_DEEPEST = 8
"""SmugMug nests folders five deep; a hostile record may say anything."""

_ORIGINAL = re.compile(
    r"originals/[A-Za-z0-9_-]{1,64}/(?:rev-)?[0-9a-f]{16,32}\.(jpg|png|gif|heic|webp|tif|mp4|mov|bin)"
)
_RECORD = re.compile(r"records/[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}/([0-9a-f]{16})\.json")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """An album to be restored: its manifest, and what older ones say of bytes that are not there.

    ``older``: by image key, the original that was stored before a replacement that is pending.
    """

    manifest: Manifest
    older: Mapping[str, Original] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """One image as a file. ``path`` and ``sidecar`` are relative to the target, with ``/``.

    ``older``: these bytes were replaced at SmugMug, and the newer ones are not in the backup.
    """

    album_key: str
    image_key: str
    path: str
    sidecar: str | None
    original: str
    bytes: int
    sha256: str
    record: str
    last_updated: str | None
    older: bool = False

    @property
    def fingerprint(self) -> str:
        """The name of the record file."""
        return self.record.rpartition("/")[2].removesuffix(".json")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is not restored, and why. ``code`` is a stable word, ``message`` is for people."""

    album_key: str
    image_key: str | None
    path: str
    code: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "album_key": self.album_key,
            "image_key": self.image_key,
            "path": self.path,
            "code": self.code,
            "message": self.message,
        }


@dataclass(slots=True)
class Plan:
    """What a restore is to write.

    ``gone_left_out``: images that have left SmugMug and were not asked for.
    """

    targets: list[Target] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    albums: int = 0
    gone_left_out: int = 0

    @property
    def bytes(self) -> int:
        """What the files need, without sidecars."""
        return sum(target.bytes for target in self.targets)


def folders(headers: Iterable[Header]) -> dict[str, str]:
    """The folder of every album: its path and title at SmugMug, unique, by album key.

    An album's folder holds that album and nothing else. Albums of the same name in the same place
    all bear their keys, so that none can ever take another's folder; one that has left SmugMug
    gives way to one that is there. Folders that differ only in case are one.
    """
    ordered = sorted(headers, key=lambda header: header.album_key)
    parents: dict[str, str] = {}  # by identity of the whole path
    inside: dict[str, set[str]] = {"": set()}  # names of subfolders, by parent
    homes: dict[str, str] = {}
    for header in sorted(ordered, key=lambda header: _path(header)):
        here = ""
        for part in _path(header):
            path = f"{here}/{part}" if here else part
            known = parents.setdefault(identity(path), path)
            inside[here].add(known.rpartition("/")[2])
            inside.setdefault(known, set())
            here = known
        homes[header.album_key] = here
    titles = {
        header.album_key: safe_name(header.title, limit=FOLDER_BYTES, fallback=header.album_key)
        for header in ordered
    }
    rivals = Counter(
        (homes[header.album_key], identity(titles[header.album_key]))
        for header in ordered
        if header.deleted_at is None
    )
    taken = {home: Taken(names) for home, names in inside.items()}
    found: dict[str, str] = {}
    for header in sorted(ordered, key=lambda each: each.deleted_at is not None):
        key, home = header.album_key, homes[header.album_key]
        if rivals[home, identity(titles[key])] > 1:
            taken[home].take_exactly(titles[key])
        name = taken[home].take(titles[key], "", key=key, limit=FOLDER_BYTES + 80)
        found[key] = f"{home}/{name}" if home else name
    return found


def _path(header: Header) -> list[str]:
    parts = header.path if isinstance(header.path, (tuple, list)) else ()
    names = [safe_name(part, limit=FOLDER_BYTES, fallback="") for part in parts]
    return [name for name in names if name][:_DEEPEST]


def plan(
    chosen: Iterable[Chosen], homes: Mapping[str, str], *, sidecar: str = "json", deleted: bool
) -> Plan:
    """Every file of the ``chosen`` albums; ``homes`` are their folders, from `folders`.

    Within an album the live images come first, each in the order of upload: the first of several
    with one name has it, the others have their ImageKey behind it. ``deleted``: what has left
    SmugMug comes too.
    """
    whole = Plan()
    for each in chosen:
        whole.albums += 1
        _plan_album(whole, each, homes[each.manifest.header.album_key], sidecar, deleted)
    return whole


def _plan_album(whole: Plan, chosen: Chosen, home: str, sidecar: str, deleted: bool) -> None:
    album_key = chosen.manifest.header.album_key
    taken, drafts = Taken(), []
    for entry in sorted(chosen.manifest.entries.values(), key=_order):
        original, older = _bytes_of(entry, chosen.older)
        stored = _ORIGINAL.fullmatch(str(original.key))
        stem, extension = file_name(
            entry.file_name,
            stored=stored[1] if stored else kind_of(entry.file_name),
            fallback=safe_name(entry.image_key, limit=64, fallback="image"),
        )
        # One without bytes has its name as well: they may come with the next generation.
        name = taken.take(stem, extension, key=_mark(entry.image_key), limit=FILE_BYTES)
        drafts.append((entry, original, older, name))
    wanted = [draft for draft in drafts if deleted or draft[0].live]
    whole.gone_left_out += len(drafts) - len(wanted)
    stems = Counter(identity(_stem(name)) for _, _, _, name in drafts)
    for entry, original, older, name in drafts:
        if not (deleted or entry.live):
            continue
        path = f"{home}/{name}"
        problem = _problem_of(entry, original)
        if problem is not None:
            whole.problems.append(Problem(album_key, entry.image_key, path, *problem))
            continue
        beside = _sidecar_name(name, sidecar, taken, alone=stems[identity(_stem(name))] == 1)
        whole.targets.append(
            Target(
                album_key=album_key,
                image_key=entry.image_key,
                path=path,
                sidecar=beside and f"{home}/{beside}",
                original=str(original.key),
                bytes=original.bytes or 0,
                sha256=str(original.sha256),
                record=entry.record,
                last_updated=entry.last_updated,
                older=older,
            )
        )


def _order(entry: Entry) -> tuple[bool, bool, int, str]:
    known = isinstance(entry.image_id, int)
    return (not entry.live, not known, entry.image_id or 0 if known else 0, entry.image_key)


def _mark(image_key: str) -> str:
    return image_key if keys.is_id(image_key) else "image"


def _bytes_of(entry: Entry, older: Mapping[str, Original]) -> tuple[Original, bool]:
    if not entry.original.stored and entry.image_key in older:
        return older[entry.image_key], True
    return entry.original, False


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _sidecar_name(name: str, kind: str, taken: Taken, *, alone: bool) -> str | None:
    """Adobe's programs look for ``DSC_1.xmp``, which is possible where no ``DSC_1.MOV`` has the
    same claim; others know ``DSC_1.JPG.xmp`` too."""
    if kind == "none":
        return None
    if kind == "xmp" and alone and taken.take_exactly(f"{_stem(name)}.xmp"):
        return f"{_stem(name)}.xmp"
    return taken.take(name, f".{kind}", key="sidecar", limit=FILE_BYTES + 40)


_WHY = {
    "not_yet": "SmugMug had not been asked for it yet",
    "processing": "SmugMug is still making it",
    "download_failed": "it could not be downloaded so far",
    "md5_mismatch": "its bytes were wrong so far",
    "no_original_url": "SmugMug offers no original of it",
    "refused_by_source": "SmugMug refuses to deliver it",
    "too_large": "it is larger than the backup's ceiling",
}


def _problem_of(entry: Entry, original: Original) -> tuple[str, str] | None:
    if not original.stored:
        why = _WHY.get(str(original.reason), "its bytes are not there")
        return "not_in_backup", f"never came into the backup: {why}"
    usable = (
        _ORIGINAL.fullmatch(str(original.key))
        and _SHA256.fullmatch(str(original.sha256))
        and isinstance(original.bytes, int)
        and original.bytes >= 0
        and _RECORD.fullmatch(str(entry.record))
    )
    return None if usable else ("damaged", "its line in the manifest is damaged")
