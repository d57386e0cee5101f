"""Open the backup that a command line names."""

from smugmug_backup.archive.archive import Archive
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.ports import BackupStore
from smugmug_backup.words import Location


def open_archive(location: Location) -> Archive:
    """The archive at ``location``, which must hold a backup.

    Raises BadRequest if it does not, StoreRefused if it cannot be read or is not there.
    """
    from smugmug_backup.storage.location import open_store

    archive = Archive(open_store(location))
    if not archive.holds_backup():
        raise Mistaken(
            f"{location} holds no backup: no run reports (runs/) and no manifests (manifests/)",
            hint="look at the prefix or folder; `smugmug-backup run LOCATION` makes a backup there",
        )
    return archive


def open_existing(location: Location) -> BackupStore:
    """The store of that archive."""
    return open_archive(location).store
