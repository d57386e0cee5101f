"""The files beside each restored one that say what SmugMug knows of it."""

from stat import S_ISREG

from smugmug_backup.restore.folder import Folder, differs
from smugmug_backup.restore.plan import Target
from smugmug_backup.restore.record import Record, is_sidecar_of, json_sidecar
from smugmug_backup.restore.xmp import xmp_sidecar

_LARGEST = 16 << 20


def wanted(target: Target, *, embedded: bool) -> tuple[str, ...]:
    """The sidecars that a file needs: the XMP ones not, if what they say stands in the file."""
    return tuple(p for p in target.sidecars if not embedded or p.endswith(".json"))


class Sidecars:
    """Sidecars in a folder; their names say of what kind they are."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def has(self, target: Target, path: str) -> bool:
        """Whether it is there. Raises Differs, Linked, OSError."""
        there = self._folder.look(path)
        if there is None:
            return False
        if not S_ISREG(there.st_mode) or there.st_size > _LARGEST:
            raise differs()
        if not is_sidecar_of(self._folder.path(path).read_bytes(), path, target.fingerprint):
            raise differs()
        return True

    def write(self, target: Target, path: str, record: Record) -> None:
        """Make it, unless it is there. Raises Differs, Linked, OSError."""
        if self.has(target, path):
            return
        if path.endswith(".json"):
            body = json_sidecar(record)
        else:
            body = xmp_sidecar(record, album=target.album)
        self._folder.put(path, body)
