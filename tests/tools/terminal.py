"""A program on a terminal of its own: what it shows, the keys that are pressed, how it ends."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

CTRL_C = b"\x03"


class Terminal:
    """``argv`` on a pseudo terminal, as its session's leader, so that Ctrl-C reaches it."""

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str], columns: int = 100, lines: int = 30
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

        def lead() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)

        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=dict(env), preexec_fn=lead
        )
        os.close(slave)
        self.shown = ""

    def until(self, text: str, *, seconds: float = 120.0) -> str:
        """Wait until ``text`` has been shown; all that was."""
        self._read(seconds, lambda: text in self.shown)
        assert text in self.shown, self.shown
        return self.shown

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def close(self) -> None:
        """The window is closed; the program hears a SIGHUP."""
        os.close(self._master)
        self._master = -1

    def ends(self, *, seconds: float = 120.0) -> int:
        """Its exit status."""
        if self._master >= 0:
            self._read(seconds, lambda: False)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end:\n{self.shown}") from None

    def _read(self, seconds: float, enough) -> None:
        until = time.monotonic() + seconds
        while not enough() and (left := until - time.monotonic()) > 0:
            if not select.select([self._master], [], [], min(left, 0.5))[0]:
                continue
            try:
                read = os.read(self._master, 65536)
            except OSError:  # the other end is closed: it has ended
                return
            if not read:
                return
            self.shown += read.decode(errors="replace")

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)
