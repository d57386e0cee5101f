"""The threads of a restore, which all stop when they are told to."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path  # noqa: TID251 - restored files are read again here
from typing import Any

from smugmug_backup.errors import BackupError, Code

_CHUNK = 1 << 20


class Stopped(BackupError):
    """The owner interrupted; the same command goes on."""

    code = Code.INTERRUPTED


class Workers:
    """So many ``threads`` for each `each`."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Nothing more is to be begun."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Begin no more and leave what is under way; from any thread."""
        self._stop.set()

    def check(self) -> None:
        """Raise Stopped if that was said."""
        if self._stop.is_set():
            raise Stopped("interrupted; nothing was written")

    def chunks_of(self, path: Path) -> Iterator[bytes]:
        """A file's bytes, as long as nobody says stop. Raises Stopped, OSError."""
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                self.check()
                yield chunk

    def each(self, items: Iterable[Any], work: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
        """(item, result or exception) in the order of completion, a bounded number at a time."""
        todo = iter(items)
        running: dict[Future[Any], Any] = {}
        with ThreadPoolExecutor(self._threads, thread_name_prefix="restore") as pool:
            try:
                while True:
                    for item in islice(todo, 4 * self._threads - len(running)):
                        running[pool.submit(work, item)] = item
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.exception() or future.result()
            except BaseException:
                # Ctrl-C, or our caller gave up: those under way end at their next chunk.
                self.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
