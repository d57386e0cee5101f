"""What the tool has seen at a location: an unplugged disk's folder is empty, not a new backup.

Kept in the user's state folder, a small file for each location: whose backup lies there, and the
newest run reports by their SHA-256.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import Link, RunReport
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli import private_file
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.profiles import state_folder
from smugmug_backup.errors import BackupError, BadRequest, NotABackup, NotStored
from smugmug_backup.words import Location

_REPORTS = 5
_HISTORIES = 4


class Known(NamedTuple):
    """A backup that lay at a location: whose it is, and its newest reports, the newest first."""

    account: str
    reports: tuple[Link, ...]


class Met(Enum):
    """What lies at a location, compared with what is known of it; see `meet`."""

    NEW = "new"
    SAME = "same"
    OLDER = "older"
    EMPTY = "empty"
    OTHER = "other"


def meet(
    known: Sequence[Known],
    *,
    holds_backup: Callable[[], bool],
    is_there: Callable[[Link], bool],
) -> tuple[Met, Known | None]:
    """What lies there, and which of the backups that are ``known`` it is.

    ===========  ===========  ========================  =====================================
    known        a backup     reports that are there    verdict
    ===========  ===========  ========================  =====================================
    nothing      any          any                       NEW: nobody can say more
    any          none         any                       EMPTY: is the disk plugged in?
    any          there        the newest of one         SAME
    any          there        an earlier one of one     OLDER: a copy of an earlier day, or
                                                        the newest report was lost
    any          there        none that is known        OTHER: another history
    ===========  ===========  ========================  =====================================

    Several are known where the owner said that another one is meant: two disks that take turns.
    ``is_there``: whether a report lies there as it was seen.
    """
    if not known:
        return Met.NEW, None
    if not holds_backup():
        return Met.EMPTY, None
    for each in known:
        for number, link in enumerate(each.reports):
            if is_there(link):
                return Met.OLDER if number else Met.SAME, each
    return Met.OTHER, None


def meet_at(location: Location, archive: Archive) -> tuple[Met, Known | None]:
    """What lies at ``location``, whose archive this is. Raises StoreError."""

    def is_there(link: Link) -> bool:
        try:
            return archive.report(link.run_id).sha256 == link.sha256
        except (NotStored, NotABackup):
            return False

    return meet(recall(location), holds_backup=archive.holds_backup, is_there=is_there)


def said_of(met: Met, location: Location) -> str | None:
    """What is wrong with it, in one sentence; None if nothing is."""
    known = recall(location)
    if not known or met in (Met.NEW, Met.SAME):
        return None
    account, run = shown(known[0].account), known[0].reports[0].run_id
    if met is Met.EMPTY:
        return f"{location} holds no backup, and it held that of {account}: is the disk plugged in?"
    if met is Met.OTHER:
        return (
            f"{location} holds another backup than that of {account}, whose run {run} was seen "
            "there: is the right disk plugged in?"
        )
    return (
        f"{location} lacks the newest run of {account} that was seen there, and has earlier ones: "
        "is it an older copy?"
    )


def refusal(met: Met, location: Location) -> Mistaken | None:
    """Why nothing may be written there, unless its owner says that it is meant."""
    if met not in (Met.EMPTY, Met.OTHER):
        return None
    meant = "begin a new backup there" if met is Met.EMPTY else "go on with what lies there"
    return Mistaken(str(said_of(met, location)), hint=f"plug it in; to {meant}: --new-location")


def away(location: Location) -> Mistaken | None:
    """Why no backup is there, for who found none; None if nothing is known of it."""
    if not recall(location):
        return None
    return Mistaken(str(said_of(Met.EMPTY, location)), hint="plug it in, mount it, and try again")


def recall(location: Location) -> tuple[Known, ...]:
    """What is known of ``location``, what was seen last first; nothing if it cannot be read."""
    try:
        data = json.loads(_path(location).read_text(encoding="utf-8"))
        found = [
            Known(
                str(each["account"]),
                tuple(Link(str(run), str(sha256)) for run, sha256 in each["reports"]),
            )
            for each in data["backups"]
        ]
    except (OSError, BackupError, ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(each for each in found if each.reports)


def remember(location: Location, archive: Archive, report: RunReport) -> None:
    """What a run has just written there. A memory that cannot be written stops nothing: without
    it, an unplugged disk is only not noticed."""
    if report.sha256 is None or report.account is None:
        return
    known = recall(location)
    _, same = meet_at(location, archive)
    links = [Link(report.run_id, report.sha256), *(same.reports if same else ())]
    links = [*{each.run_id: each for each in links}.values()][:_REPORTS]
    newest = Known(report.account.nickname, tuple(links))
    others = [each for each in known if each != same]
    _write(location, [newest, *others][:_HISTORIES])


def _write(location: Location, known: Sequence[Known]) -> None:
    value: dict[str, Any] = {
        "location": _name(location),
        "backups": [
            {"account": each.account, "reports": [[r.run_id, r.sha256] for r in each.reports]}
            for each in known
        ],
    }
    with suppress(OSError, BadRequest, UnicodeEncodeError):
        private_file.write(_path(location), json.dumps(value, indent=2) + "\n", overwrite=True)


def _path(location: Location) -> Path:
    digest = hashlib.sha256(os.fsencode(_name(location))).hexdigest()
    return state_folder() / "locations" / f"{digest[:32]}.json"


def _name(location: Location) -> str:
    """The same place by one name; a link is not followed, for it may lead to the disk."""
    if location.folder is not None:
        return os.path.abspath(location.folder)  # noqa: PTH100 (follows no link)
    return location.s3
