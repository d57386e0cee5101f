"""Ctrl-C, and what a system sends that shuts down or a terminal that is closed.

==========================  ==================================  ================================
what comes                  while something is written          while something is only looked at
==========================  ==================================  ================================
the first Ctrl-C, SIGTERM   the work ends in good order,        Ctrl-C: ends at once; the others
or SIGHUP                   within seconds                      do so by themselves
a second one, soon after    is the same one: a shell or a       --
                            wrapper passes it on twice
a second Ctrl-C or SIGTERM  ends at once, and says so           --
a second SIGHUP             nothing: nobody is there to mean it --
nothing more, and it does   ends at once, and says so           --
not end all the same
==========================  ==================================  ================================

What ends at once loses only what was half done: a store, and a restore, are true at any moment.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from smugmug_backup.cli.parsing import INTERRUPTED
from smugmug_backup.cli.streams import OutputLost, give_up

if TYPE_CHECKING:
    from rich.console import Console

GRACE = 5.0
"""Seconds for what is under way, after the first."""
_LONGEST = 40.0
"""Whatever holds on for longer (a network disk that is gone) is not waited for."""
_SAME = 0.4
_UNHEARD = 0.2
"""So often it is looked whether a signal came that the main thread slept through."""

_AT_ONCE = "Stopped at once: what was half done is dropped; the next run does it again."
_HELD = "Something does not let go (a disk or a network that is gone?). "


class Interruption:
    """Whether somebody asked for an end."""

    def __init__(self) -> None:
        self.happened = False
        self.at = 0.0


@contextmanager
def interruptible(
    console: "Console",
    stop: Callable[[], None],
    *,
    saying: str,
    state: Interruption | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Interruption]:
    """Within this the first one calls ``stop``, which lets the work end in good order; see above.

    ``state``: what is yielded, for who has to know of it even if the work ends by an error.
    ``stop`` is called by a signal's handler: it sets what others look at, and takes no lock.
    """
    state = state or Interruption()
    asked, ended = threading.Event(), threading.Event()
    terminals = _terminals()

    def watch() -> None:
        while not asked.wait(_UNHEARD):
            wake.again()
        if state.happened:
            # Not by the handler, which may come in the middle of another print; and the terminal
            # may be gone.
            with suppress(RuntimeError, OSError, OutputLost, ValueError):
                console.print(f"{saying} Ctrl-C again stops at once.", style="yellow")
            longest = time.monotonic() + _LONGEST
            while not ended.wait(_UNHEARD):
                wake.again()
                if time.monotonic() > longest:
                    _end_at_once(console, _HELD + _AT_ONCE)

    def handle(number: int, _frame: FrameType | None) -> None:
        wake.heard()
        now = monotonic()
        if number == _HANGUP:
            give_up(*terminals)
        if state.happened:
            if number != _HANGUP and now - state.at > _SAME:
                # Not sys.exit: threads under way would be waited for.
                _end_at_once(console, _AT_ONCE)
            return
        state.happened, state.at = True, now
        stop()
        asked.set()

    wake = _Wake()
    watching = threading.Thread(target=watch, name="interruption", daemon=True)
    before = {}
    if threading.current_thread() is threading.main_thread():
        wake.begin()
        before = {each: signal.signal(each, handle) for each in _heeded()}
    watching.start()
    try:
        yield state
    finally:
        ended.set()
        asked.set()
        watching.join(1.0)
        for each, handler in before.items():
            signal.signal(each, handler)
        wake.end()


class _Wake:
    """Wakes the main thread for a signal that it slept through.

    Only there, between two of its steps, does Python call a handler. A signal in the moment after
    the last step, before the thread sleeps (for a lock, a socket), wakes nobody: on a busy machine
    a Ctrl-C was heard minutes later, when a download came to its end.
    """

    def __init__(self) -> None:
        import socket

        self._reading, self._writing = socket.socketpair()
        for each in (self._reading, self._writing):
            each.setblocking(False)
        self._before: int | None = None
        self._late = b""

    def begin(self) -> None:
        """From now on Python notes each signal here, as it comes; in the main thread."""
        self._before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)

    def heard(self) -> None:
        """The handler runs; for whatever came so far."""
        self._noted()
        self._late = b""

    def again(self) -> None:
        """Send again what had come when this was called last, and was not heard meanwhile."""
        late, self._late = self._late, self._noted()
        for number in {*late} & {*_heeded()} if hasattr(signal, "pthread_kill") else ():
            signal.pthread_kill(threading.main_thread().ident or 0, number)

    def end(self) -> None:
        """No more; in the main thread."""
        if self._before is not None:
            signal.set_wakeup_fd(self._before, warn_on_full_buffer=False)
        self._reading.close()
        self._writing.close()

    def _noted(self) -> bytes:
        try:
            return self._reading.recv(4096)
        except OSError:  # nothing
            return b""


@contextmanager
def at_once(console: "Console") -> Iterator[None]:
    """Within this, where nothing is written, Ctrl-C waits for nothing: no thread, no answer."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        _end_at_once(console, "interrupted")

    heeded = threading.current_thread() is threading.main_thread() and signal.SIGINT in _heeded()
    before = signal.signal(signal.SIGINT, handle) if heeded else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def ended_by_any() -> Iterator[None]:
    """Within this each of the three is a KeyboardInterrupt: for waits, in which nothing is done.

    They are handled, and not left to the system: a container's first process, which its signals
    come to, is not ended by one that it does not handle.
    """

    terminals = _terminals()

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == _HANGUP:
            give_up(*terminals)
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {each: signal.signal(each, handle) for each in _heeded()}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _terminals() -> list[TextIO]:
    """Asked before: of a terminal that is gone nobody can tell any more what it was."""
    return [each for each in (sys.stdout, sys.stderr) if each is not None and each.isatty()]


_HANGUP = getattr(signal, "SIGHUP", None)


def _heeded() -> list[signal.Signals]:
    """The signals that end something here. One that is ignored (`nohup`, a job in the background)
    stays so."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [each for each in known if signal.getsignal(each) is not signal.SIG_IGN]


def _end_at_once(console: "Console", said: str) -> None:
    """End this process, from any thread; the terminal's cursor is there again."""
    show = "\x1b[?25h\n" if console.is_terminal else ""
    with suppress(OSError, ValueError, AttributeError):
        # Past every lock and buffer: their holder may be what does not let go.
        os.set_blocking(sys.stderr.fileno(), False)
        os.write(sys.stderr.fileno(), f"{show}{said}\n".encode())
    os._exit(INTERRUPTED)
