"""Read the albums of a store, and find the one that the owner means."""

import difflib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Entry, Header, Manifest
from smugmug_backup.archive.report import AlbumState
from smugmug_backup.archive.state import load_manifest, newest_generation, newest_generations
from smugmug_backup.backup.album import NOT_BELIEVED
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.output import day, shown
from smugmug_backup.ports import BackupStore

_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class ImageTrouble:
    """An image that is not simply there: ``why`` is the reason of its line."""

    album_key: str
    album: str
    image_key: str
    file_name: str
    why: str
    since: str | None


@dataclass(frozen=True, slots=True)
class AlbumSummary:
    """What the newest manifest of an album says, added up. ``bytes``: of its live images."""

    header: Header
    live: int
    bytes: int
    gone: tuple[ImageTrouble, ...]
    pending: tuple[ImageTrouble, ...]
    unavailable: tuple[ImageTrouble, ...]
    unverified: tuple[ImageTrouble, ...]

    @property
    def name(self) -> str:
        """Path and title as a person reads them."""
        return album_name(self.header)


def album_name(header: Header) -> str:
    """``Travel / Coast / Harbour 2024``."""
    return " / ".join(shown(part) for part in (*header.path, header.title))


def read_albums(store: BackupStore) -> list[AlbumSummary]:
    """All albums of the store, by path and title."""
    with ThreadPoolExecutor(_AT_A_TIME) as executor:
        generations = newest_generations(store, executor)

        def one(album_key: str) -> AlbumSummary:
            return summary_of(load_manifest(store, album_key, generations[album_key]))

        albums = list(executor.map(one, generations))
    return sorted(albums, key=lambda album: (album.name.casefold(), album.header.album_key))


def summary_of(manifest: Manifest) -> AlbumSummary:
    """Add up one manifest."""
    header, entries = manifest.header, manifest.entries.values()
    name = album_name(header)

    def trouble(entry: Entry, why: str, since: str | None) -> ImageTrouble:
        file_name = shown(entry.file_name) or "-"
        return ImageTrouble(header.album_key, name, entry.image_key, file_name, why, since)

    live = [entry for entry in entries if entry.live and header.deleted_at is None]
    gone = [entry for entry in entries if not entry.live]
    waits = [entry for entry in live if entry.original.status == "pending"]
    never = [entry for entry in live if entry.original.status == "unavailable"]
    doubted = [entry for entry in live if entry.original.stored and not entry.original.verified]
    return AlbumSummary(
        header=header,
        live=len(live),
        bytes=sum(entry.original.bytes or 0 for entry in live),
        gone=tuple(
            trouble(
                entry,
                "has left" if entry.deleted_at else "missing, a second look will tell",
                day(entry.deleted_at or entry.missing_since),
            )
            for entry in gone
        ),
        pending=tuple(
            trouble(entry, entry.original.reason or "?", day(entry.original.pending_since))
            for entry in waits
        ),
        unavailable=tuple(
            trouble(entry, entry.original.reason or "?", day(entry.original.pending_since))
            for entry in never
        ),
        unverified=tuple(trouble(entry, why_unverified(entry), None) for entry in doubted),
    )


def why_unverified(entry: Entry) -> str:
    """Why stored bytes could not be compared with a checksum of SmugMug's."""
    original = entry.original
    if original.reason is not None:
        return original.reason
    if original.kind == "rendition":
        return "rendition of a video"
    return "SmugMug states no MD5" if original.source_md5 is None else "its MD5 is another"


def album_state(album: AlbumSummary, state: AlbumState | None, *, ignored: bool) -> str:
    """In a few words, what a person should know of an album."""
    if album.header.deleted_at is not None:
        return f"gone {day(album.header.deleted_at)}"
    if state is not None and not state.live:
        return f"missing {day(state.missing_since)}"
    words = []
    if ignored:
        words.append("ignored")
    if state is not None and state.next_full == NOT_BELIEVED:
        words.append("not believed")
    for number, word in (
        (len(album.pending), "pending"),
        (len(album.unavailable), "unavailable"),
        (len(album.unverified), "unverified"),
    ):
        if number:
            words.append(f"{number} {word}")
    return ", ".join(words) or "ok"


def find_album(store: BackupStore, wanted: str) -> Manifest:
    """The newest manifest of the album with this key, or this title.

    Raises BadRequest if there is none, or several with this title; it names them.
    """
    if keys.is_id(wanted):
        generation = newest_generation(store, wanted)
        if generation:
            return load_manifest(store, wanted, generation)
    with ThreadPoolExecutor(_AT_A_TIME) as executor:
        generations = newest_generations(store, executor)
        found = executor.map(lambda key: load_manifest(store, key, generations[key]), generations)
        headers = {manifest.header.album_key: manifest.header for manifest in found}
    album_key = choose_album(headers, wanted)
    return load_manifest(store, album_key, generations[album_key])


def choose_album(headers: Mapping[str, Header], wanted: str) -> str:
    """The key of the album that ``wanted`` means: a key, a title, or path and title.

    Raises BadRequest if there is none, or several; it names them.
    """
    if wanted in headers:
        return wanted
    asked = shown(wanted).casefold().strip()
    found = [key for key, header in headers.items() if asked in _titles(header)]
    if len(found) == 1:
        return found[0]
    if found:
        named = "; ".join(f"{key} ({album_name(headers[key])})" for key in sorted(found))
        raise Mistaken(
            f"{len(found)} albums are called {wanted!r}: {named}", hint="name it by its key"
        )
    titles = {title: shown(each.title) for each in headers.values() for title in _titles(each)}
    near = dict.fromkeys(
        titles[each] for each in difflib.get_close_matches(asked, titles, n=3, cutoff=0.4)
    )
    meant = f"; near it: {', '.join(near)}" if near else ""
    raise Mistaken(
        f"this backup has no album {wanted!r}{meant}",
        hint="`smugmug-backup albums LOCATION` lists titles and keys",
    )


def _titles(header: Header) -> Iterator[str]:
    yield shown(header.title).casefold().strip()
    yield album_name(header).casefold().strip()
    yield "/".join(shown(part).strip() for part in (*header.path, header.title)).casefold()
