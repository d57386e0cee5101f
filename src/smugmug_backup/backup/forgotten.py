"""What the owner had deleted for good: it holds for the account, whichever album shows it.

=====================================  =========================================================
an image that is told under            what becomes of its line
``forgotten/``
=====================================  =========================================================
is new in an album                     ``forgotten``: nothing is fetched, nothing recorded
is to be fetched (again)               ``forgotten``
its bytes are damaged or gone          ``forgotten``: nothing is missing, nothing is mended
its line is that of an older           ``forgotten``, as the damaged one may have said
generation, for the newest is damaged
is stored, and nothing asks for it     as it is: `forget` was ended half way, and will go on
=====================================  =========================================================
"""

import threading
from dataclasses import replace

from smugmug_backup.archive import original
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.original import Reason, When


class Forgotten:
    """Which images they are: one listing of a run, and none where nothing asks for it.

    Used by many threads.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._images: frozenset[str] | None = None

    def none_yet(self) -> None:
        """This is the first backup: nobody has forgotten anything."""
        self._images = frozenset()

    def __contains__(self, image_key: object) -> bool:
        """Whether the owner had the image deleted. Raises StoreError."""
        with self._lock:
            if self._images is None:
                self._images = self._archive.forgotten_images()
            return image_key in self._images


def forgotten_line(entry: Entry, when: When) -> Entry:
    """The line of an image that is told to be forgotten, once it says so."""
    if entry.original.reason == Reason.FORGOTTEN:
        return entry
    line = original.forgotten(entry.original, when)
    return replace(entry, record=None, record_at=None, original=line)
