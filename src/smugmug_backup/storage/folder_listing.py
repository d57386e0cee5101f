"""What a folder holds, in the order of whole keys: all that can be looked into."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from smugmug_backup.errors import ListingIncomplete, StoreError
from smugmug_backup.model import StoredObject
from smugmug_backup.storage.file_system import check_is_there, may_be_alone, store_error
from smugmug_backup.storage.keys import is_key, with_capitals


class FolderListing:
    """One listing; see `BackupStore.list`. ``root`` is the backup's folder."""

    def __init__(self, root: Path, prefix: str, *, after: str, until: str | None) -> None:
        self._root = root
        self._prefix = prefix
        self._after = after
        self._until = until
        self._unseen: dict[str, StoreError] = {}
        self.strays: list[str] = []
        """What is neither file nor folder, and no part of a backup: links, pipes."""

    def walk(self, folder: str) -> Iterator[StoredObject]:
        """What is in ``folder``, whose names are read when the walk comes to it."""
        for name in self._names(folder):
            path = folder + name
            if self._until is not None and path > self._until:
                return
            if name.endswith("/"):
                leads_there = path.startswith(self._prefix) or self._prefix.startswith(path)
                if leads_there and (path > self._after or self._after.startswith(path)):
                    yield from self.walk(path)
            elif path.startswith(self._prefix) and path > self._after:
                try:
                    found = (self._root / path).lstat()
                except OSError as error:
                    self.pass_over(path, error)
                else:
                    yield stored(path, found)

    def pass_over(self, path: str, error: OSError) -> None:
        """Note that ``path`` could not be looked into. Raises StoreError if that is more than
        ``path``'s own trouble."""
        if isinstance(error, FileNotFoundError):
            check_is_there(self._root)
        told = store_error(error, f"listing {self._root / path}")
        if path == "" or not may_be_alone(error):
            raise told from error
        self._unseen[path] = told

    def end(self) -> None:
        """Raise ListingIncomplete if anything was passed over."""
        if self._unseen:
            first, *more = self._unseen.values()
            also = f" (and {len(more)} more like it)" if more else ""
            raise ListingIncomplete(f"{first}{also}", keys=tuple(self._unseen))

    def _names(self, folder: str) -> Sequence[str]:
        """The names in ``folder`` in the order of whole keys: a folder sorts as ``name/``."""
        names = []
        try:
            with os.scandir(self._root / folder) as entries:
                for entry in filter(lambda each: is_key(each.name), entries):
                    name = self._as_given(folder, entry)
                    with suppress(OSError):  # its turn in the walk will tell
                        if entry.is_dir(follow_symlinks=False):
                            name += "/"
                        elif not entry.is_file(follow_symlinks=False):
                            self.strays.append(folder + name)
                            continue
                    names.append(name)
        except OSError as error:
            self.pass_over(folder, error)
        names.sort()
        return names

    def _as_given(self, folder: str, entry: os.DirEntry[str]) -> str:
        """The name of ``entry`` with its capitals, where the disk has put them away."""
        name = with_capitals(entry.name)
        if name != entry.name:
            try:
                given = (self._root / folder / name).lstat()
                if not os.path.samestat(given, (self._root / folder / entry.name).lstat()):
                    return entry.name
            except OSError:
                return entry.name
        return name


def stored(key: str, found: os.stat_result) -> StoredObject:
    """``found``, the file under ``key``, as an object of the store."""
    return StoredObject(
        key, found.st_size, modified=datetime.fromtimestamp(int(found.st_mtime), UTC)
    )
