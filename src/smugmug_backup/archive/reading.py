"""Reading what a file of the store states of another, and its bytes with that proof.

The readers' rule, the same for runs, checks, restores and copies: where a name is missing, or its
bytes do not have the SHA-256 that is stated of them, the numbered name that has it counts.
"""

import hashlib
from collections.abc import Iterator

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import sha256 as sha256_of
from smugmug_backup.archive.original import StoredBytes
from smugmug_backup.errors import AlreadyStored, NotABackup, NotStored, StoreError
from smugmug_backup.ports import BackupStore, Batch, Body


def read_stated(store: BackupStore, key: str, sha256: str | None) -> bytes:
    """The bytes of ``key``, or of its numbered name that has ``sha256`` (None: nothing is stated).

    Raises NotStored if there is none, NotABackup if what lies there has another SHA-256, and
    StoreError if none that can be read has it, and one cannot be read.
    """
    if sha256 is None:
        return store.read(key)
    there = False
    unread: StoreError | None = None
    for name in names(store, key):
        try:
            body = store.read(name)
        except NotStored:
            continue
        except StoreError as error:
            unread = unread or error
            continue
        there = True
        if sha256_of(body) == sha256:
            return body
    if unread is not None:
        raise unread
    if not there:
        raise NotStored(f"{key} is not there")
    raise NotABackup(f"{key} does not have the SHA-256 that is stated of it")


def numbered_names(store: BackupStore, key: str) -> list[str]:
    """The numbered names beside ``key`` that are there, by their numbers."""
    stem = key.rpartition(".")[0]
    found = []
    for each in store.list(f"{stem}."):
        name, number = keys.plain(each.key)
        if name == key and number > 1:
            found.append((number, each.key))
    return [name for _, name in sorted(found)]


class Digest:
    """Length, MD5 and SHA-256 of a stream."""

    def __init__(self) -> None:
        self.bytes = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def update(self, chunk: Body) -> None:
        """Take in the next bytes."""
        self.bytes += len(chunk)
        self._md5.update(chunk)
        self._sha256.update(chunk)

    @property
    def md5(self) -> str:
        """32 lower-case hex digits."""
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        """64 lower-case hex digits."""
        return self._sha256.hexdigest()

    def under(self, key: str) -> StoredBytes:
        """What was taken in, as it lies under ``key``."""
        return StoredBytes(key, self.bytes, self.sha256, self.md5)


def read_back(store: BackupStore, key: str) -> StoredBytes:
    """What lies under ``key``, read whole. Raises NotStored, Archived, StoreError."""
    digest = Digest()
    with store.open(key) as chunks:
        for chunk in chunks:
            digest.update(chunk)
    return digest.under(key)


def sound_name(store: BackupStore, content: StoredBytes) -> str | None:
    """The name, plain or numbered, under which the bytes of ``content`` lie, read whole; None if
    there is none. Raises Archived and StoreError if none that can be read has them, and one cannot
    be read: that is not known to be damaged.
    """
    unread: StoreError | None = None
    for name in names(store, content.key):
        try:
            if read_back(store, name).sha256 == content.sha256:
                return name
        except NotStored:
            continue
        except StoreError as error:
            unread = unread or error
    if unread is not None:
        raise unread
    return None


def names(store: BackupStore, key: str) -> Iterator[str]:
    """The names under which what is stated of ``key`` may lie: itself, then the numbered ones.

    These are only looked for when they are asked for. Whoever reads proves the SHA-256.
    """
    yield key
    plain, _ = keys.plain(key)
    yield from (name for name in (plain, *numbered_names(store, plain)) if name != key)


def keep(store: BackupStore | Batch, key: str, body: bytes, *, file_name: str | None = None) -> str:
    """Store ``body`` under ``key``, or under the next number if other bytes lie there.

    Returns the name that it lies under. Bytes that lie there already are not written again.
    """
    number = 1
    while True:
        name = keys.numbered(key, number)
        try:
            store.create(name, body, file_name=file_name)
            return name
        except AlreadyStored:
            number += 1
