"""Standard output and standard error, as the shell handed them in; no more than `--help` needs."""

import atexit
import io
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, TextIO

from smugmug_backup.errors import BackupError


class OutputLost(BackupError):
    """What was to be said could not be written: the disk under it is full, the terminal is gone."""

    code = "output_lost"
    hint = "what was done is done; look at where the output goes"

    def __init__(self, message: str, stream: TextIO) -> None:
        super().__init__(message)
        self.stream = stream


class Stream:
    """A text stream whose errors are ours, and which has no letter that it cannot write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As of any stream. Raises OutputLost."""
        with self._told():
            return self._stream.write(text)

    def flush(self) -> None:
        """As of any stream. Raises OutputLost."""
        with self._told():
            self._stream.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            said = f"the output cannot be written: {error.strerror}"
            raise OutputLost(said, self._stream) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def prepare_streams() -> None:
    """Make of both streams what every command can write to, whatever the shell handed in.

    A letter that the encoding lacks becomes a question mark; a stream that was closed says nothing.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            # Python closes its own streams at the end, and complains of ours (`-W error`).
            atexit.register(nowhere.close)
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            with suppress(OSError, ValueError):
                stream.reconfigure(errors="replace")


class Plain:
    """All of a console that a command needs where no terminal is. ``quiet``: it says nothing."""

    is_terminal = False

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self.file = Stream(stream)
        self.quiet = quiet

    def print(self, text: str = "", *, end: str = "\n", **_: Any) -> None:
        """One line, or several, without what could drive a terminal. How one would show it (its
        ``style``) is nobody's business here. Raises OutputLost."""
        from smugmug_backup.archive.titles import harmless_lines

        if not self.quiet:
            # In one piece, so that two threads do not share a line; and at once, for a log.
            self.file.write(harmless_lines(text) + end)
            self.file.flush()

    def status(self, _: str) -> AbstractContextManager[None]:
        """Nothing moves here."""
        return nullcontext()


def give_up(*streams: TextIO) -> None:
    """Nothing more can be written there, not even what Python would flush when it ends."""
    for stream in streams:
        with suppress(OSError, ValueError):
            place = stream.fileno()
            try:
                nowhere = os.open(os.devnull, os.O_WRONLY)
            except OSError:
                # Nothing more can be opened here: its own place is one that is free.
                os.close(place)
                nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, place)


class Printed:
    """What a program that reads us has got so far."""

    documents = 0
