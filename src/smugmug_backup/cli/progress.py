"""What is going on: two lines that stay in a terminal, plain lines everywhere else."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from smugmug_backup.archive.report import Counts, Failure
from smugmug_backup.archive.titles import shown
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.cli.output import OutputLost, number, plural, size
from smugmug_backup.clock import Deadline
from smugmug_backup.model import Account, Album, Image, Listing, Offer
from smugmug_backup.ports import PhotoSource
from smugmug_backup.ports import PhotoStream as Stream

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from smugmug_backup.restore.plan import Problem, Target

_WINDOW = 30.0
"""Rates are those of the last half minute."""
_EVERY = 60.0
"""Where no terminal is, a long restore says every minute how far it is."""
_FAILURES_SHOWN = 3


class Rate:
    """How fast something grows, and how long the rest will take."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._samples: deque[tuple[float, float]] = deque([(monotonic(), 0.0)])

    def note(self, total: float) -> None:
        """``total`` has been reached by now."""
        now = self._monotonic()
        if now - self._samples[-1][0] < 0.2 and len(self._samples) > 1:
            self._samples[-1] = (self._samples[-1][0], total)
        else:
            self._samples.append((now, total))
        while len(self._samples) > 2 and now - self._samples[1][0] > _WINDOW:
            self._samples.popleft()

    def per_second(self) -> float:
        """Of the last half minute."""
        (began, first), (_, last) = self._samples[0], self._samples[-1]
        return max(0.0, last - first) / max(self._monotonic() - began, 0.5)

    def left(self, rest: float) -> str:
        """``about 2 h 10 min left``, or nothing while nobody can know."""
        speed = self.per_second()
        seconds = rest / speed if speed > 0 else 0.0
        return f"about {duration(seconds)} left" if seconds >= 1 else ""


def duration(seconds: float) -> str:
    """``2 h 10 min``, ``3 min 20 s``, ``4 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, rest = divmod(whole // 60, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h"


class _Display:
    """Two lines at the bottom of a terminal: bar, percentage and time left; the details."""

    def __init__(self, console: "Console", monotonic: Callable[[], float]) -> None:
        self.console = console
        self.lock = threading.RLock()
        self.monotonic = monotonic
        self._stopping = False

    def stopping(self) -> None:
        """Somebody asked for an end; a signal's handler calls it."""
        self._stopping = True

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self.lock:
            fraction, left = self.fraction(), "stopping" if self._stopping else self.left()
            details = " · ".join(each for each in self.details() if each)
        line = Table.grid(padding=(0, 2, 0, 0), expand=True)
        line.add_column(ratio=1)
        line.add_column(justify="right", no_wrap=True)
        if fraction is None:
            bar = ProgressBar(total=None, pulse=True, animation_time=self.monotonic())
            line.add_row(bar, Text("stopping" if self._stopping else "looking"))
        else:
            bar = ProgressBar(total=1.0, completed=fraction)
            line.add_row(bar, Text(f"{fraction:4.0%}   {left}".rstrip()))
        return Group(line, Text(details, no_wrap=True, overflow="ellipsis"))

    def fraction(self) -> float | None:
        """How much is done, None while that cannot be said."""
        raise NotImplementedError

    def left(self) -> str:
        """How long it will take."""
        raise NotImplementedError

    def details(self) -> list[str]:
        """The second line."""
        raise NotImplementedError

    def say(self, line: str, style: str | None = None) -> None:
        """One line above the display. A reader that went away, or a terminal without these
        letters, is no reason to end the work."""
        # Rich ends the program when the reader of a pipe goes away; a backup goes on, unheard.
        with suppress(OSError, OutputLost, UnicodeError, ValueError, SystemExit):
            self.console.print(line, style=style)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show it meanwhile; nothing of it is left afterwards."""
        if not self.console.is_terminal:
            yield
            return
        from rich.live import Live

        with Live(self, console=self.console, refresh_per_second=4, transient=True):
            yield


class RunProgress(_Display):
    """`Observer` of a backup."""

    def __init__(
        self,
        console: "Console",
        *,
        debug: bool = False,
        verbose: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(console, monotonic)
        self._debug = debug
        self._verbose = verbose
        self.titles: dict[str, str] = {}
        self._albums: int | None = None
        self._images = 0
        self._albums_done = 0
        self._images_done = 0
        self._originals = 0
        self._bytes = 0
        self._failures = 0
        self._byte_rate = Rate(monotonic)
        self._image_rate = Rate(monotonic)

    # -- from the source's side ------------------------------------------------------------------

    def account_shown(self, titles: Mapping[str, str], images: int) -> None:
        """The account has these albums, and this run may have to look at so many images."""
        with self.lock:
            self.titles = dict(titles)
            self._images = images

    def original_begun(self) -> None:
        """One more original is under way."""
        with self.lock:
            self._originals += 1
            self._image_rate.note(self._seen())

    # -- Observer --------------------------------------------------------------------------------

    def noted(self, note: str) -> None:
        """See `Observer`."""
        self.say(note, style="yellow")

    def planned(self, albums: int) -> None:
        """See `Observer`."""
        with self.lock:
            self._albums = albums

    def album_done(self, album: Album, outcome: Outcome) -> None:
        """See `Observer`."""
        if outcome.halted:
            return
        with self.lock:
            if not outcome.left_over:
                self._albums_done += 1
                self._images_done += album.image_count or 0
            self._failures += len(outcome.failures)
            self._image_rate.note(self._seen())
        lines = album_lines(album, outcome)
        if not lines and self._verbose and not outcome.left_over:
            lines = [(f"{album_name(album.key, album.title)}: nothing has changed", None)]
        for line, style in lines:
            self.say(line, style)

    def received(self, size: int) -> None:
        """See `Observer`."""
        with self.lock:
            self._bytes += size
            self._byte_rate.note(self._bytes)

    def defect(self, album: Album, error: Exception) -> None:
        """See `Observer`. Only ``--debug`` shows it: its text may hold secrets."""
        if self._debug:
            import traceback

            self.say("".join(traceback.format_exception(error)))

    # -- display ---------------------------------------------------------------------------------

    def _seen(self) -> int:
        return min(max(self._images_done, self._originals), self._images)

    def fraction(self) -> float | None:
        """Of the images, or of the albums if nobody says how many images there are."""
        if self._albums is None:
            return None
        if self._images:
            return self._seen() / self._images
        return self._albums_done / self._albums if self._albums else 1.0

    def left(self) -> str:
        """By the images."""
        return self._image_rate.left(self._images - self._seen())

    def details(self) -> list[str]:
        """Albums, images, bytes, rate, failures."""
        if self._albums is None:
            return ["asking SmugMug for the albums, and the store for what it has"]
        found = [f"{number(self._albums_done)}/{plural(self._albums, 'album')}"]
        if self._images:
            found.append(f"{number(self._seen())}/{plural(self._images, 'image')}")
        if self._bytes:
            rate = self._byte_rate.per_second()
            found.append(f"{size(self._bytes)}, {size(int(rate))}/s")
        if self._failures:
            found.append(f"{number(self._failures)} failed")
        return found


def album_lines(album: Album, outcome: Outcome) -> list[tuple[str, str | None]]:
    """(line, style) for an album that changed or failed; nothing for all others."""
    name = album_name(album.key, album.title)
    lines: list[tuple[str, str | None]] = []
    changes = (changes_of(outcome.counts) or settings_changed(outcome)) if outcome.committed else ""
    if outcome.committed and outcome.left_over:
        changes = ", ".join(filter(None, (changes, "the rest is left for the next run")))
    if changes:
        lines.append((f"{name}: {changes}", None))
    for each in outcome.failures[:_FAILURES_SHOWN]:
        lines.append((f"{name}: {failure_text(each)}", "red"))
    more = len(outcome.failures) - _FAILURES_SHOWN
    if more > 0:
        lines.append((f"{name}: {number(more)} more failed", "red"))
    return lines


def album_name(key: str, title: str | None) -> str:
    """``Harbour 2024 (hT4mWq)``; a title of endless length is cut."""
    plain = shown(title)
    plain = plain if len(plain) <= 60 else plain[:59] + "…"
    return f"{plain} ({key})" if plain else f"album {key}"


def failure_text(failure: Failure) -> str:
    """A failure in words, after its album's name."""
    image = f"image {failure.image_key} " if failure.image_key else ""
    return f"{image}failed: {shown(failure.message)}"


_A_PERSON_SEES = (
    *("Title", "Name", "Description", "Keywords", "Category", "SubCategory", "UrlPath", "UrlName"),
    *("Public", "Privacy", "SecurityType", "Password", "PasswordHint", "SortMethod", "NiceName"),
)
"""Of an album's own record. What SmugMug counts and dates there changes with each photo, and all of
it where another API told it."""


def settings_changed(outcome: Outcome) -> str:
    """``changed: Title, Privacy``: of an album, what a person would see, if anything."""
    seen = [name for name in _A_PERSON_SEES if name in outcome.album_fields]
    return f"changed: {', '.join(seen)}" if seen else ""


def changes_of(counts: Counts) -> str:
    """``12 new, 2 changed, 12 originals (98.7 MB)``; nothing if no image changed."""
    words = [
        f"{number(getattr(counts, name))} {name}"
        for name in ("new", "changed", "missing", "deleted")
        if getattr(counts, name)
    ]
    if counts.originals_stored:
        stored = plural(counts.originals_stored, "original")
        words.append(f"{stored} ({size(counts.bytes_stored)})")
    return ", ".join(words)


class Watched:
    """A source that tells `RunProgress` how much there is, and of each original."""

    def __init__(self, source: PhotoSource, progress: RunProgress, chosen: frozenset[str]) -> None:
        self._source = source
        self._progress = progress
        self._chosen = chosen

    @property
    def name(self) -> str:
        """See `PhotoSource`."""
        return self._source.name

    @property
    def api_calls(self) -> int:
        """See `PhotoSource`."""
        return self._source.api_calls

    @property
    def answered_at(self) -> datetime | None:
        """See `PhotoSource`."""
        return self._source.answered_at

    def account(self, *, deadline: Deadline) -> Account:
        """See `PhotoSource`."""
        return self._source.account(deadline=deadline)

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        """See `PhotoSource`."""
        found = self._source.albums(deadline=deadline)
        counted = [each for each in found if not self._chosen or each.key in self._chosen]
        images = sum(each.image_count or 0 for each in counted)
        self._progress.account_shown({each.key: each.title for each in found}, images)
        return found

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        """See `PhotoSource`."""
        return self._source.images(album, since=since, deadline=deadline)

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        """See `PhotoSource`."""
        return self._source.resolve(album, image, deadline=deadline)

    def open(self, offer: Offer, *, deadline: Deadline) -> AbstractContextManager[Stream]:
        """See `PhotoSource`."""
        self._progress.original_begun()
        return self._source.open(offer, deadline=deadline)


class _OfFiles(_Display):
    """Work of which it is known how many files and bytes it is. Where no terminal is, it says
    every minute how far it is."""

    looking: str
    """What it does until it knows."""

    def __init__(
        self, console: "Console", *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(console, monotonic)
        self._files: int | None = None
        self._total = self._done = self._problems = self._bytes = 0
        self._rate = Rate(monotonic)
        self._next_line = monotonic() + _EVERY

    def expect(self, files: int, bytes: int) -> None:
        """So much is to be done."""
        with self.lock:
            self._files, self._total = files, bytes

    def received(self, size: int) -> None:
        """So many bytes more came."""
        with self.lock:
            self._bytes += size
            self._rate.note(self._bytes)

    def _one_more(self, problem: object) -> None:
        with self.lock:
            self._done += 1
            self._problems += problem is not None
            due = self.monotonic() >= self._next_line and not self.console.is_terminal
            if due:
                self._next_line = self.monotonic() + _EVERY
                line = ", ".join(each for each in (*self.details(), self.left()) if each)
        if due:
            self.say(line)

    def fraction(self) -> float | None:
        """Of the bytes, or of the files where these are not known."""
        if self._files is None:
            return None
        if not self._total:
            return self._done / self._files if self._files else 1.0
        return min(1.0, self._passed() / self._total)

    def left(self) -> str:
        """By the bytes."""
        return self._rate.left(self._total - self._bytes)

    def details(self) -> list[str]:
        """Files, bytes, rate, problems."""
        if self._files is None:
            return [self.looking]
        found = [f"{number(self._done)}/{plural(self._files, 'file')}", self._amount()]
        if self._bytes:
            found.append(f"{size(int(self._rate.per_second()))}/s")
        if self._problems:
            found.append(plural(self._problems, "problem"))
        return found

    def _passed(self) -> int:
        return self._bytes

    def _amount(self) -> str:
        return size(self._bytes)


class RestoreProgress(_OfFiles):
    """`Observer` of a restore."""

    looking = "looking at the backup, and at what is in the folder already"

    def __init__(
        self, console: "Console", *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(console, monotonic=monotonic)
        self._written = 0
        self._work_rate = Rate(monotonic)

    def file_done(self, target: "Target", problem: "Problem | None") -> None:
        """See `perform.Observer`."""
        with self.lock:
            self._written += target.bytes
            self._work_rate.note(self._written)
        self._one_more(problem)

    def left(self) -> str:
        """By the bytes of the files that are there."""
        return self._work_rate.left(self._total - self._written)

    def _passed(self) -> int:
        return max(self._written, self._bytes)

    def _amount(self) -> str:
        return f"{size(self._written)} of {size(self._total)}"


class CopyProgress(_OfFiles):
    """`Observer` of a copy."""

    looking = "reading the manifests and reports of the one, and listing the other"

    def passed(self, size: int) -> None:
        """See `keeping.copy.Observer`."""
        self.received(size)

    def file_done(self, problem: str | None) -> None:
        """See `keeping.copy.Observer`."""
        self._one_more(problem)

    def way_closed(self, why: str) -> None:
        """See `keeping.copy.Observer`."""
        self.say(f"S3 does not copy by itself: the bytes pass through here from now on. {why}")


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin is not None and sys.stdin.isatty()
