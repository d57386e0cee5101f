"""Deleting for good, at the owner's word: the one place that can, and no part of the function."""

import os
from pathlib import Path
from typing import Any

from smugmug_backup import system
from smugmug_backup.errors import StoreError
from smugmug_backup.ports import Remover
from smugmug_backup.storage import file_system, probe
from smugmug_backup.storage.keys import checked
from smugmug_backup.storage.s3_bucket import Bucket, s3_client
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.words import Location


class FolderRemover:
    """`Remover` in the folder ``root``. The folders of what it deletes stay: a run may be about to
    write into them."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = system.long_path(Path(root))

    def remove(self, key: str) -> None:
        """See `Remover.remove`."""
        path = self._root / checked(key)
        file_system.check_is_there(self._root)
        file_system.check_no_links(self._root, key)
        try:
            system.unlink(path)
            if probe.flush_tried(self._root):
                file_system.flush_path(path.parent)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise file_system.store_error(error, f"deleting {path}") from None


class S3Remover:
    """`Remover` in an S3 bucket: each version of a key is deleted by its id, and each marker of an
    earlier deletion. To delete without an id would only hide the newest version."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def remove(self, key: str) -> None:
        """See `Remover.remove`."""
        refusal: StoreError | None = None
        for version in self._versions(key):
            try:
                self._bucket.call("DeleteObject", key, VersionId=version)
            except StoreError as error:
                refusal = refusal or error
        if refusal is not None:
            raise refusal

    def _versions(self, key: str) -> list[str]:
        """The ids of all markers and versions, markers and the oldest first: a kill leaves the
        newest version, which a listing shows."""
        whole = self._bucket.prefix + key
        found: list[str] = []
        after: dict[str, str] = {}
        while True:
            page: Any = self._bucket.versions(key, **after)
            listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found += [each["VersionId"] for each in listed if each["Key"] == whole]
            # The key itself comes before all others that begin with it.
            if not page.get("IsTruncated") or page.get("NextKeyMarker", "") > whole:
                return found[::-1]
            after = {"KeyMarker": page["NextKeyMarker"]}
            if page.get("NextVersionIdMarker"):
                after["VersionIdMarker"] = page["NextVersionIdMarker"]


def open_remover(location: Location) -> Remover:
    """What deletes at ``location``. Raises StoreRefused if AWS is not set up."""
    if location.folder is not None:
        return FolderRemover(location.folder)
    client = s3_client(max_connections=2, endpoint=location.endpoint, profile=location.profile)
    bucket = Bucket(client, location.bucket, location.prefix, patience=Patience())
    return S3Remover(bucket)
