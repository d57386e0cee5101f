"""Whether pages still show the newest state: looked at when a page is asked for, now and then.

==================================  ==========================================================
a page is asked for                 then
==================================  ==========================================================
soon after the last look            it is shown as it is
while another page's look goes on,  it is shown as it is
or the catalog is brought up to
date for that one
and nothing was reported since      it is shown as it is
and a run or a check reported       the catalog is brought up to date first
since
and that cannot be seen, or the     it is shown as it is, and says as of when and why; the next
catalog not brought up              look tries again
and some albums cannot be read      the others are shown; the next look tries once more, and again
                                    as long as other albums, or for other reasons, are left over
==================================  ==========================================================
"""

import sqlite3
import threading
from collections.abc import Callable, Mapping

from smugmug_backup.archive.archive import Archive
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BackupError

_LOOK, _UPDATE = 15.0, 300.0
"""Seconds after which a bucket that does not answer counts as away."""

Reported = tuple[tuple[str, ...], tuple[str, ...]]
"""Runs and checks, by id."""


class Freshness:
    """One look at a time, at most one in ``every`` seconds; safe for many threads.

    ``update`` brings the catalog up to what an archive holds, and sees to it that who reads it
    meanwhile sees one state of it; what could not be read, by album.
    """

    def __init__(
        self,
        archive: Archive,
        update: Callable[[Archive], Mapping[str, str]],
        *,
        clock: Clock,
        every: float,
    ) -> None:
        self._archive, self._update, self._clock, self._every = archive, update, clock, every
        self._looking, self._bringing = threading.Lock(), threading.Lock()
        self._looked = clock.monotonic()
        self._seen: Reported | None = None
        self._found: Reported | None = None
        self._left: Mapping[str, str] = {}
        self._again = False
        self.trouble: str | None = None
        """Why the newest state is not known, in words."""

    def newer(self, known: Callable[[], tuple[str, str]]) -> bool:
        """Whether `bring` is to be called. ``known``: the newest run and check of the catalog."""
        if self._bringing.locked() or not self._looking.acquire(blocking=False):
            return False
        try:
            return self._is_due() and self._has_new(*known())
        finally:
            self._looking.release()

    def bring(self) -> None:
        """Bring the catalog up to date, as far as that can be had; nothing where another does."""
        if not self._bringing.acquire(blocking=False):
            return
        try:
            left = self._update(self._within(_UPDATE))
        except (BackupError, sqlite3.Error) as error:
            self.trouble = str(error)
        else:
            self._seen, self.trouble = self._found, None
            # What is damaged stays so, whoever asks; a disk or a network may be back.
            self._again, self._left = bool(left) and left != self._left, left
        finally:
            self._bringing.release()

    def _is_due(self) -> bool:
        now = self._clock.monotonic()
        if now - self._looked < self._every:
            return False
        self._looked = now
        return True

    def _has_new(self, run: str, check: str) -> bool:
        archive = self._within(_LOOK)
        try:
            runs, checks = archive.runs(since=run), archive.check_runs(after=check)
        except BackupError as error:
            self.trouble = str(error)
            return False
        if run and run not in runs:
            # An empty folder in the place of a disk, a bucket's prefix that was cleared.
            self.trouble = f"the report of run {run} is not there any more; is its disk mounted?"
            return False
        self._found = (tuple(each for each in runs if each != run), tuple(checks))
        # What an update passed over (a clock that was ahead) is reported for ever.
        if not self._again and (not any(self._found) or self._found == self._seen):
            self.trouble = None
            return False
        return True

    def _within(self, seconds: float) -> Archive:
        return Archive(self._archive.store.bounded(Deadline.after(self._clock, seconds)))
