"""Whose turn it is to be read again, and the originals of a store in sixteen bytes each.

A store is write-once and its format has no place for "last read on", so whose turn it is follows
from the key and the date alone. The hash of a key is its fixed place on a circle; the circle is
cut into N equal turns, and on day d (counted from a fixed date) turn ``d mod N`` is read.

Why that is "oldest check first": while N stays, the turn of day d was read N days ago, and every
other turn later than that; so what is read is what has waited longest. N is the smallest number of
a fixed, coarse series for which the *largest* turn fits the budget. A store only grows, so N only
grows, at most four or so times while the store doubles; when N becomes M, an object waits at most
N + M days once. A share (``5%``) makes N constant for ever. Two checks on one day read the same.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from smugmug_backup.words import MOST_TURNS, Amount

_PLACES = 1 << 16


def place(key: str) -> int:
    """Where ``key`` stands on the circle, for ever: 64 bits of its hash."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class Turn:
    """``number`` of ``turns``; ``round`` counts how often the circle was gone through."""

    number: int
    turns: int
    round: int

    def has(self, place: int) -> bool:
        """Whether what stands at ``place`` is read in this turn."""
        return (place >> 48) * self.turns // _PLACES == self.number

    def bounds(self) -> tuple[int, int]:
        """The turn's places, in units of `Weights`."""
        return _bound(self.number, self.turns), _bound(self.number + 1, self.turns)


def _bound(turn: int, turns: int) -> int:
    return -(-turn * _PLACES // turns)


class Weights:
    """How many objects and bytes stand where on the circle."""

    def __init__(self) -> None:
        self.objects = array("Q", bytes(8 * _PLACES))
        self.bytes = array("Q", bytes(8 * _PLACES))

    def add(self, place: int, size: int) -> None:
        """One object more."""
        self.objects[place >> 48] += 1
        self.bytes[place >> 48] += size

    def of(self, turn: Turn) -> tuple[int, int]:
        """(objects, bytes) of a turn."""
        start, end = turn.bounds()
        return sum(self.objects[start:end]), sum(self.bytes[start:end])

    def turns_within(self, budget: int) -> int:
        """The smallest number of turns of which none is larger than ``budget``.

        Where single objects are so large that hardly any number does, it is eight times what the
        total would need; an overfull turn is then cut at the budget.
        """
        sums = [0]
        for size in self.bytes:
            sums.append(sums[-1] + size)
        least = max(1, ceil(sums[-1] / budget))
        turns = 1
        for turns in _series():
            if turns < least:
                continue
            largest = max(sums[_bound(n + 1, turns)] - sums[_bound(n, turns)] for n in range(turns))
            if largest <= budget or turns >= min(8 * least, MOST_TURNS):
                break
        return turns


def _series() -> Iterator[int]:
    """1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, …: coarse, so that N seldom changes."""
    yield from (1, 2, 3)
    step = 1
    while True:
        yield from (4 * step, 5 * step, 6 * step, 7 * step)
        step *= 2


def turn_of(amount: Amount, weights: Weights, *, now: datetime) -> Turn:
    """Today's turn."""
    turns = amount.turns
    if turns is None:
        turns = weights.turns_within(amount.bytes or 1)
    day = now.date().toordinal()
    return Turn(day % turns, turns, day // turns)


_ARCHIVED, _REFERENCED, _CLAIMED = 1 << 63, 1 << 62, 1 << 61
_SIZE_BITS = 47
_SIZE = (1 << _SIZE_BITS) - 1
"""140 terabytes: S3 takes objects of up to 50."""
_MARKS = (1 << 14) - 1


@dataclass(frozen=True, slots=True)
class Found:
    """What the listing said of an original."""

    bytes: int
    archived: bool


class OriginalsIndex:
    """Every original of the store in sixteen bytes: 64 bits of its key's hash, its size, three
    flags, and 14 bits of the SHA-256 that the first line to name it states.

    Manifests name originals in another order than a listing shows them, so these cannot be merged
    as streams; this is what a million of them need instead: 16 MB. Two keys of a million share
    their 64 bits once in tens of millions of stores; a missing original would then be overlooked.
    """

    def __init__(self) -> None:
        self._places = [array("Q") for _ in range(256)]
        self._sizes = [array("Q") for _ in range(256)]
        self.referenced = 0

    def add(self, place: int, size: int, *, archived: bool) -> None:
        """One more of the listing; `close` makes them all findable."""
        self._places[place >> 56].append(place)
        self._sizes[place >> 56].append(min(size, _SIZE) | (_ARCHIVED if archived else 0))

    def close(self) -> None:
        """The listing has ended."""
        for bucket, places in enumerate(self._places):
            sizes = self._sizes[bucket]
            order = sorted(range(len(places)), key=places.__getitem__)
            self._places[bucket] = array("Q", (places[n] for n in order))
            self._sizes[bucket] = array("Q", (sizes[n] for n in order))

    def find(self, place: int) -> Found | None:
        """What the listing said of the original at ``place``."""
        at = self._at(place)
        if at is None:
            return None
        value = self._sizes[place >> 56][at]
        return Found(value & _SIZE, bool(value & _ARCHIVED))

    def agrees(self, place: int, sha256: str) -> bool:
        """Note which SHA-256 a line states of it; whether the first line stated the same (of two
        that differ, one pair in 16,000 is taken for the same)."""
        at = self._at(place)
        if at is None:
            return True
        mark = int(sha256[:12], 16) % _MARKS + 1
        sizes = self._sizes[place >> 56]
        noted = (sizes[at] & (_CLAIMED - 1)) >> _SIZE_BITS
        if not noted:
            sizes[at] |= mark << _SIZE_BITS
        return noted in (0, mark)

    def refer(self, place: int) -> bool:
        """Note that a newest manifest names it; whether none did before."""
        first = self._flag(place, _REFERENCED)
        self.referenced += first
        return first

    def claim(self, place: int) -> bool:
        """Take it for reading; whether nobody did before (an original may be in two albums)."""
        return self._flag(place, _CLAIMED)

    def _flag(self, place: int, flag: int) -> bool:
        at = self._at(place)
        sizes = self._sizes[place >> 56]
        if at is None or sizes[at] & flag:
            return False
        sizes[at] |= flag
        return True

    def is_referenced(self, place: int) -> bool:
        """Whether a newest manifest names it."""
        at = self._at(place)
        return at is not None and bool(self._sizes[place >> 56][at] & _REFERENCED)

    def _at(self, place: int) -> int | None:
        places = self._places[place >> 56]
        at = bisect_left(places, place)
        return at if at < len(places) and places[at] == place else None
