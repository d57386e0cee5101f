"""Alone or all: whether an error concerns one album or image, or the whole run.

=================================  ================================  ==============================
the error                          the probe                         it concerns all if
=================================  ================================  ==============================
the login is lost, the API seems   the account's own call            that fails with such an error
retired
the store refuses                  a listing, and README.txt put     either is refused
                                   once more (the same bytes)
the disk is full; the connection                                     always
is lost, and was waited for
anything else                                                        never
=================================  ================================  ==============================

What concerns all ends the run: nothing further is tried, and one failure says why.
"""

import threading

from smugmug_backup.archive.archive import Archive
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    BackupError,
    ConnectionLost,
    LoginLost,
    SourceRetired,
    StoreFull,
    StoreRefused,
)
from smugmug_backup.ports import PhotoSource

_MAY = (LoginLost, SourceRetired, StoreRefused, StoreFull, ConnectionLost)


class Alone:
    """Judges errors, for all threads of a run; ``halted`` is the one that ended it."""

    def __init__(self, source: PhotoSource, archive: Archive, deadline: Deadline) -> None:
        self._source = source
        self._archive = archive
        self._deadline = deadline
        self._lock = threading.Lock()
        self.halted: BackupError | None = None

    def concerns_all(self, error: BackupError) -> bool:
        """Whether ``error`` ends the run; once one did, nothing else is asked."""
        if not isinstance(error, _MAY):
            return False
        with self._lock:
            if self.halted is None:
                self.halted = self._found(error)
            return self.halted is not None

    def _found(self, error: BackupError) -> BackupError | None:
        if isinstance(error, (StoreFull, ConnectionLost)):
            return error
        try:
            if isinstance(error, StoreRefused):
                self._archive.probe()
            else:
                self._source.account(deadline=self._deadline)
        except (LoginLost, SourceRetired, StoreRefused, StoreFull) as found:
            return found
        except BackupError:
            # It may pass: no proof that all is lost.
            return None
        return None
