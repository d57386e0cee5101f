"""Open the store that a command line names."""

from smugmug_backup.archive import keys
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.ports import BackupStore
from smugmug_backup.words import Location


def open_existing(location: Location) -> BackupStore:
    """The store at ``location``, which must hold a backup.

    Raises BadRequest if it does not, StoreRefused if it cannot be read or is not there.
    """
    from smugmug_backup.storage.location import open_store

    store = open_store(location)
    if not any(_holds(store, prefix) for prefix in (keys.RUNS, keys.MANIFESTS)):
        raise Mistaken(
            f"{location} holds no backup: no run reports (runs/) and no manifests (manifests/)",
            hint="look at the prefix or folder; `smugmug-backup run LOCATION` makes a backup there",
        )
    return store


def _holds(store: BackupStore, prefix: str) -> bool:
    return next(iter(store.list(prefix)), None) is not None
