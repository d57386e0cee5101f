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
import socket
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
        asked.wait()
        if state.happened:
            # Not by the handler, which may come in the middle of another print; and the terminal
            # may be gone.
            with suppress(RuntimeError, OSError, OutputLost, ValueError):
                console.print(f"{saying} Ctrl-C again stops at once.", style="yellow")
            if not ended.wait(_LONGEST):
                _end_at_once(console, _HELD + _AT_ONCE)

    def handle(number: int, _frame: FrameType | None) -> None:
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

    watching = threading.Thread(target=watch, name="interruption", daemon=True)
    watching.start()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {each: signal.signal(each, handle) for each in _heeded()}
    try:
        with _heard():
            yield state
    finally:
        ended.set()
        asked.set()
        watching.join(1.0)
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def at_once(console: "Console") -> Iterator[None]:
    """Within this, where nothing is written, Ctrl-C waits for nothing: no thread, no answer."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        _end_at_once(console, "interrupted")

    heeded = threading.current_thread() is threading.main_thread() and signal.SIGINT in _heeded()
    before = signal.signal(signal.SIGINT, handle) if heeded else None
    try:
        with _heard():
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


@contextmanager
def _heard() -> Iterator[None]:
    """Within this a signal is heard though the main thread does nothing but wait for others.

    Python runs a handler when the main thread looks. One that comes between its last look and its
    wait for a lock wakes nobody (`acquire_timed` in CPython's Modules/_threadmodule.c, 3.13): of
    every twenty Ctrl-C at the start of the transfers one was lost, on a busy machine. But its
    number is written to a socket at once, and who reads it there wakes the main thread, by a
    signal that says nothing, until it has looked. Windows has none, and waits as it did.
    """
    nudge = getattr(signal, "SIGURG", None)
    if nudge is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    pair: tuple[socket.socket, socket.socket] | None = None
    with suppress(OSError):
        pair = socket.socketpair()
    if pair is None:  # No descriptor is left for it; what is asked for may do without.
        yield
        return
    reading, writing = pair
    main, ended, looks = threading.get_ident(), threading.Event(), 0
    writing.setblocking(False)

    def look(_number: int, _frame: FrameType | None) -> None:
        nonlocal looks
        looks += 1

    def wake() -> None:
        while number := reading.recv(1):
            seen = looks
            while number[0] != nudge and looks == seen and not ended.is_set():
                signal.pthread_kill(main, nudge)
                ended.wait(0.05)

    waking = threading.Thread(target=wake, name="waking", daemon=True)
    waking.start()
    before = signal.signal(nudge, look)
    written_to = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(written_to)
        signal.signal(nudge, before)
        writing.close()
        waking.join(1.0)
        reading.close()


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
