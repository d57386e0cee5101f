"""What earlier runs handed over, and whether it is still worked on."""

from typing import NamedTuple

from smugmug_backup.errors import BadRequest
from smugmug_backup.ports import BackupStore, Overflow


class Earlier(NamedTuple):
    """The overflows of earlier runs: the run whose execution is ``going``, and the ``albums`` that
    are left to it; if none is, the run of the newest one that has ``ended``."""

    going: str | None = None
    albums: frozenset[str] = frozenset()
    ended: str | None = None
    notes: tuple[str, ...] = ()


def look(store: BackupStore, overflow: Overflow) -> Earlier:
    """What earlier runs handed over, as it stands now."""
    recent = overflow.recent()
    ended = next((run for run, going in recent if not going), None)
    going = next((run for run, going in recent if going), None)
    if going is None:
        return Earlier(ended=ended)
    from smugmug_backup.backup.overflow import read_plan

    try:
        albums = frozenset(each.album.key for each in read_plan(store, going).albums)
    except BadRequest as error:
        return Earlier(ended=ended, notes=(f"an execution called {going} is running, but {error}",))
    note = (
        f"the overflow of run {going} is still working on {len(albums)} albums; they are left to it"
    )
    return Earlier(going, albums, notes=(note,))
