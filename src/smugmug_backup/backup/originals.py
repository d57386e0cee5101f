"""Fetch the bytes of images, verified before they become visible."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from smugmug_backup.archive import keys, records
from smugmug_backup.archive.manifest import PATIENCE, Original
from smugmug_backup.archive.report import Failure
from smugmug_backup.backup.signature import HEAD_BYTES, media_extension
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    BadBytes,
    OutOfTime,
    PhotoError,
    PhotoRefused,
    PhotoTooLarge,
    SourceError,
    StoreError,
)
from smugmug_backup.model import Album, Availability, Image, Offer
from smugmug_backup.ports import BackupStore, PhotoSource, Upload

IN_MEMORY = 16 * 1024 * 1024
"""Up to so many bytes are held in memory and stored with one request."""

_TRIES = 4
_REMEMBERED = 20_000
"""So many originals stored by this run are known by heart (for images in several albums)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An original that is needed: for which image, and what its line says until it is there.

    ``kept`` is what the line says again if the source's MD5 is still that of the bytes we hold,
    where only a look at the source can tell whether they changed (a video of API v2).
    """

    image: Image
    draft: Original
    kept: Original | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it went: what the line says now, the bytes newly stored, and what failed."""

    original: Original
    bytes_stored: int | None = None
    failure: Failure | None = None
    left_over: bool = False


@dataclass(frozen=True, slots=True)
class _Bytes:
    key: str
    bytes: int
    sha256: str
    md5: str


class _WrongMd5(BadBytes):
    """All bytes are there, but their MD5 is not the source's."""

    def __init__(self, body: bytes | None, digest: "_Digest") -> None:
        super().__init__("the bytes do not have the MD5 that SmugMug states")
        self.body = body
        self.digest = digest


class Progress(Protocol):
    """Hears of bytes as they arrive."""

    def received(self, size: int) -> None:
        """``size`` more bytes came from the source."""


class Originals:
    """Brings originals into the store; used by many threads of one run."""

    def __init__(
        self, source: PhotoSource, store: BackupStore, *, progress: Progress | None = None
    ) -> None:
        self._source = source
        self._store = store
        self._progress = progress
        self._lock = threading.Lock()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}
        self._known: OrderedDict[str, _Bytes] = OrderedDict()
        self._none_before = False

    def see_whether_any(self) -> None:
        """Ask once whether the store has originals at all; a first backup need not ask for each.

        It saves questions only: what another run stores meanwhile is met, and adopted, at the
        write.
        """
        self._none_before = next(iter(self._store.list(keys.ORIGINALS)), None) is None

    def fetch(self, album: Album, wanted: Wanted, *, now: datetime, deadline: Deadline) -> Fetched:
        """Fetch one original, or say why it is not there.

        Never raises for what concerns this image alone. Raises StoreRefused and other fatal
        errors.
        """
        try:
            if deadline.over:
                raise OutOfTime("no time left for this original")
            return self._fetch(album, wanted, now=now, deadline=deadline)
        except OutOfTime:
            return Fetched(wanted.draft, left_over=True)
        except (SourceError, StoreError) as error:
            if error.fatal:
                raise
            failure = Failure.of(error, album_key=album.key, image_key=wanted.image.key)
            if isinstance(error, StoreError):
                # The source did its part: nothing is learnt about it.
                return Fetched(wanted.draft, failure=failure)
            original = after_failure(wanted.draft, error, now=now)
            # What is unavailable is named as such in the report; it is no failure of the run.
            return Fetched(original, failure=None if original.status == "unavailable" else failure)

    def _fetch(self, album: Album, wanted: Wanted, *, now: datetime, deadline: Deadline) -> Fetched:
        offer = wanted.image.offer
        if offer.availability is Availability.LOOKUP:
            offer = self._source.resolve(album, wanted.image, deadline=deadline)
            kept = wanted.kept
            if kept is not None and offer.md5 is not None and offer.md5 == kept.source_md5:
                return Fetched(kept)
            unfetchable = without_bytes(offer, wanted.draft, now=now)
            if unfetchable is not None:
                return Fetched(wanted.draft if wanted.draft.stored else unfetchable)
        stored, new = self._store_once(wanted.image.key, offer, deadline)
        agrees = stored.md5 == offer.md5
        mismatch = offer.exact and offer.md5 is not None and not agrees
        original = Original(
            kind=offer.kind,
            status="stored",
            key=stored.key,
            bytes=stored.bytes,
            sha256=stored.sha256,
            md5=stored.md5,
            source_md5=offer.md5,
            verified=agrees,
            reason="md5_mismatch" if mismatch else None,
            pending_since=(wanted.draft.pending_since or now) if mismatch else None,
        )
        failure = None
        if original.waits(now):
            message = "kept, but its bytes do not have the MD5 that SmugMug states"
            failure = Failure(album.key, wanted.image.key, "md5_mismatch", message)
        return Fetched(original, bytes_stored=stored.bytes if new else None, failure=failure)

    def _store_once(self, image_key: str, offer: Offer, deadline: Deadline) -> tuple[_Bytes, bool]:
        """(what lies in the store, whether it was brought there now)."""
        expects_md5 = offer.kind == "original" and offer.exact and offer.md5 is not None
        revision = f"rev-{records.revision(offer)}"
        name = offer.md5 if expects_md5 and offer.md5 else revision
        with self._turn(f"{image_key}/{name}"):
            known = self._known.get(f"{image_key}/{name}")
            if known is not None:
                return known, False
            found = None if self._none_before else self._adopt(image_key, name, offer)
            stored = found or self._download(image_key, name, revision, offer, deadline)
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

    def _adopt(self, image_key: str, name: str, offer: Offer) -> _Bytes | None:
        """The bytes already under ``name`` (after a kill, or from another album), read back."""
        extension = keys.extension(offer.format)
        if extension is not None:
            found = self._store.head(keys.original(image_key, name, extension))
        else:
            found = next(self._store.list(f"{keys.ORIGINALS}{image_key}/{name}."), None)
        if found is None or found.archived:
            return None
        return self._read_back(found.key, name, offer)

    def _read_back(self, key: str, name: str, offer: Offer) -> _Bytes | None:
        digest = _Digest()
        with self._store.open(key) as chunks:
            for chunk in chunks:
                digest.update(chunk)
        if name == offer.md5 and digest.md5 != offer.md5:
            return None
        if offer.exact and offer.size is not None and digest.bytes != offer.size:
            return None
        return digest.under(key)

    def _download(
        self, image_key: str, name: str, revision: str, offer: Offer, deadline: Deadline
    ) -> _Bytes:
        """Download until the bytes are right, or wrong twice in a row (see design section 6)."""
        mismatches = failures = 0
        for _ in range(_TRIES):
            target = name if mismatches < 2 else revision
            try:
                return self._attempt(image_key, target, offer, deadline, any_md5=mismatches >= 2)
            except _WrongMd5 as wrong:
                mismatches += 1
                if mismatches >= 2 and wrong.body is not None:
                    return self._keep(image_key, revision, offer, wrong.body, wrong.digest)
            except (PhotoRefused, PhotoTooLarge):
                raise
            except PhotoError:
                failures += 1
                if failures >= 2:
                    raise
        raise BadBytes("the bytes differ at each download")

    def _attempt(
        self, image_key: str, name: str, offer: Offer, deadline: Deadline, *, any_md5: bool
    ) -> _Bytes:
        checks_md5 = offer.exact and offer.md5 is not None
        digest = _Digest()
        held = bytearray()
        with ExitStack() as stack:
            stream = stack.enter_context(self._source.open(offer, deadline=deadline))
            length = offer.size if offer.exact and offer.size is not None else stream.length
            if length is None:
                raise BadBytes("neither SmugMug nor its photo host states the length")
            upload: Upload | None = None
            key: str | None = None
            for chunk in stream:
                digest.update(chunk)
                if self._progress is not None:
                    self._progress.received(len(chunk))
                if digest.bytes > length:
                    raise BadBytes(f"more than the {length} bytes that were announced")
                if upload is not None:
                    upload.write(chunk)
                    continue
                held += chunk
                if len(held) > IN_MEMORY:
                    key = self._key(image_key, name, offer, bytes(held[:HEAD_BYTES]))
                    upload = stack.enter_context(self._store.upload(key))
                    upload.write(bytes(held))
                    held.clear()
            if digest.bytes != length:
                raise BadBytes(f"{digest.bytes} bytes came, {length} were announced")
            if key is None:
                key = self._key(image_key, name, offer, bytes(held[:HEAD_BYTES]))
            body = bytes(held)
            held.clear()
            agrees = digest.md5 == offer.md5
            if checks_md5 and not agrees and not any_md5:
                raise _WrongMd5(None if upload else body, digest)
            if checks_md5 and agrees and any_md5:
                # The third try was right after all; its place is under its MD5.
                raise PhotoError("the bytes differ from one download to the next")
            return self._commit(key, name, offer, digest, upload, body)

    def _keep(
        self, image_key: str, revision: str, offer: Offer, body: bytes, digest: "_Digest"
    ) -> _Bytes:
        key = self._key(image_key, revision, offer, body[:HEAD_BYTES])
        return self._commit(key, revision, offer, digest, None, body)

    def _commit(
        self,
        key: str,
        name: str,
        offer: Offer,
        digest: "_Digest",
        upload: Upload | None,
        body: bytes,
    ) -> _Bytes:
        try:
            if upload is None:
                self._store.create(key, body)
            else:
                upload.commit()
        except AlreadyStored:
            found = self._read_back(key, name, offer)
            if found is None:
                raise
            return found
        return digest.under(key)

    @staticmethod
    def _key(image_key: str, name: str, offer: Offer, head: bytes) -> str:
        seen = media_extension(head)
        if seen is None:
            raise BadBytes("what came is no image and no video")
        return keys.original(image_key, name, keys.extension(offer.format) or seen)


class _Digest:
    """Length, MD5 and SHA-256 of a stream."""

    def __init__(self) -> None:
        self.bytes = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def update(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        self._md5.update(chunk)
        self._sha256.update(chunk)

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    def under(self, key: str) -> _Bytes:
        return _Bytes(key, self.bytes, self._sha256.hexdigest(), self.md5)


def without_bytes(offer: Offer, draft: Original, *, now: datetime) -> Original | None:
    """What the line says if ``offer`` has nothing to fetch now; None if it has."""
    since = draft.pending_since or now
    if offer.kind == "none":
        return replace(
            draft,
            kind="none",
            status="unavailable",
            source_md5=offer.md5,
            reason="no_original_url",
            pending_since=since,
        )
    if offer.availability is Availability.READY or offer.availability is Availability.LOOKUP:
        return None
    patient = offer.availability is Availability.PROCESSING and now - since < PATIENCE
    return replace(
        draft,
        kind=offer.kind,
        status="pending" if patient else "unavailable",
        source_md5=offer.md5,
        reason="processing",
        pending_since=since,
    )


def after_failure(draft: Original, error: SourceError, *, now: datetime) -> Original:
    """What the line says after a download in vain.

    ``refused_by_source`` stays as long as every attempt was answered 403, 404 or 410; only then
    may an image become unavailable. One that is unavailable stays so.
    """
    if draft.stored:
        return draft
    if isinstance(error, PhotoTooLarge):
        return replace(draft, status="unavailable", reason="too_large")
    if draft.status == "unavailable":
        return draft
    refused = isinstance(error, PhotoRefused) and draft.reason != "download_failed"
    waited = now - (draft.pending_since or now)
    return replace(
        draft,
        status="unavailable" if refused and waited >= PATIENCE else "pending",
        reason="refused_by_source" if refused else "download_failed",
    )
