"""A restored folder as a bag (BagIt, RFC 8493): what archives and libraries accept.

The files lie in ``data/``. ``manifest-sha256.txt`` names each with its SHA-256, and whoever has a
validator can prove the whole without this program. ``bagit.txt`` comes last: a folder without it is
not finished.

No name in a bag has a ``%`` (it becomes ``_``): the RFC wants it encoded, and no validator is known
that decodes it (LibraryOfCongress/bagit-python issue 157, of 2022, open).
"""

import hashlib
import os  # noqa: TID251 - restored files are read again here
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path  # noqa: TID251 - as above

from smugmug_backup.errors import BackupError, BadRequest
from smugmug_backup.restore.folder import Differs, Folder

PAYLOAD = "data"
_DECLARATION = "bagit.txt"
_MANIFEST, _INFO, _TAGS = "manifest-sha256.txt", "bag-info.txt", "tagmanifest-sha256.txt"
_CHUNK = 1 << 20


class BagDiffers(BackupError):
    """A part of another bag is there."""

    code = "differs"


def is_finished(root: Path) -> bool:
    """Whether ``root`` is a finished bag."""
    return os.path.lexists(root / _DECLARATION)


def refuse_more(root: Path, missing: int) -> None:
    """A finished bag takes no more files: its manifest names what it holds. Raises BadRequest."""
    if missing and is_finished(root):
        files = "1 file" if missing == 1 else f"{missing} files"
        raise BadRequest(
            f"{root} is a finished bag, and {files} would come into it; name another TARGET"
        )


STRANGE = (
    "is no part of the bag, which was finished without it: a validator will refuse the bag until "
    "it is taken out"
)
LOST = "is named by the bag's manifest, and is not there: a validator will refuse the bag"
UNREADABLE = "cannot be read: nobody can say what the bag holds"


def differences(root: Path) -> Iterator[tuple[str, str]]:
    """What makes a finished bag another one than its manifest says, by names alone: each path, and
    `STRANGE`, `LOST` or `UNREADABLE`."""
    try:
        text = (root / _MANIFEST).read_text(encoding="utf-8")
    except (OSError, ValueError):
        yield _MANIFEST, UNREADABLE
        return
    # A disk may give a name in another form than the one in which it was written (HFS+).
    named = {_folded(line.partition("  ")[2]) for line in text.split("\n") if line}
    there = {_folded(encoded(f"{PAYLOAD}/{path}")) for path in _payload(root / PAYLOAD)}
    for path in sorted(named ^ there):
        yield decoded(path), STRANGE if path in there else LOST


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def finish(root: Path, *, known: Mapping[str, str], account: str, token: str) -> int:
    """Make ``root``, whose files lie in ``data/``, a bag; how many files it has.

    ``known``: the SHA-256 of files that were proved just now, by their path in ``data/``; all
    others are read. Nothing is overwritten. Raises BagDiffers, OSError, TargetUnusable.
    """
    lines, size = [], 0
    for path in sorted(_payload(root / PAYLOAD)):
        there = root / PAYLOAD / path
        digest = known.get(path) or _sha256(there)
        lines.append(f"{digest}  {encoded(f'{PAYLOAD}/{path}')}\n")
        size += there.stat().st_size
    info = [f"Payload-Oxum: {size}.{len(lines)}\n", "Bag-Software-Agent: smugmug-backup\n"]
    if account:
        info.insert(0, f"External-Description: The SmugMug account {account}\n")
    files = {
        _DECLARATION: "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        _INFO: "".join(info),
        _MANIFEST: "".join(lines),
    }
    bodies = {name: text.encode() for name, text in files.items()}
    tags = [f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in bodies.items()]
    bodies[_TAGS] = "".join(tags).encode()
    folder = Folder(root, token=token)
    with folder.workshop():
        for name in (_INFO, _MANIFEST, _TAGS, _DECLARATION):
            try:
                folder.put(name, bodies[name])
            except Differs:
                raise BagDiffers(
                    f"{name} of another bag is there; it was left as it is, and {root} is no bag "
                    "of what lies in it now"
                ) from None
    return len(lines)


def encoded(path: str) -> str:
    """A path as it stands in a bag's manifest (RFC 8493, section 2.1.3)."""
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def decoded(path: str) -> str:
    """The path that `encoded` made this of."""
    return path.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def _payload(data: Path) -> Iterator[str]:
    for here, folders, names in os.walk(data):
        folders.sort()
        for name in names:
            path = Path(here, name)
            if path.is_file():
                yield path.relative_to(data).as_posix()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
