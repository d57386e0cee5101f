"""``s3://bucket/prefix`` or a folder: where a store lies, in one word."""

import re
from pathlib import Path

from smugmug_backup.errors import BadRequest
from smugmug_backup.ports import BackupStore
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.s3 import S3Store, s3_client

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)*([A-Za-z0-9_-][A-Za-z0-9._-]*)?")


def open_store(location: str, *, create: bool = False, max_connections: int = 18) -> BackupStore:
    """The store at ``location``; ``create`` makes a folder ready for writing.

    Raises BadRequest for what is no location, StoreRefused for a folder that cannot be one.
    """
    if location.startswith("s3:"):
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise BadRequest(
                f"{location!r} names no bucket; write s3://bucket or s3://bucket/prefix"
            )
        if not _PREFIX.fullmatch(prefix):
            raise BadRequest(f"the prefix in {location!r} must be like photos/smugmug")
        return S3Store(s3_client(max_connections=max_connections), bucket, prefix)
    if not location.strip() or "://" in location or "\0" in location:
        raise BadRequest(f"{location!r} is no location; write s3://bucket/prefix or a folder")
    return FolderStore(Path(location).expanduser(), create=create)
