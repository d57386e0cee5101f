"""The ports of the backup: where photos come from, where they lie, who carries
work on, who deletes.

An implementation is trusted only after the contract suite in ``tests/contract`` ran against it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import StoreError
from smugmug_backup.model import Account, Album, Image, Listing, Offer, Room, StoredObject

Body = bytes | memoryview
"""Bytes of an object on their way into a store."""


class PhotoStream(Protocol):
    """The body of one download; ``length`` is its Content-Length, or None."""

    length: int | None

    def readinto(self, buffer: memoryview) -> int:
        """Write the next bytes into ``buffer``, which is not empty; returns how many, 0 at the end.

        Raises PhotoError when the body breaks off, OutOfTime when the deadline is over. A body
        shorter than its length is an error, not an end."""


class PhotoSource(Protocol):
    """A SmugMug account, read only; safe to be used by many threads.

    Every method raises `SourceError` (after its own bounded retries) or `OutOfTime`. An answer
    that cannot be believed whole is an error, never an empty or a shorter result.
    """

    @property
    def name(self) -> str:
        """``smugmug-1.3.0`` or ``smugmug-v2``, as it stands in every record."""

    @property
    def api_calls(self) -> int:
        """Requests sent to the API so far, each retry counted; downloads are not in it."""

    @property
    def answered_at(self) -> datetime | None:
        """The ``Date`` of the newest answer of the API that had a credible one, since `account`
        was last asked; None if there was none. Failures do not count, nor do downloads."""

    def account(self, *, deadline: Deadline) -> Account:
        """Check the login and say whose account it is.

        One call with OAuth, none without. Raises LoginLost, SourceRetired, and BadRequest if
        the token belongs to somebody else than the nickname that was set, or sees no more than
        what is public.
        """

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        """All albums of the account, empty ones too, each key once.

        Raises SourceRetired if the answers look like a retired API, MalformedAnswer if one does
        not parse whole.
        """

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        """The images of ``album``: all (``since`` None), or those changed after that epoch.

        A source that cannot filter may answer a full listing instead (``full`` says so), or an
        empty one if it knows that nothing changed. An image that the source shows twice is there
        twice, its first entry first: the core takes that one. Raises AccessRefused and
        AlbumNotFound for what speaks of this album alone, and LoginLost for what speaks of the
        login: only `account` can tell whether that holds for others.
        """

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        """The offer behind one whose availability is LOOKUP. It is READY, PROCESSING or NEVER,
        or of kind ``none`` if there is no original. May cost calls, so ask for few images."""

    def open(self, offer: Offer, *, deadline: Deadline) -> AbstractContextManager[PhotoStream]:
        """Begin a download of a READY offer. Raises PhotoRefused (403, 404, 410), PhotoUnsafe,
        PhotoTooLarge, PhotoError."""


class Upload(Protocol):
    """An object on its way in; invisible until `commit`. Used by one thread.

    Left without a commit (an exception, a kill), it leaves no visible object.
    """

    def write(self, chunk: Body) -> None:
        """Append. May hold back up to one part in memory, and ``chunk`` itself: it must not be
        written anew. Raises StoreError."""

    def commit(self) -> None:
        """Make it visible and durable. Raises AlreadyStored, and changes nothing, if the key is
        taken (whatever lies there: the caller reads it back), and StoreError. After
        StoreUnavailable this upload is over: the caller begins a new one, with the bytes anew."""


class Batch(Protocol):
    """Objects that a commit will name, written faster: durable at the barrier, not one by one.

    For the threads of one run. Until the barrier an object may be seen or not, but never in part;
    a kill may lose it.
    """

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        """As `BackupStore.create`, but for that."""

    def upload(self, key: str, *, file_name: str | None = None) -> AbstractContextManager[Upload]:
        """As `BackupStore.upload`, but for that."""

    def barrier(self) -> Mapping[str, StoreError]:
        """All that was created in this batch is visible and durable when this returns.

        But for what the answer names: keys, and folders of keys (they end with a slash; "" is
        all), of which nothing may be said to be stored, and why. AlreadyStored: other bytes
        took the key in between. What was named once is named again until it is created anew.
        """


class BackupStore(Protocol):
    """Keys to bytes, created once and never changed or removed; safe for many threads.

    Keys are relative paths of ASCII letters, digits and ``-_.=/``; no two differ only in capitals,
    which some disks do not tell apart. Every method raises
    `StoreUnavailable` (after its own bounded retries) or `StoreRefused`, one that writes
    `StoreFull`, and no other error of whatever carries the bytes. ``file_name``, if the store can
    keep it beside the bytes (S3 can), is the name under which a browser saves them; it is no part
    of what is stored.
    """

    def bounded(self, deadline: Deadline) -> "BackupStore":
        """This store for one run: no call outlasts ``deadline.ends``.

        A call that is begun when fewer seconds are left gets 10 all the same, for a commit and
        the report come then. What is broken off is StoreUnavailable. Without it, a call that is
        stuck ends by the store's own patience, within minutes. A folder, whose calls cannot be
        broken off, is itself.
        """

    @property
    def requests(self) -> int:
        """Requests made so far (S3), or operations (a folder)."""

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """All objects whose key starts with ``prefix``, is greater than ``after`` and not greater
        than ``until``, in ascending order of the keys' bytes. Lazy: a page at a time.

        What it cannot look into (a folder without rights, a bad sector) it leaves out, gives all
        the rest, and at its end raises `ListingIncomplete`, which names it."""

    def head(self, key: str) -> StoredObject | None:
        """What lies under ``key``, or None."""

    def read(self, key: str) -> bytes:
        """The whole object. Raises NotStored."""

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        """``length`` bytes of the object from ``offset`` on, in one request; fewer where it ends.
        Raises NotStored, also if it ends before ``offset``."""

    def open(self, key: str) -> AbstractContextManager[Iterator[bytes]]:
        """The object in chunks of at most a MiB. Raises NotStored, on entering."""

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        """Store ``body`` under ``key``, once and for all; durable and whole when this returns.

        ``file_name``: what a browser shall save it as, where the store can say so. ``sha256``: that
        of ``body`` in hex, from whoever has it already; a wrong one is refused, or not looked at.
        ``body`` may be written anew once this has returned, and not before.

        Raises AlreadyStored, and changes nothing, if the key is taken by other bytes. The same
        bytes are no conflict: a lost answer makes a retry meet its own write.
        """

    def upload(self, key: str, *, file_name: str | None = None) -> AbstractContextManager[Upload]:
        """Begin an object of unknown size under ``key``; memory does not grow with it.

        ``file_name`` as in `create`."""

    def batch(self) -> Batch:
        """A new batch; where nothing is gained by it, each object is durable at once."""

    def room(self) -> Room:
        """How much more it can take, as far as anybody knows. Raises StoreError."""


IsMeant = Callable[[str], bool]
"""Whether bytes with this SHA-256 (64 hex digits) are those that are to be copied."""


class Way(Protocol):
    """From one store into another, without the bytes passing through this machine; for a pair that
    has such a way. Safe for many threads."""

    def copy(
        self, name: str, key: str, *, size: int | None, is_meant: IsMeant, file_name: str | None
    ) -> int | None:
        """Copy what lies under ``name`` in the one, if it is what ``is_meant``, as ``key`` into the
        other; how many bytes it is.

        None: it did not come by this way, whatever the reason, and its bytes have to pass. What is
        there under ``key`` already stays as it is.
        """

    @property
    def copied(self) -> int:
        """How many objects came by it."""

    @property
    def closed(self) -> str | None:
        """Why nothing comes by it any more (rights, an S3 that does not know it); None if it is
        open."""


class Remover(Protocol):
    """Deletes what its owner wants gone. No part of `BackupStore`: no run and no check has one."""

    def remove(self, key: str) -> None:
        """Delete all that lies under ``key``, in every version that the store keeps of it.

        Nothing there is fine. Raises StoreError, whose message says what forbids it; a part of the
        versions may be gone by then.
        """


class Overflow(Protocol):
    """Carries on, elsewhere, the work that one invocation has no time for."""

    def start(self, run_id: str) -> None:
        """Begin working through ``work/<run id>/plan.jsonl``. Doing it twice is harmless."""

    def recent(self) -> tuple[tuple[str, bool], ...]:
        """(run id, still running) of the latest executions, newest first."""
