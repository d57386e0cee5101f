"""Open the backup that a command line names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smugmug_backup.archive.archive import Archive
from smugmug_backup.cli import known
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.looking import Looking
from smugmug_backup.ports import BackupStore, Remover, Way
from smugmug_backup.words import Location


@dataclass(frozen=True, slots=True)
class Opened:
    """An archive for those who only look. ``unseen``: see `Looking`."""

    archive: Archive
    unseen: Callable[[], tuple[str, ...]]


def open_to_look(location: Location) -> Opened:
    """The archive at ``location``; see `open_existing`."""
    store = Looking(open_existing(location))
    return Opened(Archive(store), store.unseen)


def open_existing(location: Location, **options: Any) -> BackupStore:
    """The store at ``location``, which must hold a backup; ``options`` as `open_store` has them.

    Raises BadRequest if it does not, StoreRefused if it cannot be read or is not there.
    """
    from smugmug_backup.storage.location import open_store

    store = open_store(location, **options)
    if not Archive(store).holds_backup():
        raise known.away(location) or Mistaken(
            f"{location} holds no backup: no run reports (runs/) and no manifests (manifests/)",
            hint=f"look at the {'prefix' if location.in_s3 else 'folder'}; "
            "`smugmug-backup run LOCATION` makes a backup there",
        )
    return store


def open_new_or_old(location: Location) -> BackupStore:
    """The store at ``location``, whether it holds a backup yet or not. Raises StoreRefused."""
    from smugmug_backup.storage.location import open_store

    return open_store(location)


def open_target(location: Location, **options: Any) -> BackupStore:
    """The store at ``location``, for writing, whether it holds anything yet or not."""
    from smugmug_backup.storage.location import open_store

    return open_store(location, create=True, **options)


def way_between(source: BackupStore, target: BackupStore) -> Way | None:
    """How bytes go from the one into the other without passing here; None if they have to."""
    from smugmug_backup.storage.location import way_between as found

    return found(source, target)


def options_of(args: Any, place: str) -> dict[str, Any]:
    """What the command line says of the S3 of one of two places; see `add_s3_options`."""
    return {
        "endpoint": getattr(args, f"{place}_endpoint_url"),
        "profile": getattr(args, f"{place}_profile"),
    }


def open_remover(location: Location) -> Remover:
    """What deletes at ``location``, at the owner's word. Raises StoreRefused."""
    from smugmug_backup.storage.remove import open_remover as opened

    return opened(location)
