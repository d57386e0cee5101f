"""How files of the store are written: JSON lines in UTF-8, and what to say of one that is none."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from smugmug_backup.errors import EarlierForm, FormatTooNew, NotABackup

Unreadable = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What parsing raises for a file that is not what its key says."""


def json_line(value: Any) -> bytes:
    """One compact JSON line, fields in their order, non-ASCII unescaped.

    A lone surrogate, which UTF-8 cannot hold, stays an escape.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def canonical_json(value: Any) -> bytes:
    """Keys sorted, no spaces, non-ASCII unescaped, UTF-8; a lone surrogate stays an escape.

    JSON text may hold ``\\ud83d`` alone, which no UTF-8 can; so any JSON text can be stored.
    Raises ValueError for NaN and infinities, which are not JSON.
    """
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    # Only surrogates cannot be encoded, and they only occur inside of strings, where
    # "backslashreplace" writes them just as JSON does.
    return text.encode("utf-8", "backslashreplace")


def sha256(body: bytes) -> str:
    """64 lower-case hex digits."""
    return hashlib.sha256(body).hexdigest()


def fingerprint(body: bytes) -> str:
    """The first 16 hex digits of the SHA-256: what tells one state of a record from another."""
    return sha256(body)[:16]


def digest(text: str, length: int) -> str:
    """``text``, if it is so many lower-case hex digits. Raises ValueError."""
    if len(text) != length or text.strip("0123456789abcdef"):
        raise ValueError("no digest")
    return text


def known_format(
    data: Mapping[str, Any], name: str, version: int, *, key: str, added: Collection[str] = ()
) -> None:
    """Refuse what is not a file of format ``name``, or newer than ``version``.

    ``added``: fields of this form that the one before it had none of. Where all are wanting, the
    file is of that form; where one is, a letter of its name is damaged, and a whole backup is not
    to be refused for it. Raises ValueError, FormatTooNew, EarlierForm.
    """
    if data["format"] != name:
        raise ValueError(f"its format is not {name}")
    if data["version"] > version:
        raise FormatTooNew(
            f"{key} is of format version {data['version']}, this program knows {version}; "
            "install a newer SmugMug Backup"
        )
    if added and not any(field in data for field in added):
        raise EarlierForm(
            f"this store was made by a preview of SmugMug Backup ({key} shows it), which later "
            "versions do not continue; nothing was changed: name another prefix or folder"
        )


def damaged(key: str, error: Exception) -> NotABackup:
    """What to say of a file of ours that cannot be read."""
    return NotABackup(f"{key} is not readable as a file of this backup ({type(error).__name__})")
