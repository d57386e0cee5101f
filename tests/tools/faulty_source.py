"""A source that fails where it is told to: every operation is a point, as a store's are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from smugmug_backup.clock import Deadline
from smugmug_backup.model import Account, Album, Image, Listing, Offer
from smugmug_backup.ports import PhotoSource
from tests.tools.faults import Points
from tests.tools.streams import OfChunks, chunks_of


class FaultySource:
    """Wraps a `PhotoSource`; see `Points`."""

    def __init__(self, inner: PhotoSource, points: Points) -> None:
        self._inner = inner
        self._points = points

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def api_calls(self) -> int:
        return self._inner.api_calls

    @property
    def answered_at(self) -> datetime | None:
        return self._inner.answered_at

    def account(self, *, deadline: Deadline) -> Account:
        with self._points.at("source.account", ""):
            return self._inner.account(deadline=deadline)

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        with self._points.at("source.albums", ""):
            return self._inner.albums(deadline=deadline)

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        with self._points.at("source.images", album.key):
            return self._inner.images(album, since=since, deadline=deadline)

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        with self._points.at("source.resolve", image.key):
            return self._inner.resolve(album, image, deadline=deadline)

    @contextmanager
    def open(self, offer: Offer, *, deadline: Deadline) -> Iterator[Any]:
        with self._points.at("source.open", str(offer.url)):
            pass
        with self._inner.open(offer, deadline=deadline) as stream:
            yield _Stream(stream, str(offer.url), self._points)


class _Stream(OfChunks):
    def __init__(self, inner: Any, key: str, points: Points) -> None:
        self._inner, self._key, self._points = inner, key, points
        self.length = inner.length

    def chunks(self) -> Iterator[bytes]:
        for chunk in chunks_of(self._inner):
            with self._points.at("source.chunk", self._key):
                pass
            yield chunk
