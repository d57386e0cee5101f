"""Which listing to ask for, whether to believe it, and how far the cursor may move."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from smugmug_backup.archive.report import ALBUM_BACK, AlbumState
from smugmug_backup.model import Album, Listing

OVERLAP = timedelta(hours=48)
"""The cursor stays this far behind the source's clock.

Longer than visibility delay + clock skew + time-zone error, so that every edit that a committed
manifest does not hold has ``LastUpdated`` above its cursor (design section 4).
"""

_CREDIBLE_SKEW = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Choice:
    """A listing to ask for: full (``since`` None) for a reason, or the changes since an epoch."""

    since: int | None
    reason: str | None = None


def choose_listing(
    state: AlbumState, *, now: datetime, album_key: str, days: int, asked: bool
) -> Choice:
    """Choose as design section 4, step 2 says."""
    if state.generation == 0:
        return Choice(None, "no manifest yet")
    if asked:
        return Choice(None, "asked for")
    if state.next_full is not None:
        return Choice(None, state.next_full)
    if not state.live:
        return Choice(None, ALBUM_BACK)
    if state.pending:
        return Choice(None, "originals pending")
    if state.cursor <= 0:
        return Choice(None, "no cursor yet")
    if is_due(state.full_listing_at, now=now, album_key=album_key, days=days):
        return Choice(None, f"last full listing is older than its turn in {days} days")
    return Choice(state.cursor)


def is_due(last: datetime | None, *, now: datetime, album_key: str, days: int) -> bool:
    """Whether the album's day for a full listing has come since ``last``.

    Each album has its own day within ``days``, by a hash of its key, so that a night lists about
    one in ``days`` albums in full and none waits longer than that.
    """
    if last is None:
        return True
    slot = int.from_bytes(hashlib.sha256(album_key.encode()).digest()[:8]) % days
    today = now.toordinal()
    turn = today - (today - slot) % days
    return last.toordinal() < turn


def is_believed(listing: Listing, album: Album) -> bool:
    """A full listing is believed if its length is its own count or the album's."""
    return listing.full and len(listing.images) in (listing.image_count, album.image_count)


def count_fits(live: int, album: Album, state: AlbumState) -> bool:
    """Whether so many live images are what the account's listing lets us expect."""
    if album.image_count is None:
        return True
    return state.count_difference is not None and (
        live == album.image_count - state.count_difference
    )


def is_credible(answered_at: datetime | None, *, now: datetime) -> bool:
    """Whether the answer's date can be the source's clock."""
    return answered_at is not None and abs(answered_at - now) <= _CREDIBLE_SKEW


def new_cursor(old: int, answered_at: datetime | None, *, now: datetime) -> int:
    """The source's clock less the overlap, never lower than before; as before if not credible."""
    if answered_at is None or not is_credible(answered_at, now=now):
        return old
    return max(old, int((answered_at - OVERLAP).timestamp()))
