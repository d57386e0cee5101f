"""The programs that people move to, and what each of them is given.

What each program reads and ignores, with the sources, stands in ``docs/ways-out.md``.

==============  ========================  ===========================================  ===========
``--for``       beside a photo            in the file                                  folders
==============  ========================  ===========================================  ===========
``files``       photo.jpg.xmp,            with ``--embed``                             as at
                photo.jpg.json                                                         SmugMug
``immich``      photo.jpg.xmp             with ``--embed``                             one an album
``digikam``     photo.jpg.xmp             with ``--embed``                             as at
                                                                                       SmugMug
``lightroom``   photo.xmp, where the      always: it reads no sidecar of a JPEG        as at
                file cannot take it                                                    SmugMug
``apple``       the same                  always                                       as at
                                                                                       SmugMug
``google``      nothing: it reads none    always                                       one an album
``smugmug``     nothing: it reads none    always                                       as at
                                                                                       SmugMug
==============  ========================  ===========================================  ===========
"""

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from smugmug_backup.restore.names import identity, safe_name

if TYPE_CHECKING:
    from smugmug_backup.restore.plan import Placed

JSON, XMP, ADOBE = "json", "xmp", "adobe"
"""The kinds of sidecars: ``photo.jpg.json``, ``photo.jpg.xmp``, and XMP under the name that Adobe's
programs look for, ``photo.xmp``."""

SIDECARS = ("json", "xmp", "both", "none")
"""What an owner may ask for instead of what the way brings."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way out. ``sidecars``: kinds, see `plan.plan`. ``xmp``: how its XMP sidecars are named.

    ``embeds``: by itself, without being asked. ``flat``: one folder an album, none around it.
    ``by_hand``: a table of the settings of its albums is written, too.
    """

    name: str
    sidecars: tuple[str, ...]
    xmp: str = XMP
    embeds: bool = False
    flat: bool = False
    by_hand: bool = False

    def kinds(self, asked: str | None) -> tuple[str, ...]:
        """The sidecars, where ``asked`` may say otherwise (one of `SIDECARS`)."""
        if asked is None:
            return self.sidecars
        return {"json": (JSON,), "xmp": (self.xmp,), "both": (self.xmp, JSON), "none": ()}[asked]

    def placed(self, albums: "Iterable[Placed]") -> "list[Placed]":
        """The albums as `plan.folders` is to place them."""
        return flattened(albums) if self.flat else list(albums)


WAYS = {
    way.name: way
    for way in (
        Way("files", (XMP, JSON)),
        Way("immich", (XMP,), flat=True),
        Way("lightroom", (ADOBE,), xmp=ADOBE, embeds=True),
        Way("apple", (ADOBE,), xmp=ADOBE, embeds=True),
        Way("google", (), embeds=True, flat=True),
        Way("digikam", (XMP,)),
        Way("smugmug", (), embeds=True, by_hand=True),
    )
}


@dataclass(frozen=True, slots=True)
class _Flat:
    album_key: str
    title: str
    path: tuple[str, ...]
    deleted_at: datetime | None


def flattened(albums: "Iterable[Placed]") -> "list[Placed]":
    """Each album in a folder of its own beside the others: ``Harbour 2024``; of several with that
    title each with its folders: ``Travel - Misc``."""
    known = list(albums)
    titles = Counter(_said(album.title) for album in known)
    return [_flat(album, alone=titles[_said(album.title)] == 1) for album in known]


def _flat(album: "Placed", *, alone: bool) -> "Placed":
    path = [part for part in album.path if isinstance(part, str)]
    title = (
        album.title
        if alone or not isinstance(album.title, str)
        else " - ".join((*map(html.unescape, path), html.unescape(album.title)))
    )
    return _Flat(album.album_key, title, (), album.deleted_at)


def _said(title: str) -> str:
    return identity(safe_name(title, limit=1000, fallback=""))
