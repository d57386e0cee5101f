"""Fetch the bytes of images, verified before they become visible.

======================  ==================================================================
what came               what becomes of it
======================  ==================================================================
its MD5 is the source's kept, whatever size or signature say: nothing outranks it
no MD5 vouches          kept if it is as long as announced, and of the class offered
                        (a picture for a photo, a video for a video)
a wrong MD5             tried once more; wrong again, it is kept under ``rev-…``, if it is as
                        long as announced and of the class offered, and never called verified
anything else           never kept
======================  ==================================================================
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from smugmug_backup.archive import keys, original, reading, records
from smugmug_backup.archive.original import Original, Reason, Status, StoredBytes, When
from smugmug_backup.archive.reading import Digest
from smugmug_backup.archive.report import Failure
from smugmug_backup.backup.buffers import Buffers, Room
from smugmug_backup.backup.compare import Wanted
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.signature import HEAD_BYTES, Media, seen
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    Archived,
    BadBytes,
    Code,
    ConnectionLost,
    NotStored,
    OutOfTime,
    PhotoError,
    PhotoRefused,
    PhotoTooLarge,
    SourceError,
    StoreError,
    StoreFull,
)
from smugmug_backup.model import Album, Availability, Kind, Offer
from smugmug_backup.ports import BackupStore, Body, PhotoStream, Upload

IN_MEMORY = 16 * 1024 * 1024
"""Up to so many bytes are held in memory and stored with one request."""

_PIECE = 1024 * 1024
_HELD_BY_UPLOAD = 24 * 1024 * 1024
"""What an upload in parts may hold back, and a part on its way."""

_TRIES = 4
_REMEMBERED = 20_000
"""So many originals stored by this run are known by heart (for images in several albums)."""

_LONG = 120.0
"""A download that was dropped after so many seconds is named."""

_VIDEOS = frozenset(("mp4", "mov"))


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it went: what the line says now, the bytes newly stored, and what failed."""

    original: Original
    bytes_stored: int | None = None
    failure: Failure | None = None
    left_over: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the bytes of an offer belong: the image's key, ``name`` (an MD5, or ``rev-…``), the
    extension if it is known before they come, and the number if the plain name is taken."""

    image_key: str
    name: str
    extension: str | None
    number: int = 1

    def key(self, extension: str) -> str:
        return keys.numbered(
            keys.original(self.image_key, self.name, self.extension or extension), self.number
        )


class _WrongMd5(BadBytes):
    """All bytes are there, but their MD5 is not the source's."""

    def __init__(self, body: bytes | None, digest: Digest) -> None:
        super().__init__("the bytes do not have the MD5 that SmugMug states")
        self.body = body
        self.digest = digest


class _Taken(PhotoError):
    """Other bytes lie under the name that these were to have."""


class Originals:
    """Brings originals into the store; used by many threads of one run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store: BackupStore = context.archive.store
        self._lock = threading.Lock()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}
        self._known: OrderedDict[str, StoredBytes] = OrderedDict()
        self._buffers = Buffers(context.options.memory)
        self._none_before = False

    def see_whether_any(self) -> bool:
        """Ask once whether the store has originals at all; a first backup need not ask for each.

        It saves questions only: what another run stores meanwhile is met, and adopted, at the
        write.
        """
        self._none_before = not self._context.archive.has_originals()
        return not self._none_before

    def fetch(self, album: Album, wanted: Wanted, *, when: When) -> Fetched:
        """Fetch one original, or say why it is not there.

        Never raises for what concerns this image alone; raises what concerns the whole run.
        """
        deadline, clock = self._context.deadline, self._context.clock
        began = clock.monotonic()
        try:
            if deadline.over:
                raise OutOfTime("no time left for this original")
            return self._fetch(album, wanted, when=when, deadline=deadline)
        except OutOfTime as error:
            # One that takes longer than an invocation has would else never be told of.
            failure = Failure.of(error, album_key=album.key, image_key=wanted.image.key)
            named = clock.monotonic() - began >= _LONG and not deadline.stopped
            return Fetched(wanted.draft, left_over=True, failure=failure if named else None)
        except ConnectionLost as error:
            # The run ends; what this album has by now is whole, and is committed.
            self._context.alone.concerns_all(error)
            return Fetched(wanted.draft, left_over=True)
        except (SourceError, StoreError) as error:
            if self._context.alone.concerns_all(error):
                if isinstance(error, StoreFull):
                    # What is whole can be committed all the same: there is a reserve for that.
                    return Fetched(wanted.draft, left_over=True)
                raise
            failure = Failure.of(error, album_key=album.key, image_key=wanted.image.key)
            if isinstance(error, StoreError):
                # The source did its part: nothing is learnt about it.
                return Fetched(wanted.draft, failure=failure)
            line = original.failed(wanted.draft, error, when)
            # What is unavailable is named as such in the report; it is no failure of the run.
            return Fetched(line, failure=None if line.status == Status.UNAVAILABLE else failure)

    def _fetch(self, album: Album, wanted: Wanted, *, when: When, deadline: Deadline) -> Fetched:
        offer, line = wanted.image.offer, wanted.draft
        if offer.availability is Availability.LOOKUP:
            offer = self._context.source.resolve(album, wanted.image, deadline=deadline)
            kept = wanted.kept
            if kept is not None and offer.md5 is not None and offer.md5 == kept.source_md5:
                return Fetched(kept)
            line = original.ready_again(line, offer, when)
            without = original.without_bytes(line, offer, when)
            if without is not None:
                return Fetched(without)
        content, new = self._store_once(wanted, offer, line, deadline)
        self._context.space.stored(content.bytes)
        result = original.stored(line, content, offer, when)
        failure = None
        if result.waits(when):
            message = "kept, but its bytes do not have the MD5 that SmugMug states"
            failure = Failure(album.key, wanted.image.key, Code.MD5_MISMATCH, message)
        return Fetched(result, bytes_stored=content.bytes if new else None, failure=failure)

    def _store_once(
        self, wanted: Wanted, offer: Offer, line: Original, deadline: Deadline
    ) -> tuple[StoredBytes, bool]:
        """(what lies in the store, whether it was brought there now)."""
        image_key = wanted.image.key
        revision = f"rev-{records.revision(offer)}"
        name = offer.md5 if offer.exact and offer.md5 is not None else revision
        extension = keys.extension(offer.format)
        with self._turn(f"{image_key}/{name}"):
            known = self._known.get(f"{image_key}/{name}")
            if known is not None:
                return known, False
            place = _Place(image_key, name, extension)
            found = None
            if not self._none_before:
                found, place = self._adopt(place, line)
            download = _Download(
                self._context,
                self._store,
                self._buffers,
                wanted.image.file_name,
                offer,
                line,
                revision,
            )
            stored = found or download.run(place, deadline)
            self._known[f"{image_key}/{name}"] = stored
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
                # What this run stored itself is no longer known by heart.
                self._none_before = False
            return stored, found is None

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """One thread at a time for one original: an image in two albums is fetched once."""
        with self._lock:
            lock, users = self._turns.get(name, (threading.Lock(), 0))
            self._turns[name] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._turns.pop(name)
                if users > 1:
                    self._turns[name] = (lock, users - 1)

    def _adopt(self, place: _Place, line: Original) -> tuple[StoredBytes | None, _Place]:
        """(the bytes already there (after a kill, or from another album), the place still free).

        Bytes are believed after reading them back: if their name is their MD5, or if this image's
        line states their SHA-256. Others take the next number.
        """
        stated = {each.key: each.sha256 for each in (line.content, line.previous) if each}
        number = 1
        for key in self._there(place):
            number = max(number, keys.plain(key)[1] + 1)
            try:
                found = reading.read_back(self._store, key)
            except (Archived, NotStored):
                # An archived one is met, and judged by its length, when the bytes have come.
                number = keys.plain(key)[1]
                continue
            if found.md5 == place.name or stated.get(key) == found.sha256:
                return found, place
        # What is fetched again may turn out to be what lies there: the plain name is tried first,
        # unless an MD5 says that other bytes lie under it.
        taken = not place.name.startswith("rev-")
        return None, _Place(place.image_key, place.name, place.extension, number if taken else 1)

    def _there(self, place: _Place) -> list[str]:
        if place.extension is not None:
            key = place.key(place.extension)
            found = self._store.head(key)
            if found is None:
                return []
            if found.archived:
                return [key]
            return [key, *reading.numbered_names(self._store, key)]
        folder = keys.image_originals(place.image_key)
        return [each.key for each in self._store.list(f"{folder}{place.name}.")]


class _Download:
    """One original's way from the source into the store: a few tries, each verified."""

    def __init__(
        self,
        context: Context,
        store: BackupStore,
        buffers: Buffers,
        file_name: str | None,
        offer: Offer,
        line: Original,
        revision: str,
    ) -> None:
        self._context = context
        self._store = store
        self._buffers = buffers
        self._batch = context.archive.batch
        self._file_name = file_name
        self._offer = offer
        self._line = line
        self._revision = revision
        self._checks_md5 = offer.exact and offer.md5 is not None

    def run(self, place: _Place, deadline: Deadline) -> StoredBytes:
        """Download until the bytes are right, or wrong twice in a row."""
        mismatches = failures = 0
        second = _Place(place.image_key, self._revision, place.extension)
        for _ in range(_TRIES):
            any_md5 = mismatches >= 2
            try:
                return self._attempt(second if any_md5 else place, deadline, any_md5=any_md5)
            except _Taken:
                place = _Place(place.image_key, place.name, place.extension, place.number + 1)
            except _RightAfterAll:
                # A large one, streamed to the place of wrong bytes: once more, to its own.
                mismatches = 0
            except _WrongMd5 as wrong:
                mismatches += 1
                if mismatches >= 2:
                    self._refuse_other_wrong_bytes(second)
                    if wrong.body is not None:
                        return self._commit(second, wrong.digest, None, wrong.body)
            except (PhotoRefused, PhotoTooLarge):
                raise
            except PhotoError:
                failures += 1
                if failures >= 2:
                    raise
        raise BadBytes("the bytes differ at each download")

    def _refuse_other_wrong_bytes(self, place: _Place) -> None:
        """Where wrong bytes of this revision are kept already, only right ones are taken."""
        line = self._line
        if line.stored and line.reason == Reason.MD5_MISMATCH and line.key is not None:
            parsed = keys.parse_original(keys.plain(line.key)[0])
            if parsed is not None and parsed[1] == place.name:
                raise BadBytes("the bytes still do not have the MD5 that SmugMug states")

    def _attempt(self, place: _Place, deadline: Deadline, *, any_md5: bool) -> StoredBytes:
        offer, digest = self._offer, Digest()
        with ExitStack() as stack:
            kept = stack.enter_context(self._context.space.kept(offer.size))
            room = stack.enter_context(self._room(deadline))
            upload: Upload | None = None
            # Its place at the source is free at the last byte: to hash and to store takes as long.
            with self._context.source.open(offer, deadline=deadline) as stream:
                length = stream.length
                kept.at_least(length or 0)
                large = length is not None and length > IN_MEMORY
                filled = self._fill(stream, room, HEAD_BYTES if large else IN_MEMORY + 1)
                head = bytes(room.view[: min(filled, HEAD_BYTES)])
                if large or filled > IN_MEMORY:
                    if not self._checks_md5:
                        self._judge(head, length, digest)
                    key = place.key(_extension(head))
                    upload = stack.enter_context(self._batch.upload(key, file_name=self._file_name))
                    self._hand_on(stream, room, filled, digest, upload, kept.wrote)
            body = room.view[: 0 if upload else filled]
            digest.update(body)
            agrees = digest.md5 == offer.md5
            if not agrees:
                self._judge(head, length, digest)
                if length is not None and digest.bytes != length:
                    raise PhotoError(f"{digest.bytes} bytes came of {length}")
                if self._checks_md5 and not any_md5:
                    raise _WrongMd5(None if upload else bytes(body), digest)
            elif any_md5:
                raise _RightAfterAll("the bytes differ from one download to the next")
            return self._commit(place, digest, upload, body, head=head)

    def _room(self, deadline: Deadline) -> AbstractContextManager[Room]:
        size = IN_MEMORY if self._offer.size is None else self._offer.size
        if size > IN_MEMORY:
            return self._buffers.room(_PIECE, beside=_HELD_BY_UPLOAD, deadline=deadline)
        # With a byte more, into which nothing comes: so the end is seen.
        return self._buffers.room(size + 1, deadline=deadline)

    def _fill(self, stream: PhotoStream, room: Room, most: int) -> int:
        """Read ``stream`` to its end, or ``most`` bytes of it; returns how many came."""
        filled = 0
        while filled < most:
            if filled == len(room.view):
                room.grow(min(2 * filled, most))
            count = self._read(stream, room.view[filled:most])
            if count == 0:
                break
            filled += count
        return filled

    def _hand_on(
        self,
        stream: PhotoStream,
        room: Room,
        filled: int,
        digest: Digest,
        upload: Upload,
        wrote: Callable[[int], None],
    ) -> None:
        """Write what is in ``room``, and the rest of ``stream``, to ``upload``."""
        while filled:
            for start in range(0, filled, _PIECE):
                # Its own bytes, for an upload may keep them.
                piece = bytes(room.view[start : min(filled, start + _PIECE)])
                digest.update(piece)
                upload.write(piece)
                wrote(len(piece))
            filled = self._read(stream, room.view)

    def _read(self, stream: PhotoStream, into: memoryview) -> int:
        if self._context.alone.halted is not None:
            raise OutOfTime("the run has ended")
        count = stream.readinto(into)
        if count and self._context.listener is not None:
            self._context.listener.received(count)
        return count

    def _judge(self, head: bytes, length: int | None, digest: Digest) -> None:
        """Without an MD5 that vouches, bytes must be of the class offered, and of known length."""
        if length is None:
            raise BadBytes("neither an MD5 nor a length tells whether all bytes came")
        found = seen(head)
        if found is None:
            raise BadBytes(
                "what came is no image and no video" if digest.bytes else "no bytes came"
            )
        wanted = _class_of(self._offer)
        if wanted is not None and found[1] is not wanted:
            raise BadBytes(f"a {found[1].value} came in the place of a {wanted.value}")

    def _commit(
        self,
        place: _Place,
        digest: Digest,
        upload: Upload | None,
        body: Body,
        *,
        head: bytes | None = None,
    ) -> StoredBytes:
        key = place.key(_extension(bytes(body[:HEAD_BYTES]) if head is None else head))
        try:
            if upload is not None:
                upload.commit()
                return digest.under(key)
            return digest.under(self._create(key, digest, body))
        except AlreadyStored:
            if self._is_there(key, digest):
                return digest.under(key)
            raise _Taken(f"other bytes lie under {key}") from None

    def _create(self, key: str, digest: Digest, body: Body) -> str:
        plain, number = keys.plain(key)
        while True:
            name = keys.numbered(plain, number)
            try:
                self._batch.create(name, body, file_name=self._file_name, sha256=digest.sha256)
                return name
            except AlreadyStored:
                if self._is_there(name, digest):
                    return name
                number += 1

    def _is_there(self, key: str, digest: Digest) -> bool:
        """Whether the bytes just verified lie under ``key``.

        An archived object cannot be read: under its MD5 and with the same length it is the same.
        """
        try:
            return reading.read_back(self._store, key).sha256 == digest.sha256
        except Archived:
            found = self._store.head(key)
            parsed = keys.parse_original(keys.plain(key)[0])
            same = found is not None and found.bytes == digest.bytes
            return same and parsed is not None and parsed[1] == digest.md5
        except NotStored:
            return False


class _RightAfterAll(PhotoError):
    """A third try brought the right bytes; their place is under their MD5."""


def _extension(head: bytes) -> str:
    found = seen(head)
    return found[0] if found else "bin"


def _class_of(offer: Offer) -> Media | None:
    """The class of media that is offered; None if nothing tells."""
    if offer.kind == Kind.RENDITION:
        return Media.VIDEO
    extension = keys.extension(offer.format)
    if extension is None:
        return None
    return Media.VIDEO if extension in _VIDEOS else Media.PICTURE
