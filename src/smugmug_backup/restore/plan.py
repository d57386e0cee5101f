"""Say which file goes where; touch nothing.

The same backup gives the same names, whatever part of it is restored and with whatever sidecars:
a restore that was interrupted, or is repeated, finds its own files again.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.original import StoredBytes
from smugmug_backup.archive.titles import album_name
from smugmug_backup.restore.choice import Choice
from smugmug_backup.restore.names import (
    USUAL,
    Limits,
    Taken,
    file_name,
    identity,
    kind_of,
    safe_name,
)
from smugmug_backup.restore.wanted import Note, Wanted, wanted
from smugmug_backup.restore.ways import ADOBE, JSON

_EMBEDDABLE = frozenset(("jpg", "png", "tif", "webp"))
"""What `embed` can write into, by what the store calls it."""

_DEEPEST = 8
"""SmugMug nests folders five deep; a hostile record may say anything."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


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


@dataclass(frozen=True, slots=True)
class Target:
    """One image as a file. ``path`` and ``sidecars`` are relative to the target, with ``/``.

    ``note``: what must be told of these bytes, once they are there: they are not those that
    SmugMug has. ``entry``: the line, by which the record is found. ``embed``: what SmugMug says is
    to be written into the file, and no XMP sidecar is needed where that succeeds. ``album``: the
    album's name. ``older``: it lies beside newer bytes of the image, which bear what is said of it.
    """

    album_key: str
    image_key: str
    path: str
    sidecars: tuple[str, ...]
    original: str
    bytes: int
    sha256: str
    fingerprint: str
    last_updated: str | None
    entry: Entry | None = None
    note: Note | None = None
    embed: bool = False
    album: str = ""
    older: bool = False

    @property
    def described(self) -> bool:
        """What SmugMug says of it is wanted: its time, and beside it or in it the rest."""
        return self.embed or bool(self.sidecars)

    def problem(self, code: str, message: str) -> Problem:
        """What is wrong with this file."""
        return Problem(self.album_key, self.image_key, self.path, code, message)


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


class Placed(Protocol):
    """An album as far as the name of its folder needs it: a manifest's header, or less."""

    @property
    def album_key(self) -> str:
        """Its key."""

    @property
    def title(self) -> str:
        """As the source wrote it."""

    @property
    def path(self) -> tuple[str, ...]:
        """The folders that it is in."""

    @property
    def deleted_at(self) -> datetime | None:
        """Since when it has left SmugMug; None if it is there."""


def folders(albums: Iterable[Placed], limits: Limits = USUAL) -> dict[str, str]:
    """The folder of every album: its path and title at SmugMug, unique, by album key.

    An album's folder holds that album and nothing else. Albums of the same name in the same place
    all bear their keys, so that none can ever take another's folder; one that has left SmugMug
    gives way to one that is there. Folders that differ only in case are one.
    """
    ordered = sorted(albums, key=lambda album: album.album_key)
    parents: dict[str, str] = {}  # by identity of the whole path
    inside: dict[str, set[str]] = {"": set()}  # names of subfolders, by parent
    homes: dict[str, str] = {}
    paths = {album.album_key: _path(album, limits) for album in ordered}
    for key in sorted(paths, key=lambda each: paths[each]):
        here = ""
        for part in paths[key]:
            path = f"{here}/{part}" if here else part
            known = parents.setdefault(identity(path), path)
            inside[here].add(known.rpartition("/")[2])
            inside.setdefault(known, set())
            here = known
        homes[key] = here
    titles = {
        album.album_key: _no_table(
            limits.allowed(safe_name(album.title, limit=limits.folder, fallback=album.album_key)),
            at_top=not homes[album.album_key],
        )
        for album in ordered
    }
    rivals = Counter(
        (homes[album.album_key], identity(titles[album.album_key]))
        for album in ordered
        if album.deleted_at is None
    )
    taken = {home: Taken(names) for home, names in inside.items()}
    found: dict[str, str] = {}
    for album in sorted(ordered, key=lambda each: each.deleted_at is not None):
        key, home = album.album_key, homes[album.album_key]
        if rivals[home, identity(titles[key])] > 1:
            taken[home].take_exactly(titles[key])
        most = min(limits.folder + 80, limits.longest)
        name = taken[home].take(titles[key], "", key=key, limit=most)
        found[key] = f"{home}/{name}" if home else name
    return found


def _path(album: Placed, limits: Limits) -> list[str]:
    parts = album.path if isinstance(album.path, (tuple, list)) else ()
    safe = [safe_name(part, limit=limits.folder, fallback="") for part in parts]
    names = [limits.allowed(name) for name in safe]
    kept = [name for name in names if name][:_DEEPEST]
    return [_no_table(name, at_top=not number) for number, name in enumerate(kept)]


def _no_table(name: str, *, at_top: bool) -> str:
    """A folder beside ``albums.csv`` and ``photos.csv`` is never called like one of them."""
    return f"{name}_" if at_top and identity(name).endswith(".csv") else name


def plan(
    manifests: Iterable[Manifest],
    homes: Mapping[str, str],
    *,
    sidecars: Sequence[str] = (JSON,),
    embed: bool = False,
    choice: Choice | None = None,
    limits: Limits = USUAL,
) -> Plan:
    """Every file of these albums; ``homes`` are their folders, from `folders`.

    Within an album the live images come first, each in the order of upload: the first of several
    with one name has it, the others have their ImageKey behind it. ``sidecars``: their kinds.
    ``embed``: what a file can take is written into it. ``choice``: which images come.
    """
    whole = Plan()
    wishes = _Wishes(tuple(sidecars), embed, choice or Choice())
    for manifest in manifests:
        whole.albums += 1
        _Album(manifest, homes[manifest.header.album_key], limits).add_to(whole, wishes)
    return whole


@dataclass(frozen=True, slots=True)
class _Wishes:
    sidecars: tuple[str, ...]
    embed: bool
    choice: Choice


@dataclass(slots=True)
class _Draft:
    """One image with its name. ``beside``: the name of the older bytes."""

    entry: Entry
    wanted: Wanted
    name: str
    beside: str | None = None


class _Album:
    def __init__(self, manifest: Manifest, home: str, limits: Limits) -> None:
        self._key = manifest.header.album_key
        self._name_of_album = album_name(manifest.header)
        self._home = home
        self._limits = limits
        self._taken = Taken()
        self._drafts = [self._draft(each) for each in sorted(manifest.entries.values(), key=_order)]
        for draft in self._drafts:
            older = draft.wanted.beside
            if older is not None:
                name = self._name(draft.entry, older, older=True)
                draft.beside = name

    def _draft(self, entry: Entry) -> _Draft:
        # One without bytes has its name as well: they may come with the next generation.
        found = wanted(entry)
        return _Draft(entry, found, self._name(entry, found.content))

    def _name(self, entry: Entry, content: StoredBytes | None, *, older: bool = False) -> str:
        stem, extension = file_name(
            entry.file_name,
            stored=_extension(content) or kind_of(entry.file_name),
            fallback=safe_name(entry.image_key, limit=64, fallback="image"),
            limit=self._limits.file - len(_OLDER_MARK) * older,
        )
        stem = self._limits.allowed(stem) + _OLDER_MARK * older
        mark = entry.image_key if keys.is_id(entry.image_key) else "image"
        return self._taken.take(stem, extension, key=mark, limit=self._limits.file)

    def add_to(self, whole: Plan, wishes: _Wishes) -> None:
        stems = Counter(identity(_stem(draft.name)) for draft in self._drafts)
        for draft in self._drafts:
            entry = draft.entry
            comes = wishes.choice.takes(self._key, entry)
            if not comes:
                whole.gone_left_out += comes is None
                continue
            path = f"{self._home}/{draft.name}"
            problem = _problem_of(draft.wanted)
            if problem is not None:
                whole.problems.append(Problem(self._key, entry.image_key, path, *problem))
                continue
            alone = stems[identity(_stem(draft.name))] == 1
            names = [self._sidecar_name(draft.name, kind, alone=alone) for kind in wishes.sidecars]
            content = draft.wanted.content
            assert content is not None
            note = draft.wanted.note
            older = draft.wanted.beside
            if older is not None and draft.beside is not None and _is_usable(older):
                older_path = f"{self._home}/{draft.beside}"
                whole.targets.append(replace(self._target(entry, older, older_path), older=True))
                if note is not None:
                    note = (note[0], f"{note[1]}; the older ones lie beside it, marked (older)")
            target = replace(
                self._target(entry, content, path),
                sidecars=tuple(f"{self._home}/{name}" for name in names),
                note=note,
                embed=wishes.embed and _extension(content) in _EMBEDDABLE,
            )
            whole.targets.append(target)

    def _target(self, entry: Entry, content: StoredBytes, path: str) -> Target:
        return Target(
            album_key=self._key,
            image_key=entry.image_key,
            path=path,
            sidecars=(),
            original=content.key,
            bytes=content.bytes,
            sha256=content.sha256,
            fingerprint=entry.fingerprint,
            last_updated=entry.last_updated,
            entry=entry,
            album=self._name_of_album,
        )

    def _sidecar_name(self, name: str, kind: str, *, alone: bool) -> str:
        """Adobe's programs look for ``DSC_1.xmp``, which is possible where no ``DSC_1.MOV`` has
        the same claim; others know ``DSC_1.JPG.xmp`` too."""
        if kind == ADOBE and alone and self._taken.take_exactly(f"{_stem(name)}.xmp"):
            return f"{_stem(name)}.xmp"
        most = min(self._limits.file + 40, self._limits.longest)
        extension = ".json" if kind == JSON else ".xmp"
        return self._taken.take(name, extension, key="sidecar", limit=most)


_OLDER_MARK = " (older)"


def _order(entry: Entry) -> tuple[bool, bool, int, str]:
    known = isinstance(entry.image_id, int)
    return (not entry.live, not known, entry.image_id or 0 if known else 0, entry.image_key)


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _extension(content: StoredBytes | None) -> str | None:
    """What the store calls these bytes; None if their key is none of ours."""
    parsed = keys.parse_original(keys.plain(content.key)[0]) if content is not None else None
    return parsed[2] if parsed else None


def _problem_of(found: Wanted) -> Note | None:
    if found.content is None:
        return found.note or ("damaged", "its line in the manifest is damaged")
    if not _is_usable(found.content):
        return "damaged", "its line in the manifest is damaged"
    return None


def _is_usable(content: StoredBytes) -> bool:
    """A manifest is a file that anybody may have written: nothing of it is followed unseen."""
    return (
        isinstance(content.key, str)
        and _extension(content) is not None
        and isinstance(content.sha256, str)
        and _SHA256.fullmatch(content.sha256) is not None
        and isinstance(content.bytes, int)
        and content.bytes >= 0
    )
