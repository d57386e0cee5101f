"""Whether a full listing shows all there is, so that what it does not show has vanished."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from smugmug_backup.archive.report import AlbumState, Doubt

SECOND_LOOK = timedelta(hours=20)
"""What was seen so long ago and is seen again is a fact: an absence, a count that differs."""

_EXCUSED = 20
_NOTED = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """What a full listing and the account's own listing show of an album.

    ``length``: its images, each once; ``own_count``: the answer's own count; ``count``: the one of
    the account's listing; ``live``: images that were live so far, ``lost``: those of them that it
    does not show. ``keys``: what tells which images it shows.
    """

    length: int
    own_count: int | None
    count: int | None
    live: int
    lost: int
    keys: str

    @property
    def difference(self) -> int | None:
        """The count less the length."""
        return None if self.count is None else self.count - self.length


class Belief(NamedTuple):
    """``believed``, or the ``doubt`` that stands until then; ``note``: what should be told."""

    believed: bool
    doubt: Doubt | None = None
    note: str | None = None


def believe(shown: Shown, state: AlbumState, *, accepted: bool, now: datetime | None) -> Belief:
    """Whether ``shown`` may make images vanish.

    A count fits if it is the length: the account's less ``state.count_difference``, or the
    listing's own. *Greatly short*: by more than a fifth and more than 20 of the live images or of
    what the account's count lets expect. *The same*: a doubt of at least 20 hours ago was about the
    same images, or about the same difference and no live image is missing.

    ===============  ==================  =========================  ==============================
    greatly short    counts that fit     loss of live images        verdict
    ===============  ==================  =========================  ==============================
    no               one or both         any                        believed
    yes              both                any                        believed
    yes              not both            great, and the account's   never; by the owner's word
                                         count contradicts          alone (``accepted``)
    yes              not both            other                      believed when it is the same
    no               none                any                        believed when it is the same
    ===============  ==================  =========================  ==============================

    A count that is absent does not fit. Without a date (``now`` None) no time passes.
    """
    expected = None if shown.count is None else shown.count - (state.count_difference or 0)
    account_fits = expected == shown.length
    own_fits = shown.own_count == shown.length
    most = max(shown.live, expected or 0)
    greatly_short = _great(most - shown.length, most)
    if (account_fits and own_fits) or (not greatly_short and (account_fits or own_fits)):
        return Belief(True)
    if accepted:
        return Belief(True, note="its shrinking was accepted by its owner")
    doubt = _doubt(shown, state.doubt, now)
    contradicted = _great(shown.lost, shown.live) and expected is not None and not account_fits
    if greatly_short and contradicted:
        return Belief(False, doubt)
    if _old_enough(doubt, now) and _same(shown, state.doubt):
        return Belief(True, note=_fact(shown))
    return Belief(False, doubt)


def _great(loss: int, of: int) -> bool:
    return loss > _EXCUSED and loss * 5 > of


def _same(shown: Shown, doubt: Doubt | None) -> bool:
    if doubt is None:
        return False
    same_difference = doubt.difference is not None and doubt.difference == shown.difference
    return doubt.keys == shown.keys or (same_difference and shown.lost == 0)


def _doubt(shown: Shown, before: Doubt | None, now: datetime | None) -> Doubt:
    since = before.since if before is not None and _same(shown, before) else None
    return Doubt(since or now, shown.difference, shown.keys)


def _old_enough(doubt: Doubt, now: datetime | None) -> bool:
    return doubt.since is not None and now is not None and now - doubt.since >= SECOND_LOOK


def _fact(shown: Shown) -> str | None:
    difference = shown.difference
    if difference is None or abs(difference) <= _NOTED:
        return None
    return f"SmugMug counts {shown.count} images and lists {shown.length}; that is taken as a fact"


def keys_digest(keys: Iterable[str]) -> str:
    """What tells which images a listing shows: of the sorted keys, a line each."""
    text = "".join(f"{key}\n" for key in sorted(keys))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
