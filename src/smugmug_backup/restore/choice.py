"""Which images of the chosen albums come."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from smugmug_backup.archive.manifest import Entry, Manifest


class Gone(StrEnum):
    """What becomes of images that have left SmugMug."""

    LEFT_OUT = "left out"
    TOO = "too"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which images come. ``images``: only these, by key; None: all.

    ``gone_albums``: those that have left SmugMug. ``live``: of ``images``, those that SmugMug
    still shows in any album.
    """

    gone: Gone = Gone.LEFT_OUT
    images: frozenset[str] | None = None
    gone_albums: frozenset[str] = frozenset()
    live: frozenset[str] = frozenset()

    @classmethod
    def among(
        cls,
        manifests: Iterable[Manifest],
        *,
        gone: Gone = Gone.LEFT_OUT,
        images: Iterable[str] | None = None,
        gone_albums: Iterable[str] = (),
    ) -> "Choice":
        """The choice, with what it needs to know of the albums."""
        named = None if images is None else frozenset(images)
        left = frozenset(gone_albums) | {
            each.header.album_key for each in manifests if each.header.deleted_at is not None
        }
        live = {
            key
            for each in manifests
            if named is not None and each.header.album_key not in left
            for key in named
            if key in each.entries and each.entries[key].live
        }
        return cls(gone, named, left, frozenset(live))

    def takes(self, album_key: str, entry: Entry) -> bool | None:
        """Whether a line comes; None: it does not, because it has left SmugMug.

        ==========================  ========  ===============  ==========  =======================
        the line is                 plain     ``--with-gone``  ``--gone``  named by ``--images``
        ==========================  ========  ===============  ==========  =======================
        live, and so is its album   comes     comes            no          comes
        live, its album has left    comes     comes            comes       comes if it is live
                                                                           nowhere
        gone                        None      comes            comes       the same
        ==========================  ========  ===============  ==========  =======================

        What ``--images`` does not name never comes; where it stands beside one of the others, a
        line must pass both. (An album that has left is among the chosen only if it was asked for.)
        """
        if self.images is not None and entry.image_key not in self.images:
            return False
        here = entry.live and album_key not in self.gone_albums
        if self.gone is Gone.ONLY:
            return not here
        if self.gone is Gone.TOO or here:
            return True
        if self.images is not None:
            return entry.image_key not in self.live
        return True if entry.live else None
