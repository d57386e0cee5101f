"""`forget`: images that their owner wants out of the backup for good.

The order, so that a kill at any point leaves a sound store and the same command goes on:

1. ``forgotten/<ImageDir>.json`` names all that will be deleted;
2. each records file with a line of the images gets a successor that has all its other lines;
3. each album that has the images, gone ones too, gets a generation that names the successors and
   says ``unavailable``, ``forgotten``;
4. what is told in step 1 is deleted, and what cannot be is named.

Steps 1 to 3 are decided from a look at the archive (`decide`) and repeated until a fresh look finds
nothing to write: whatever a run committed meanwhile was seen before anything is deleted, and what
it commits later is made from a generation that says ``forgotten``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from smugmug_backup.archive import keys, original
from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.encoding import fingerprint
from smugmug_backup.archive.forgotten import Holding
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.original import Reason, When
from smugmug_backup.archive.titles import album_name
from smugmug_backup.clock import Clock
from smugmug_backup.errors import BadRequest, CommitConflict, NotABackup, StoreError
from smugmug_backup.ports import Remover

_LOOKS = 5
"""In peace the second look finds nothing to write; each more is one that a run's commit spoilt."""


@dataclass(frozen=True, slots=True)
class Album:
    """An album that has the images: its newest state, and its records files that hold lines of
    them, by key."""

    manifest: Manifest
    files: Mapping[str, Holding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What the archive has of ``images``. ``told``: what their files of ``forgotten/`` name, by
    image, None if it has none; ``originals``: those that are there, likewise."""

    images: tuple[str, ...]
    albums: Mapping[str, Album]
    originals: Mapping[str, Sequence[str]]
    told: Mapping[str, frozenset[str] | None]

    def titles_of(self, image: str) -> list[str]:
        """The albums that have an image, by their names."""
        found = (each.manifest for each in self.albums.values() if image in each.manifest.entries)
        return sorted(album_name(each.header) for each in found)

    def file_name_of(self, image: str) -> str | None:
        """What the image was called, None if no album knows it."""
        names = (each.manifest.entries.get(image) for each in self.albums.values())
        return next((each.file_name for each in names if each is not None), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """``tell``: keys to be named under ``forgotten/``, by image; ``commit``: albums in need of a
    generation; ``remove``: what to delete once nothing of the others is left to do."""

    tell: Mapping[str, tuple[str, ...]]
    commit: tuple[str, ...]
    remove: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Nothing is left to write."""
        return not self.tell and not self.commit

    @property
    def nothing(self) -> bool:
        """There is nothing at all to do."""
        return self.settled and not self.remove


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done. ``committed``: (album key, generation); ``removed``: keys; ``left``: why a key
    could not be deleted."""

    images: tuple[str, ...]
    committed: tuple[tuple[str, int], ...]
    removed: tuple[str, ...]
    left: Mapping[str, str]


def look(archive: Archive, images: Sequence[str], *, now: datetime, map_: Map) -> Held:
    """Find ``images``; nothing is changed.

    Raises BadRequest for a key that no image of the archive has; NotABackup, FormatTooNew or
    StoreError if an album's newest state is damaged, too new, or cannot be read: nobody can say
    then whether it has them.
    """
    images = tuple(dict.fromkeys(images))
    for image in images:
        if not keys.is_id(image):
            raise BadRequest(f"{image!r:.100} is no key of an image")
    reports = archive.reports(now=now)
    listed = archive.newest_generations(map_)
    for error in listed.unreadable.values():
        raise error
    known = {key: state for key, state in reports.albums.items() if state.generation}

    def newest(key: str) -> tuple[str, Manifest]:
        state = known.get(key)
        generation = max(state.generation if state else 0, listed.get(key, 0))
        same = state is not None and state.generation == generation
        found = archive.newest(key, generation, state.manifest_sha256 if state and same else None)
        if found.damage is not None or found.manifest is None:
            raise NotABackup(
                f"the newest manifest of album {key} is damaged; let a run mend it first: "
                f"{found.damage}"
            )
        return key, found.manifest

    albums: dict[str, Album] = {}
    for key, manifest in map_(newest, sorted({*known, *listed})):
        if any(image in manifest.entries for image in images):
            albums[key] = Album(manifest, archive.records_holding(key, images, map_))
    told = {image: archive.told_forgotten(image) for image in images}
    originals = {image: archive.originals_of(image) for image in images}
    for image in images:
        has = any(image in each.manifest.entries for each in albums.values())
        if not has and not originals[image] and told[image] is None:
            raise BadRequest(f"no image of this backup has the key {image}")
    return Held(images, albums, originals, told)


def decide(held: Held) -> Plan:
    """What is left to do.

    ====================================  ======================================================
    there is                              then
    ====================================  ======================================================
    a key of the image that no file of    it is told: an original that is there, or that a
    ``forgotten/`` names, or no such      newest line names; a records file with a line of it
    file
    a newest line of the image that is    a generation
    not yet ``forgotten``
    a newest line of another image that   a generation
    names a records file with a line of
    the image, under whatever name
    a told key                            it is removed, whether a listing shows it or not: older
                                          versions of it may lie there
    ====================================  ======================================================
    """
    tell: dict[str, tuple[str, ...]] = {}
    remove: set[str] = set()
    for image in held.images:
        found = {*held.originals.get(image, ())}
        for album in held.albums.values():
            found.update(key for key, file in album.files.items() if image in file.images)
            line = album.manifest.entries.get(image)
            contents = (line.original.content, line.original.previous) if line else ()
            found.update(each.key for each in contents if each is not None)
        told = held.told[image]
        if told is None or found - told:
            tell[image] = tuple(sorted(found - (told or set())))
        remove |= found | (told or set())
    commit = tuple(key for key, album in held.albums.items() if _needs_commit(album, held.images))
    return Plan(tell, commit, tuple(sorted(remove)))


def _needs_commit(album: Album, images: Collection[str]) -> bool:
    gone = {keys.plain(key)[0] for key in album.files}
    return any(
        not _is_forgotten(entry) if entry.image_key in images else _lies_in(entry, gone)
        for entry in album.manifest.entries.values()
    )


def _is_forgotten(entry: Entry) -> bool:
    return entry.original.reason == Reason.FORGOTTEN and entry.record is None


def _lies_in(entry: Entry, files: Collection[str]) -> bool:
    return entry.record is not None and keys.plain(entry.record)[0] in files


def forget(
    archive: Archive,
    remover: Remover,
    images: Sequence[str],
    *,
    clock: Clock,
    token: str,
    map_: Map,
) -> Forgotten:
    """Forget ``images``; calling it again goes on where it was ended.

    Raises what `look` raises, StoreError if something cannot be written, and CommitConflict if
    runs kept committing to these albums. What cannot be deleted is in the answer.
    """
    committed: list[tuple[str, int]] = []
    begun = clock.now()
    run = archive.new_run_id(begun, token, archive.reports(now=begun))
    for _ in range(_LOOKS):
        now = clock.now()
        held = look(archive, images, now=now, map_=map_)
        plan = decide(held)
        writing = _Writing(archive, held, run, now)
        writing.tell(plan)
        try:
            for key in held.albums:
                successor = writing.successor(key)
                if key in plan.commit:
                    committed.append((key, writing.commit(successor)))
        except CommitConflict:
            continue
        if plan.settled:
            archive.settle()
            return _remove(remover, held.images, committed, plan.remove)
    raise CommitConflict(
        "a run is committing to these albums just now; try again when it has ended"
    )


def _remove(
    remover: Remover,
    images: tuple[str, ...],
    committed: Sequence[tuple[str, int]],
    remove: Sequence[str],
) -> Forgotten:
    removed: list[str] = []
    left: dict[str, str] = {}
    for key in remove:
        try:
            remover.remove(key)
        except StoreError as error:
            left[key] = str(error)
            continue
        removed.append(key)
    return Forgotten(images, tuple(committed), tuple(removed), left)


class _Writing:
    """Steps 1 to 3, from one look."""

    def __init__(self, archive: Archive, held: Held, run: str, now: datetime) -> None:
        self._archive = archive
        self._held = held
        self._run = run
        self._now = now

    def tell(self, plan: Plan) -> None:
        for image, named in plan.tell.items():
            self._archive.tell_forgotten(image, named, at=self._now)

    def successor(self, album_key: str) -> Manifest:
        """Write the records files' successors, also if no generation is needed (older ones name
        these lines, too); the next generation, not yet committed."""
        album = self._held.albums[album_key]
        places: dict[tuple[str, str], tuple[str, tuple[int, int]]] = {}
        for key in sorted(album.files):
            lines = album.files[key].others
            for image, place in self._archive.write_records(album_key, lines).items():
                places[image, fingerprint(lines[image])] = place
        entries = dict(album.manifest.entries)
        gone = {keys.plain(key)[0] for key in album.files}
        moved = [
            each
            for each in entries.values()
            if each.image_key not in self._held.images and _lies_in(each, gone)
        ]
        places |= self._found_elsewhere(album_key, [e for e in moved if _mark(e) not in places])
        for entry in moved:
            record, at = places.get(_mark(entry), (None, None))
            entries[entry.image_key] = replace(entry, record=record, record_at=at)
        for image in self._held.images:
            if image in entries and not _is_forgotten(entries[image]):
                entries[image] = self._forgotten(entries[image])
        header = replace(
            album.manifest.header,
            generation=album.manifest.header.generation + 1,
            previous=album.manifest.named,
            run_id=self._run,
            written_at=self._now,
        )
        return Manifest(header, entries)

    def commit(self, successor: Manifest) -> int:
        """Commit it; its generation. Raises CommitConflict."""
        self._archive.commit(successor)
        header = successor.header
        return header.generation

    def _forgotten(self, entry: Entry) -> Entry:
        line = original.forgotten(entry.original, When(self._now))
        return replace(entry, record=None, record_at=None, original=line)

    def _found_elsewhere(
        self, album_key: str, entries: Sequence[Entry]
    ) -> dict[tuple[str, str], tuple[str, tuple[int, int]]]:
        """Records that lie, by the readers' rule, in files that stay; what is lost is left out."""
        lines = {
            each.image_key: line
            for each in entries
            if (line := self._archive.record_line(album_key, each)) is not None
        }
        places = self._archive.write_records(album_key, lines)
        return {(image, fingerprint(lines[image])): place for image, place in places.items()}


def _mark(entry: Entry) -> tuple[str, str]:
    return entry.image_key, entry.fingerprint
