"""Listings that go on where something cannot be looked into, and remember what they did not see."""

from collections.abc import Callable, Iterator

from smugmug_backup.archive import keys
from smugmug_backup.archive.check_report import Wrong
from smugmug_backup.check.ledger import Ledger
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import ListingIncomplete, OutOfTime, StoreError
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import BackupStore

FOLDERS = (keys.RUNS, keys.CHECKS, keys.ORIGINALS, keys.RECORDS, keys.MANIFESTS)

Heard = Callable[[str, int], None]
"""Hears that so many objects of a folder were listed by now."""


class Listings:
    """The folders of a store, each listed once. ``objects``: how many files there were in all."""

    def __init__(
        self, store: BackupStore, ledger: Ledger, deadline: Deadline, heard: Heard | None
    ) -> None:
        self.objects = 0
        self._store = store
        self._ledger = ledger
        self._deadline = deadline
        self._heard = heard
        self._whole: set[str] = set()
        self._unseen: tuple[str, ...] = ()

    def of(self, folder: str) -> Iterator[StoredObject]:
        """All files of ``folder`` that this format knows, in order; of others it is told.

        What cannot be looked into is a finding, and nothing there counts as absent. Raises
        OutOfTime.
        """
        name, number = folder.rstrip("/"), 0
        try:
            for number, each in enumerate(self._store.list(folder), 1):
                if number % 1000 == 0:
                    self._tell(name, number)
                    if self._deadline.passed:
                        raise OutOfTime(f"the time ended while {name} were listed")
                if keys.is_known(each.key):
                    yield each
                elif not keys.is_litter(each.key):
                    said = "no file of a backup has such a name"
                    self._ledger.wrong(each.key, Wrong.FOREIGN, said)
        except ListingIncomplete as error:
            self._unseen = (*self._unseen, *error.keys)
            for key in error.keys:
                album_key, image_key = keys.owners(key)
                self._ledger.wrong(
                    key, Wrong.UNREADABLE, str(error), album_key=album_key, image_key=image_key
                )
            self._whole.add(folder)
        except StoreError as error:
            self._unseen = (*self._unseen, folder)
            self._ledger.unfinished(f"{folder} could not be listed to its end: {error}")
        else:
            self._whole.add(folder)
        finally:
            self.objects += number
        self._tell(name, number)

    def _tell(self, name: str, number: int) -> None:
        if self._heard is not None:
            self._heard(name, number)

    def unknown(self, key: str) -> bool:
        """Whether ``key`` lies where a listing could not look, so that it may be there."""
        return key.startswith(self._unseen)

    def seen_whole(self, key: str) -> bool:
        """Whether all that begins with ``key``, a folder or a file, was seen."""
        listed = key.partition("/")[0] + "/" in self._whole
        return listed and not key.startswith(self._unseen) and not self._hides(key)

    def _hides(self, key: str) -> bool:
        return any(each.startswith(key) for each in self._unseen)


class Merged:
    """A listing that is asked for keys in its own order, and never held."""

    def __init__(self, listing: Iterator[StoredObject]) -> None:
        self._listing = listing
        self._current = next(listing, None)

    def find(self, key: str) -> StoredObject | None:
        """What the listing says of ``key``; each key asked for is greater than the last."""
        while self._current is not None and self._current.key < key:
            self._current = next(self._listing, None)
        if self._current is not None and self._current.key == key:
            return self._current
        return None

    def drain(self) -> None:
        """See the rest of it."""
        for _ in self._listing:
            pass
