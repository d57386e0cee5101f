"""Open the store that lies at a location."""

from smugmug_backup.ports import BackupStore, Way
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.words import Location


def open_store(
    location: Location | str,
    *,
    create: bool = False,
    max_connections: int = 18,
    endpoint: str | None = None,
    profile: str | None = None,
    one_writer: bool = False,
    copies: bool = False,
) -> BackupStore:
    """The store at ``location``; ``create`` makes a folder ready for writing. Of S3: ``endpoint``
    and ``profile`` as in `aws_client`, where the location does not say them; ``one_writer`` as in
    `S3Store`; ``copies`` as in `s3_client`, for the target of a `way_between`.

    Raises BadRequest for what is no location, StoreRefused for a folder that cannot be one.
    """
    if isinstance(location, str):
        location = Location.parse(location)
    if location.folder is not None:
        return FolderStore(location.folder, create=create)
    # A third of a second, of which a folder needs nothing.
    from smugmug_backup.storage.s3 import S3Store, s3_client

    client = s3_client(
        max_connections=max_connections,
        endpoint=location.endpoint or endpoint,
        profile=location.profile or profile,
        copies=copies,
    )
    return S3Store(client, location.bucket, location.prefix, one_writer=one_writer)


def way_between(source: BackupStore, target: BackupStore) -> Way | None:
    """A way on which bytes go from one into the other by themselves; None where there is none."""
    if isinstance(source, FolderStore) or isinstance(target, FolderStore):
        return None
    from smugmug_backup.storage.s3_copy import way_within_s3

    return way_within_s3(source, target)
