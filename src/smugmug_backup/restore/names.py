"""Names that every file system takes, made from texts that anybody may have written.

A name is at most `FILE_BYTES` or `FOLDER_BYTES` bytes of UTF-8 long, so that there is room for a
suffix and a sidecar's extension below the usual 255. It is in NFC, as SmugMug writes it.
"""

import html
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

FILE_BYTES = 200
FOLDER_BYTES = 120
_LONGEST = 255
_LEAST = 100
"""Enough for a key of 64 characters in brackets, and an extension."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bytes a name may have: of a file, of a folder, and with all that is put behind.

    ``percent``: whether it may have a ``%``; see `bag`.
    """

    file: int = FILE_BYTES
    folder: int = FOLDER_BYTES
    longest: int = _LONGEST
    percent: bool = True

    def allowed(self, name: str) -> str:
        """``name`` with nothing that may not be in it."""
        return name if self.percent else name.replace("%", "_")

    @classmethod
    def of(cls, longest: int, *, percent: bool = True) -> "Limits":
        """For a disk whose names have at most ``longest`` bytes (143 in eCryptfs)."""
        longest = max(_LEAST, min(_LONGEST, longest))
        file, folder = min(FILE_BYTES, longest - 25), min(FOLDER_BYTES, longest - 25)
        return cls(file, folder, longest, percent)


USUAL = Limits()

_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)
# Joiners are part of emoji and of Persian and Indic words, tags of the flags of regions. All other
# format characters are invisible or turn the text round.
_KEPT_FORMATS = frozenset("\u200c\u200d") | {chr(code) for code in range(0xE0020, 0xE0080)}

_SAME = (
    ("jpg", "jpeg", "jpe", "jfif"),
    ("tif", "tiff"),
    ("heic", "heif", "hif"),
    ("mp4", "m4v"),
    ("mov", "qt"),
    ("png",),
    ("gif",),
    ("webp",),
)
# fmt: off
_OTHER_MEDIA = frozenset((
    "avi", "wmv", "asf", "mpg", "mpeg", "mpe", "vob", "mkv", "webm", "mts", "m2ts", "ts", "3gp",
    "3g2", "flv", "ogv", "divx", "avif", "jxl", "jp2", "j2k", "bmp", "dib", "psd", "psb", "dng",
    "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "orf", "rw2", "raw", "raf", "pef",
    "srw", "x3f", "rwl", "3fr", "iiq", "erf", "mrw", "mos", "dcr", "kdc", "gpr",
))
# fmt: on
_KINDS = {extension: kind[0] for kind in _SAME for extension in kind}


def safe_name(text: object, *, limit: int, fallback: str) -> str:
    """``text`` as the name of one file or folder; ``fallback`` if nothing is left of it.

    HTML entities are decoded. What no file system may have becomes ``_``; control and invisible
    characters go; so do dots and spaces at the ends (a leading dot would hide the file).
    """
    return _safe(html.unescape(text) if isinstance(text, str) else "", limit, fallback)


def _safe(plain: str, limit: int, fallback: str) -> str:
    if plain.isascii() and plain.isprintable() and _FORBIDDEN.isdisjoint(plain):
        name = plain.strip()  # The same as below, for most names.
    else:
        kept = "".join(_kept(character) for character in unicodedata.normalize("NFC", plain))
        name = unicodedata.normalize("NFC", kept).strip()
    if name.startswith(".") and name.strip(". "):
        name = "_" + name.lstrip(". ")
    name = shortened(name, limit) or fallback
    if name.split(".")[0].rstrip().upper() in _RESERVED:
        name = shortened("_" + name, limit)
    return name


def shortened(name: str, limit: int) -> str:
    """What of ``name`` fits into ``limit`` bytes, without dots or spaces at its end."""
    cut = name.encode("utf-8")[:limit].decode("utf-8", "ignore")
    while cut and (cut[-1] == "." or cut[-1].isspace()):
        cut = cut[:-1]
    return cut


def _kept(character: str) -> str:
    if character in _FORBIDDEN:
        return "_"
    category = unicodedata.category(character)
    if category == "Cc" and character.isspace():
        return " "
    if category == "Cc" or (category == "Cf" and character not in _KEPT_FORMATS):
        return ""
    # Surrogates cannot be encoded; some file servers give private characters a meaning of their
    # own (":" and "?" among them). What is merely unassigned may be an emoji of next year.
    noncharacter = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    if category in ("Cs", "Co", "Zl", "Zp") or noncharacter:
        return "_"
    return character


def identity(name: str) -> str:
    """Names with the same identity are the same file on some file system.

    Case, composition (NFC, NFD) and characters that HFS+ ignores make no difference.
    """
    if name.isascii():
        return name.lower()  # The same as below, for most names.
    folded = name
    for _ in range(2):
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", folded).upper())
        folded = unicodedata.normalize("NFKD", folded.casefold())
    return "".join(
        character
        for character in folded
        if unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f"
    )


def file_name(
    text: object, *, stored: str, fallback: str, limit: int = FILE_BYTES
) -> tuple[str, str]:
    """(stem, extension with its dot) of the file for bytes that the store calls ``.<stored>``.

    The extension must say what the bytes are, or no program opens them: the rendition of
    ``ferry.mov`` that is an mp4 becomes ``ferry.mp4``, a raw file that SmugMug keeps as a JPEG
    ``.jpg``; the sidecar still tells the name that it had. One that is right stays as it is
    (``DSC_1.JPG``); one that is not known to be a medium's is taken for a part of the name
    (``photo.exe.jpg``). Bytes without an extension of their own (``bin``: raw, AVI …) keep theirs.
    """
    name = safe_name(text, limit=4 * FILE_BYTES, fallback=fallback)
    stem, dot, last = name.rpartition(".")
    kind = last.lower()
    if stem.strip(". ") and dot and (kind in _KINDS or kind in _OTHER_MEDIA):
        fits = kind in _OTHER_MEDIA if stored == "bin" else _KINDS.get(kind) == stored
        extension = f".{last}" if fits else f".{stored}"
    else:
        stem, extension = name, f".{stored}"
    stem = shortened(stem, limit - len(extension)) or fallback
    # Without its extension the name may be a device's.
    return _safe(stem, limit - len(extension), fallback), extension


def kind_of(text: object) -> str:
    """What the store would call bytes of the kind that a file's name claims; else ``bin``."""
    return _KINDS.get(text.rpartition(".")[2].lower(), "bin") if isinstance(text, str) else "bin"


class Taken:
    """The names that one folder has already; each is given once, whatever the file system."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._identities = {identity(name) for name in names}

    def take(self, stem: str, extension: str, *, key: str, limit: int) -> str:
        """``DSC_1.JPG``; if that is taken, with ``key`` in it: ``DSC_1 (V2xgTbs).JPG``."""
        number = 1
        candidate = stem + extension
        while not self._add(candidate):
            mark = f" ({key})" if number == 1 else f" ({key} {number})"
            room = limit - len((mark + extension).encode("utf-8"))
            candidate = shortened(stem, room) + mark + extension
            number += 1
        return candidate

    def take_exactly(self, name: str) -> bool:
        """Take ``name`` if it is free."""
        return self._add(name)

    def _add(self, name: str) -> bool:
        key = identity(name)
        if key in self._identities:
            return False
        self._identities.add(key)
        return True
