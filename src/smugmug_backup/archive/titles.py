"""What an album is called, and which one a person means."""

import difflib
import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from smugmug_backup.archive.keys import directory
from smugmug_backup.errors import BadRequest

_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What drives a terminal, breaks a line or turns the direction of what follows."""


class NoSuchAlbum(BadRequest):
    """A name that no album has, or several."""

    hint = "an album is named by its key, its title, or folders and title, as `albums` prints them"


class Titled(Protocol):
    """Anything that has an album's folders and title."""

    @property
    def title(self) -> str:
        """As the source writes it."""

    @property
    def path(self) -> Sequence[str]:
        """The folders, or category and subcategory."""


def shown(text: str | None) -> str:
    """``text`` of the source as a person reads it: HTML entities decoded, controls made visible.

    For display only; what is stored stays as the source wrote it.
    """
    return harmless(html.unescape(text or ""))


def harmless(text: str) -> str:
    """``text`` with what would drive a terminal made visible; no entity is decoded."""
    return _CONTROLS.sub("\ufffd", text)


def album_name(album: Titled) -> str:
    """``Travel / Coast / Harbour 2024``."""
    return " / ".join(shown(part) for part in (*album.path, album.title))


def safe_name(key: str) -> str:
    """The key of an album or image as the name of a file or folder, the same on every disk."""
    return directory(key)


def find_albums(wanted: Iterable[str], albums: Mapping[str, Titled]) -> list[str]:
    """The keys of the albums that ``wanted`` mean, each once and in that order.

    Each is a key, a title, or folders and title as `album_name` writes them (blanks around the
    slash, and case, do not matter). What is written exactly as `album_name` writes one album means
    that one, whatever else has a name like it. Raises BadRequest for one that means no album, or
    several; it names them.
    """
    known: dict[str, list[str]] = {}
    exact: dict[str, list[str]] = {}
    for key, album in sorted(albums.items()):
        exact.setdefault(album_name(album), []).append(key)
        for name in {_plain(shown(album.title)), _plain(album_name(album))}:
            known.setdefault(name, []).append(key)
    return list(dict.fromkeys(_one(name, albums, known, exact) for name in wanted))


def _one(
    wanted: str,
    albums: Mapping[str, Titled],
    known: Mapping[str, list[str]],
    exact: Mapping[str, list[str]],
) -> str:
    if wanted in albums:
        return wanted
    if len(exact.get(wanted, ())) == 1:
        return exact[wanted][0]
    # As it is printed, or as SmugMug writes it, with HTML entities.
    found = known.get(_plain(wanted)) or known.get(_plain(shown(wanted)), [])
    if len(found) == 1:
        return found[0]
    if found:
        named = "; ".join(f"{key} ({album_name(albums[key])})" for key in found)
        raise NoSuchAlbum(
            f"{len(found)} albums are called '{shown(wanted)}': {named}; name it by its key"
        )
    near = dict.fromkeys(
        album_name(albums[known[each][0]])
        for each in difflib.get_close_matches(_plain(wanted), known, n=3, cutoff=0.4)
    )
    meant = f"; near it: {', '.join(near)}" if near else ""
    raise NoSuchAlbum(
        f"this backup has no album '{shown(wanted)}'{meant}; "
        "`smugmug-backup albums LOCATION` lists titles and keys"
    )


def _plain(name: str) -> str:
    """``name`` so that what a person would call the same is the same."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "/".join(" ".join(part.split()) for part in text.split("/"))
