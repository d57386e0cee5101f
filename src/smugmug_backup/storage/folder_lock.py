"""The lock that makes one process the only writer, on disks where a name cannot be taken safely.

The lock is the system's own where there is one: it ends with its process. Its file says who has it,
so that a second writer can be told, and is emptied at the end; text in a file that nobody has
locked is that of a process which died. Where the disk has no locks, the file itself is the lock:
it is taken by creating it, and a process that is gone (on this very machine) has lost it.
"""

import json
import os
import secrets
import socket
import threading
import weakref
from contextlib import suppress
from pathlib import Path

from smugmug_backup import system
from smugmug_backup.errors import StoreRefused
from smugmug_backup.storage.file_system import close, store_error

LOCK = "writer.lock"
_TRIES = 3


class OnlyWriter:
    """This process may write; kept as long as any store on the folder lives.

    ``turn``: for one thread at a time. ``remark``: what was found that its owner should know.
    """

    def __init__(self, path: Path) -> None:
        self.turn = threading.Lock()
        self.remark: str | None = None
        self._path = path
        me = {"host": socket.gethostname(), "process": os.getpid(), "token": secrets.token_hex(8)}
        self._text = json.dumps(me).encode()
        self._end = weakref.finalize(self, _release, path, self._take(), self._text)

    def _take(self) -> int | None:
        """The open file with the system's lock; None if the file itself is the lock."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        held = system.lock(descriptor)
        before = b""
        with suppress(OSError):
            before = os.read(descriptor, 1000)
        if held:
            if before:
                self.remark = f"{_who(before)} died while it was writing here; its lock was taken"
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, self._text)
            return descriptor
        close(descriptor)
        if held is False:
            raise self._refused(before)
        self._take_by_creating(before)
        return None

    def _take_by_creating(self, before: bytes) -> None:
        """Raises StoreRefused if somebody who lives, or of whom nobody can tell, has it."""
        for _ in range(_TRIES):
            if before and not _is_gone(before):
                raise self._refused(before, says=f"; if it is gone, remove {self._path}")
            aside = self._path.with_name(f"{secrets.token_hex(8)}.part")
            try:
                # Whoever moves it away has it; what was moved has to be what was read.
                os.rename(self._path, aside)  # noqa: PTH104 - replaces nothing: random
                moved = aside.read_bytes()
                system.unlink(aside)
            except FileNotFoundError:
                moved = b""
            if moved == before:
                if before:
                    self.remark = f"{_who(before)} died while it was writing here"
                with suppress(FileExistsError):
                    descriptor = os.open(self._path, system.NEW, 0o644)
                    try:
                        os.write(descriptor, self._text)
                    finally:
                        os.close(descriptor)
                    if self._path.read_bytes() == self._text:
                        return
            before = moved
            with suppress(FileNotFoundError):
                before = self._path.read_bytes()
        raise self._refused(before)

    def _refused(self, before: bytes, says: str = "") -> StoreRefused:
        return StoreRefused(
            f"{_who(before)} is writing into {self._path.parent.parent}, and on this disk only one "
            f"can at a time; try again when it has ended{says}"
        )


_writers: "weakref.WeakValueDictionary[str, OnlyWriter]" = weakref.WeakValueDictionary()
_lock = threading.Lock()


def only_writer(incoming: Path) -> tuple[OnlyWriter, bool]:
    """Make this process the only writer of the backup that ``incoming`` belongs to; whether it is
    so only now (another store of this process may be at work there).

    Raises StoreRefused if another process is it.
    """
    path = incoming / LOCK
    with _lock:
        found = _writers.get(str(path))
        if found is not None:
            return found, False
        try:
            found = OnlyWriter(path)
        except OSError as error:
            raise store_error(error, f"locking {path}") from None
        _writers[str(path)] = found
        return found, True


def _release(path: Path, descriptor: int | None, text: bytes) -> None:
    with suppress(OSError):
        if descriptor is None:
            if path.read_bytes() == text:
                system.unlink(path)
        else:
            os.ftruncate(descriptor, 0)
    if descriptor is not None:
        close(descriptor)


def _said(text: bytes) -> tuple[str, int | None]:
    """(host, process) of a lock's text."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        said = json.loads(text)
        return str(said["host"]), int(said["process"])
    return "", None


def _who(text: bytes) -> str:
    host, process = _said(text)
    return f"process {process} on {host}" if process is not None else "another process"


def _is_gone(text: bytes) -> bool:
    host, process = _said(text)
    return host == socket.gethostname() and process is not None and not system.runs(process)
