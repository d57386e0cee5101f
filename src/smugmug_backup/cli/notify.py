"""Tell somebody elsewhere how it went: a ping, or a message by Apprise.

==================  ========================  =========================  ======================
how it goes         https://… is asked for    and gets                   Apprise's addresses get
==================  ========================  =========================  ======================
it begins           ``URL/start``             nothing                    nothing
it ended well, or   ``URL``                   the one-line summary       the summary
goes on by itself
all else            ``URL/fail``              what is wrong, in a line   what is wrong
==================  ========================  =========================  ======================

The addresses are those of healthchecks.io, which many others understand. An address may be a
secret, and so is never shown: the name of the service, or of the host, is. Whatever goes wrong
here is a line on standard error and nothing else.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from urllib.parse import urlsplit, urlunsplit

from smugmug_backup.archive.titles import shown
from smugmug_backup.errors import BackupError

SECONDS = 10.0
"""For all of them together: whoever does not answer is not waited for."""
_EACH = 8.0
_MOST = 1000


class Event(Enum):
    """What there is to tell."""

    START = "/start"
    SUCCESS = ""
    FAILURE = "/fail"


class Notifier:
    """Tells all of ``urls``, at the same time. ``complain`` hears what could not be sent."""

    def __init__(
        self,
        urls: Iterable[str],
        complain: Callable[[str], None],
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._urls = tuple(urls)
        self._complain = complain
        self._seconds = seconds

    def send(self, event: Event, title: str, summary: str) -> None:
        """Never raises, and takes no longer than ``seconds``."""
        line = shown(" ".join(summary.split()))[:_MOST]
        threads = []
        for url in self._urls:
            if event is Event.START and not is_ping(url):
                continue
            problem: list[str | None] = []
            thread = threading.Thread(
                target=_try, args=(url, event, title, line, problem), name="notify", daemon=True
            )
            thread.start()
            threads.append((url, thread, problem))
        left = self._seconds
        for url, thread, problem in threads:
            thread.join(left)
            if thread.is_alive():
                left = 0.05
            said = problem[0] if problem else "it did not answer in time"
            if said is not None:
                self._complain(f"{service_of(url)} could not be told: {said}")


def is_ping(url: str) -> bool:
    """Whether it is pinged, and no address of Apprise's."""
    return url.lower().startswith(("https://", "http://"))


def service_of(url: str) -> str:
    """What may be shown of an address: of a ping the host, else the service."""
    if is_ping(url):
        try:
            return urlsplit(url).hostname or "https"
        except ValueError:
            return "https"
    return shown(url.partition("://")[0])[:20]


def _try(url: str, event: Event, title: str, line: str, problem: list[str | None]) -> None:
    """Append why it could not be sent, or None."""
    try:
        problem.append(
            _ping(url, event, line) if is_ping(url) else _apprise(url, event, title, line)
        )
    except Exception as error:  # noqa: BLE001 - a notification spoils nothing
        # Its text may hold the address.
        problem.append(type(error).__name__)


def _ping(url: str, event: Event, line: str) -> str | None:
    import requests

    parts = urlsplit(url)
    path = parts.path.rstrip("/") + event.value
    answer = requests.post(
        urlunsplit(parts._replace(path=path)),
        data=line.encode(),
        headers={"Content-Type": "text/plain; charset=utf-8", "User-Agent": "smugmug-backup/1"},
        timeout=_EACH,
    )
    return None if answer.ok else f"it answered HTTP {answer.status_code}"


def _apprise(url: str, event: Event, title: str, line: str) -> str | None:
    try:
        import apprise
    except ImportError:
        return "Apprise is not installed: smugmug-backup[notify] brings it (docs/packages.md)"
    told = apprise.Apprise()
    if not told.add(url):
        return "Apprise does not know such an address, or something is missing in it"
    kind = apprise.NotifyType.FAILURE if event is Event.FAILURE else apprise.NotifyType.SUCCESS
    return None if told.notify(title=title, body=line, notify_type=kind) else "it was refused"


class Ending:
    """How a command ended, as it comes to be known."""

    def __init__(self) -> None:
        self.event = Event.FAILURE
        self.summary = "it did not end as it should"

    def is_now(self, event: Event, summary: str) -> None:
        """It ended so."""
        self.event, self.summary = event, summary


@contextmanager
def told(notifier: Notifier, command: str, location: str) -> Iterator[Ending]:
    """Tell that ``command`` begins on ``location``, and how it ended; an error is told, too."""
    title, ending = f"smugmug-backup {command} {location}", Ending()
    notifier.send(Event.START, title, "begins")
    try:
        yield ending
    except BackupError as error:
        ending.is_now(Event.FAILURE, str(error))
        raise
    except BaseException as error:
        # Its text is not ours, and may hold anything.
        ending.is_now(Event.FAILURE, f"it ended with {type(error).__name__}")
        raise
    finally:
        notifier.send(ending.event, title, ending.summary)
