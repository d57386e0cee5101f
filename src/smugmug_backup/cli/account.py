"""The account as a backup shows it: its albums' states, of which one that is broken hides none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.original import When
from smugmug_backup.archive.report import AlbumState
from smugmug_backup.archive.titles import album_name
from smugmug_backup.cli.troubles import album_state
from smugmug_backup.errors import BackupError, FormatTooNew

_AT_A_TIME = 8


@dataclass(slots=True)
class AccountView:
    """``albums``: every album's state, live and gone. ``damage``: what is wrong with an album's
    newest manifest, or why it cannot be read, by album."""

    reports: Reports
    albums: dict[str, AlbumState]
    damage: dict[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    def by_name(self) -> list[str]:
        """The albums' keys by path and title."""
        return sorted(self.albums, key=lambda key: (album_name(self.albums[key]).casefold(), key))

    def name(self, album_key: str) -> str:
        """An album's path and title."""
        state = self.albums.get(album_key)
        return (album_name(state) if state else "") or album_key

    def said_of(self, album_key: str) -> str:
        """An album's state in a few words."""
        return album_state(
            self.albums[album_key],
            ignored=album_key in self.ignored,
            damage=self.damage.get(album_key),
        )


@contextmanager
def many() -> Iterator[Map]:
    """A `map` that reads several at a time."""
    with ThreadPoolExecutor(_AT_A_TIME) as executor:
        yield executor.map


def read_account(archive: Archive, *, now: datetime, reports: Reports | None = None) -> AccountView:
    """The account by its newest reports; a manifest is read only where they do not know it."""
    reports = archive.reports(now=now) if reports is None else reports
    with many() as map_:
        generations = archive.newest_generations(map_)
        contents = archive.contents(reports, generations, map_, when=When(now), tolerant=True)
    ignored = reports.trusted.ignored_albums if reports.trusted else ()
    return AccountView(reports, contents.albums, contents.damage, frozenset(ignored))


def read_manifests(archive: Archive, account: AccountView) -> dict[str, Manifest]:
    """The newest sound manifest of every album; what is wrong is added to ``account.damage``."""

    def one(key: str) -> tuple[str, Manifest | None, str | None]:
        state = account.albums[key]
        try:
            newest = archive.newest(key, state.generation, state.manifest_sha256)
        except FormatTooNew:
            raise
        except BackupError as error:
            return key, None, str(error)
        return key, newest.manifest, newest.damage

    found: dict[str, Manifest] = {}
    with many() as map_:
        for key, manifest, damage in map_(one, account.by_name()):
            if manifest is not None:
                found[key] = manifest
            if damage is not None:
                account.damage.setdefault(key, damage)
    return found
