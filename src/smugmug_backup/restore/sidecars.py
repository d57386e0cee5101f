"""The file beside each restored one that says what SmugMug knows of it."""

from stat import S_ISREG

from smugmug_backup.restore.folder import Folder, differs, flush
from smugmug_backup.restore.plan import Target
from smugmug_backup.restore.record import Record, is_sidecar_of, json_sidecar, xmp_sidecar

_LARGEST = 16 << 20


class Sidecars:
    """Sidecars of one ``kind`` (``json``, ``xmp`` or ``none``) in a folder."""

    def __init__(self, folder: Folder, kind: str) -> None:
        self._folder = folder
        self.kind = kind

    def has(self, target: Target) -> bool:
        """Whether it is there, or none is wanted. Raises Differs, Linked, OSError."""
        if target.sidecar is None:
            return True
        there = self._folder.look(target.sidecar)
        if there is None:
            return False
        if not S_ISREG(there.st_mode) or there.st_size > _LARGEST:
            raise differs()
        body = self._folder.path(target.sidecar).read_bytes()
        if not is_sidecar_of(body, self.kind, target.fingerprint):
            raise differs()
        return True

    def write(self, target: Target, record: Record) -> None:
        """Make it, unless it is there. Raises Differs, Linked, OSError."""
        if target.sidecar is None or self.has(target):
            return
        body = xmp_sidecar(record) if self.kind == "xmp" else json_sidecar(record)
        with self._folder.part() as part:
            with open(part, "r+b") as file:
                file.write(body)
                file.flush()
                flush(file.fileno())
            self._folder.place(part, target.sidecar, None)
