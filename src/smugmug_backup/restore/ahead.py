"""The records of the files that come next, read together where they lie together."""

from collections.abc import Iterable, Iterator
from itertools import islice

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.manifest import Entry
from smugmug_backup.errors import BackupError
from smugmug_backup.restore.plan import Target
from smugmug_backup.restore.record import Record
from smugmug_backup.restore.workers import Workers

_AHEAD = 256
"""So many originals' records are looked for together …"""
_OF_ONE_FILE = 8
"""… where so many lie in one file, which is then read once."""


class Ahead:
    """Reads records for `Restorer`: ahead in its own thread, the others when they are asked for."""

    def __init__(self, archive: Archive, workers: Workers) -> None:
        self._archive = archive
        self._workers = workers
        self._found: dict[str, Record | None] = {}

    def of(self, target: Target) -> Record | None:
        """A file's record; None if it is lost. Raises StoreError."""
        if target.path in self._found:
            return self._found.pop(target.path)
        if target.entry is None:
            return None
        return self._archive.record(target.album_key, target.entry)

    def reading(self, groups: Iterable[list[Target]]) -> Iterator[list[Target]]:
        """The same groups, each after its records were looked for."""
        todo = iter(groups)
        while block := list(islice(todo, _AHEAD)):
            self._read(target for group in block for target in group)
            yield from block

    def _read(self, targets: Iterable[Target]) -> None:
        by_file: dict[tuple[str, str], list[tuple[Target, Entry]]] = {}
        for target in targets:
            entry = target.entry
            if entry is not None and entry.record is not None:
                by_file.setdefault((target.album_key, entry.record), []).append((target, entry))
        for (album_key, _), wanted in by_file.items():
            if len(wanted) < _OF_ONE_FILE or self._workers.stopped:
                continue
            try:
                found = self._archive.records(album_key, [entry for _, entry in wanted], map)
            except BackupError:
                continue  # Each asks for itself, and tells why it is not there.
            for target, _ in wanted:
                self._found[target.path] = found.get(target.image_key)
