"""Alone or all: whether an error concerns one file, or ends the whole restore.

===============================  ========================  =======================================
the error                        the probe                 it concerns all if
===============================  ========================  =======================================
TARGET is full or read-only      none                      always
TARGET's disk does not do it     a small file is written   that fails
TARGET is another disk           none                      always
the store refuses                a listing                 that fails, or finds no backup
the store does not answer, or    a listing, at each        that fails, or finds no backup
has nothing under the name       eighth in a row
anything else (damage, archive)  none                      never
===============================  ========================  =======================================

Refusals and errors of the disk that come in a row are probed at the first and at each eighth.
"""

import errno
import threading
from collections.abc import Callable

from smugmug_backup.errors import (
    BackupError,
    Code,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.restore.plan import Problem, Target

IN_A_ROW = 8

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class TargetUnusable(BackupError):
    """The folder to restore into cannot be used, or is full."""

    code = "target_unusable"
    hint = "make room, or name another TARGET; the same command goes on where it was"


class StoreGone(BackupError):
    """The store was there when the restore began, and is not any more."""

    code = Code.STORE_UNAVAILABLE
    hint = "the same command goes on where it was"


class Missing(BackupError):
    """The store has nothing under the names of an original."""

    code = "damaged"


class Forgotten(BackupError):
    """The owner had an original deleted for good; an older generation still names it."""

    code = "forgotten"


class Alone:
    """Judges errors, for all threads of a restore; ``halted`` is what ended it.

    ``ask_store`` raises StoreError if the store as a whole cannot be read, ``try_target`` OSError
    if nothing can be written.
    """

    def __init__(
        self,
        ask_store: Callable[[], None],
        try_target: Callable[[], None],
        *,
        target: str = "TARGET",
    ) -> None:
        self._target = target
        self._ask_store = ask_store
        self._try_target = try_target
        self._lock = threading.Lock()
        self._row = ("", 0)
        self.halted: BackupError | None = None

    def went_well(self) -> None:
        """A file came from the store and got its name."""
        self._row = ("", 0)

    def concerns_all(self, error: Exception) -> BackupError | None:
        """What ends the restore, if ``error`` does."""
        place = _place_of(error)
        if place is None:
            return None
        with self._lock:
            if self.halted is None:
                number = self._row[1] + 1 if self._row[0] == place else 1
                self._row = (place, number)
                self.halted = self._found(error, number)
            return self.halted

    def _found(self, error: Exception, number: int) -> BackupError | None:
        if isinstance(error, TargetUnusable):
            return error
        if isinstance(error, OSError) and error.errno in FULL:
            return TargetUnusable(f"{self._target} cannot take more: {said(error)}")
        first = number == 1 and isinstance(error, (OSError, StoreRefused))
        if not first and number % IN_A_ROW:
            return None
        try:
            if isinstance(error, OSError):
                self._try_target()
            else:
                self._ask_store()
        except OSError as found:
            return TargetUnusable(f"{self._target} cannot take more: {said(found)}")
        except TargetUnusable as found:
            return found
        except StoreError as found:
            return StoreGone(f"the backup cannot be read any more: {found}")
        return None


def _place_of(error: Exception) -> str | None:
    """Where it happened, if that may be gone."""
    if isinstance(error, (OSError, TargetUnusable)):
        return "target"
    if isinstance(error, (StoreRefused, StoreUnavailable, Missing)):
        return "store"
    return None


def problem_of(target: Target, error: BaseException, *, doing: str = "written") -> Problem:
    """``error`` as the problem of one file, which could not be ``doing``."""
    if isinstance(error, BackupError):
        return target.problem(error.code, str(error))
    if isinstance(error, OSError):
        return target.problem("file_error", f"cannot be {doing}: {said(error)}")
    if isinstance(error, UnicodeEncodeError):
        # Of names alone: contents are bytes here.
        letters = "this system's letters (LANG, PYTHONUTF8) have none for its name"
        return target.problem("file_error", f"cannot be {doing}: {letters}")
    # Its text is not told: an exception of an HTTP library may hold a signed URL.
    return target.problem(Code.DEFECT, f"{type(error).__name__}: this should not happen")


def said(error: OSError) -> str:
    """What the system says of ``error``, without a path."""
    return error.strerror or type(error).__name__
