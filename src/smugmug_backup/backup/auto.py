"""A source that begins with one of SmugMug's APIs and, where `api.choice_of` allows, goes over."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from smugmug_backup.archive.records import V2
from smugmug_backup.backup.api import Choice
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError, OutOfTime, SourceError
from smugmug_backup.model import Account, Album, Image, Listing, Offer
from smugmug_backup.ports import PhotoSource, PhotoStream


class AutoSource:
    """`PhotoSource` over the API that ``choose`` names; ``build`` makes a source by its name.

    It goes over before the first listing of an album or never: all that a run lists and records
    comes through one API. Nothing is asked, neither reports nor SmugMug, before it is used.
    """

    def __init__(self, choose: Callable[[], Choice], build: Callable[[str], PhotoSource]) -> None:
        self._choose = choose
        self._build = build
        self._lock = threading.RLock()
        self._choice: Choice | None = None
        self._asked: list[tuple[PhotoSource, int]] = []
        self._in_use: PhotoSource | None = None
        self._settled = False

    @property
    def name(self) -> str:
        """That of the API in use."""
        return self._source.name

    @property
    def api_calls(self) -> int:
        """Of both, where both were asked; a source that was used before begins anew here."""
        return sum(each.api_calls - before for each, before in self._asked)

    @property
    def answered_at(self) -> datetime | None:
        """See `PhotoSource`."""
        return self._source.answered_at

    def account(self, *, deadline: Deadline) -> Account:
        """See `PhotoSource`; an error is that of the API in use, with what the other said."""
        with self._lock:
            source = self._source
            try:
                return source.account(deadline=deadline)
            except SourceError as error:
                account, _ = self._gone_over(error, deadline)
                return account

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        """See `PhotoSource`."""
        with self._lock:
            source = self._source
            try:
                albums = source.albums(deadline=deadline)
            except SourceError as error:
                _, albums = self._gone_over(error, deadline)
            self._settled = True
            return albums

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        """See `PhotoSource`."""
        return self._at_work.images(album, since=since, deadline=deadline)

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        """See `PhotoSource`."""
        return self._at_work.resolve(album, image, deadline=deadline)

    def open(self, offer: Offer, *, deadline: Deadline) -> AbstractContextManager[PhotoStream]:
        """See `PhotoSource`."""
        return self._at_work.open(offer, deadline=deadline)

    @property
    def _source(self) -> PhotoSource:
        with self._lock:
            if self._in_use is None:
                self._choice = self._choose()
                self._in_use = self._made(self._choice.first)
            return self._in_use

    def _made(self, name: str) -> PhotoSource:
        source = self._build(name)
        self._asked.append((source, source.api_calls))
        return source

    @property
    def _at_work(self) -> PhotoSource:
        self._settled = True
        return self._source

    def _gone_over(
        self, error: SourceError, deadline: Deadline
    ) -> tuple[Account, tuple[Album, ...]]:
        """What v2 shows, which is in use from now on. Raises ``error`` if the run has to stay."""
        choice = self._choice
        if choice is None or self._settled or not isinstance(error, choice.leaving_for):
            raise error
        other = self._made(V2)
        try:
            account = other.account(deadline=deadline)
            # Without a login nobody has asked v2 yet; and an API that shows no albums is no way on.
            albums = other.albums(deadline=deadline)
        except OutOfTime:
            raise
        except BackupError as why:
            raise _with(error, f"API v2 does not help either ({why})") from None
        known = {each.casefold() for each in choice.nicknames}
        if known and account.nickname.casefold() not in known:
            raise _with(error, f"API v2 shows another account, {account.nickname}") from None
        self._in_use = other
        self._settled = True
        return account, albums


def _with(error: SourceError, more: str) -> SourceError:
    return type(error)(f"{error}; {more}", api_code=error.api_code)
