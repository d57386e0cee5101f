"""The location: is it there, the same as ever, writable, and how does the backup stand."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.standing import Standing, standing_of
from smugmug_backup.archive.verdict import Verdict, verdict_of
from smugmug_backup.cli import known
from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.looks.line import Line
from smugmug_backup.cli.output import ago, moment, plural, size
from smugmug_backup.errors import AlreadyStored, BackupError, StoreRefused
from smugmug_backup.model import Room
from smugmug_backup.ports import BackupStore
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location

_LITTLE = 2 * 10**9
_TRIED = "runs/0000/00/tried"


def lines(location: Location, *, now: datetime) -> Iterator[Line]:
    """All that can be said of it."""
    try:
        store = open_store(location)
        archive = Archive(store)
        met, _ = known.meet_at(location, archive)
    except BackupError as error:
        yield Line("location", _with(location, str(error)), remedy=_remedy(error, location))
        return
    strange = known.said_of(met, location)
    if strange is not None:
        refused = known.refusal(met, location)
        remedy = hint_of(refused) if refused else "look at it; a run would go on there"
        yield Line("location", strange, remedy=remedy)
    if met is known.Met.EMPTY:
        return  # the mount point of a disk that is away is left alone
    yield from _writable(location, archive)
    if location.folder is not None:
        yield _space(location.folder)
    yield from _standing(location, archive, now)


def try_out(folder: Path) -> Room:
    """Whether a backup can be kept there: what a run does is done in a folder in it, which is
    taken away again. What the disk can take.

    Raises StoreRefused and other StoreErrors.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".trying-", dir=folder) as beside:
            store = open_store(Location("a try", folder=Path(beside)), create=True)
            store.create(_TRIED, b"1")
            if not _refuses_another(store):
                raise StoreRefused(f"{folder} lets a file take another's place")
            return store.room()
    except OSError as error:
        raise StoreRefused(f"{folder} cannot be written to ({error.strerror})") from None


def _refuses_another(store: BackupStore) -> bool:
    try:
        store.create(_TRIED, b"2")
    except AlreadyStored:
        return True
    return False


def _writable(location: Location, archive: Archive) -> Iterator[Line]:
    try:
        if location.folder is not None:
            largest = try_out(location.folder).largest
            said = f"{location} can be written to, and keeps what it has"
            if largest is None:
                yield Line("location", said)
            else:
                yield Line(
                    "location",
                    f"{said}; a file above {size(largest)} does not fit on its disk",
                    remedy="a larger video is named by each run; exFAT, NTFS and ext4 hold it",
                    advice=True,
                )
        elif archive.holds_backup():
            # What a run writes first, and which is there already: nothing of it changes.
            archive.probe()
            yield Line("location", f"{location} can be read and written to, and overwrites nothing")
        else:
            yield Line("location", f"{location} can be read, and is empty; a run tries to write")
    except BackupError as error:
        yield Line("location", _with(location, str(error)), remedy=_remedy(error, location))


def _space(folder: Path) -> Line:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Line("space", f"cannot be told ({error.strerror})")
    said = f"{size(free)} free on the disk of {folder}"
    if free < _LITTLE:
        return Line("space", said, remedy="make room: a run ends when the disk is full")
    return Line("space", said)


def _standing(location: Location, archive: Archive, now: datetime) -> Iterator[Line]:
    try:
        if not archive.holds_backup():
            yield Line("backup", f"there is none at {location} yet", remedy=_RUN)
            return
        standing = standing_of(archive, now=now)
    except BackupError as error:
        yield Line("backup", str(error), remedy=hint_of(error))
        return
    yield _verdict(standing, now)
    newest = standing.newest
    if newest is not None:
        failures = len(newest.failures) + newest.more_failures
        said = f"{newest.status}, ended {moment(newest.ended_at)} ({ago(newest.ended_at, now)})"
        said += f", {plural(failures, 'failure')}" if failures else ""
        yield Line("last run", said, remedy=_STATUS if failures else None, advice=True)


_RUN = "`smugmug-backup run` makes it"
_STATUS = "`smugmug-backup status` names them"
_VERDICTS = {
    Verdict.SILENT: ("no run has ended for days: nothing is backed up", _RUN),
    Verdict.NO_RUN: ("no run over the whole account has ended yet", _RUN),
    Verdict.DAMAGED: ("something in it is known to be damaged", "the next run mends what it can"),
    Verdict.COMPLETE: ("complete", None),
    Verdict.NOT_COMPLETE: ("not complete", "`smugmug-backup status` names what is missing"),
}


def _verdict(standing: Standing, now: datetime) -> Line:
    said, remedy = _VERDICTS[verdict_of(standing, now)]
    as_of = standing.complete_as_of
    if remedy is None and as_of is not None:
        said = f"{said}, as of {moment(as_of.when)}"
    return Line("backup", said, remedy=remedy)


def _with(location: Location, said: str) -> str:
    name = os.fspath(location.folder) if location.folder is not None else location.bucket
    return said if name in said else f"{location}: {said}"


def _remedy(error: BackupError, location: Location) -> str:
    return hint_of(error, in_s3=location.in_s3)
