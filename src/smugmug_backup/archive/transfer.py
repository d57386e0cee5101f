"""One file from one store into another: verified while it passes, never over anything.

The readers' rule on both sides: in the one store the name that has the stated SHA-256 is read, in
the other the next free number is taken where other bytes have the name.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from smugmug_backup.archive import keys, reading
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.reading import Digest
from smugmug_backup.archive.stated import Stated
from smugmug_backup.errors import AlreadyStored, NotABackup, NotStored, StoreError
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import BackupStore, Way

IN_MEMORY = 16 * 1024 * 1024
"""Up to so many bytes are verified before the first of them is sent; longer ones on their way."""

_MANY = 500
"""Of more than so many a listing tells what a request each would."""

Passed = Callable[[int], None]
"""Is told of bytes as they pass."""


class Unread(StoreError):
    """The one store did not give what it has; ``error`` says why."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(str(error), concerns=error.concerns)
        self.error = error


@dataclass(slots=True)
class There:
    """What a listing shows: ``sizes`` by name; ``pages``: runs that have a page for people."""

    sizes: dict[str, int] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)

    def has(self, stated: Stated) -> bool:
        """Whether it lies there under its own name, as far as its length tells: what is written
        here was verified before it got that name."""
        size = self.sizes.get(stated.key)
        return size is not None and stated.bytes in (None, size)

    def is_taken(self, stated: Stated) -> bool:
        """Whether other bytes have its name, so that a numbered one may have them."""
        return stated.key in self.sizes and not self.has(stated)


def what_lies(store: BackupStore, folders: Iterable[str]) -> There:
    """What a listing of what begins so shows. Raises StoreError."""
    there = There()
    for folder in folders:
        for each in store.list(folder):
            there.sizes[each.key] = each.bytes
            run = keys.parse_page(each.key)
            if run is not None:
                there.pages.add(run)
    return there


FOLDERS = (
    keys.README[:-4],
    keys.RUNS,
    keys.MANIFESTS,
    keys.FORGOTTEN,
    keys.RECORDS,
    keys.ORIGINALS,
)


def what_is_archived(store: BackupStore, asked: Collection[str], map_: Map) -> dict[str, int]:
    """Which of the keys ``asked`` lie in an archive class, under every name, and their lengths.

    Of many, a listing tells, which knows nothing of the archive tiers of Intelligent-Tiering: what
    lies there is found out when it is read. Raises StoreError if the listing fails.
    """
    if len(asked) > _MANY:
        wanted = {keys.plain(key)[0] for key in asked}
        found = [
            each
            for folder in FOLDERS
            for each in store.list(folder)
            if keys.plain(each.key)[0] in wanted
        ]
    else:

        def head(key: str) -> StoredObject | None:
            with suppress(StoreError):
                return store.head(key)
            return None  # It will tell its own trouble when it is read.

        found = [each for each in map_(head, sorted(asked)) if each is not None]
        for each in [each for each in found if each.archived]:
            beside = map(head, reading.numbered_names(store, keys.plain(each.key)[0]))
            found += [one for one in beside if one is not None]
    # One of its names that can be read may have the bytes.
    readable = {keys.plain(each.key)[0] for each in found if not each.archived}
    return {
        each.key: each.bytes
        for each in found
        if each.archived and each.key in asked and keys.plain(each.key)[0] not in readable
    }


def lies_sound(store: BackupStore, stated: Stated) -> bool:
    """Whether these bytes lie in ``store``, read whole. Raises StoreError if one that may have them
    cannot be read."""
    unread: StoreError | None = None
    for name in reading.names(store, stated.key):
        try:
            if stated.proved_by(reading.read_back(store, name).sha256):
                return True
        except NotStored:
            continue
        except StoreError as error:
            unread = unread or error
    if unread is not None:
        raise unread
    return False


def bring(
    source: BackupStore,
    target: BackupStore,
    stated: Stated,
    passed: Passed,
    *,
    way: Way | None = None,
    taken: bool = False,
) -> str:
    """Bring these bytes from ``source`` into ``target``; the name that they lie under there.

    By ``way``, if they come by it; whoever knows that has proved them by their SHA-256. ``taken``:
    what has their name there was found damaged, so ``way`` is asked for the first name that is
    free: what a store says of damaged bytes is no proof.

    Raises NotABackup if no name of ``source`` has them, Unread if one that may have them cannot be
    read, and StoreError, AlreadyStored too, of ``target``.
    """
    unread: Unread | None = None
    there = False
    for name in reading.names(source, stated.key):
        try:
            place = _first_free(target, stated.key) if way is not None and taken else stated.key
            if way is not None and _came(way, name, place, stated, passed):
                return place
            return _bring_from(source, name, target, stated, passed)
        except Unread as error:
            if isinstance(error.error, NotStored):
                continue
            there, unread = True, unread or error
        except NotABackup:
            there = True
    if unread is not None:
        raise unread
    raise NotABackup(
        f"{stated.key} does not have the SHA-256 that is stated of it"
        if there
        else f"{stated.key} is not there"
    )


def _first_free(target: BackupStore, key: str) -> str:
    return next(place for place in _places(key) if target.head(place) is None)


def _came(way: Way, name: str, place: str, stated: Stated, passed: Passed) -> bool:
    size = way.copy(
        name,
        place,
        size=stated.bytes,
        is_meant=stated.proved_by,
        file_name=stated.file_name,
    )
    if size is not None:
        passed(size)
    return size is not None


def _bring_from(
    source: BackupStore, name: str, target: BackupStore, stated: Stated, passed: Passed
) -> str:
    if stated.bytes is None or stated.bytes <= IN_MEMORY:
        body = b"".join(_chunks(source, name, stated, passed))
        for place in _places(stated.key):
            try:
                target.create(place, body, file_name=stated.file_name)
                return place
            except AlreadyStored:
                continue
    for place in _places(stated.key):
        if target.head(place) is None:
            with target.upload(place, file_name=stated.file_name) as upload:
                for chunk in _chunks(source, name, stated, passed):
                    upload.write(chunk)
                try:
                    upload.commit()
                    return place
                except AlreadyStored:
                    pass
        if stated.proved_by(reading.read_back(target, place).sha256):
            return place
    raise AssertionError("there is always a next number")


def _places(key: str) -> Iterator[str]:
    """The names that ``key`` may get: its own, then the numbered ones."""
    plain, own = keys.plain(key)
    yield key
    number = 1
    while True:
        number += 1
        if number != own:
            yield keys.numbered(plain, number)


def _chunks(source: BackupStore, name: str, stated: Stated, passed: Passed) -> Iterator[bytes]:
    """The bytes under ``name``; at their end NotABackup unless they are those that are stated."""
    digest = Digest()
    try:
        with source.open(name) as chunks:
            for chunk in chunks:
                digest.update(chunk)
                if stated.bytes is not None and digest.bytes > stated.bytes:
                    break
                passed(len(chunk))
                yield chunk
    except StoreError as error:
        raise Unread(error) from None
    if not stated.proved_by(digest.sha256):
        raise NotABackup(f"{name} does not have the SHA-256 that is stated of it")
