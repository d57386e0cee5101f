"""Files that only their owner may read: whole or not at all, a link followed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write ``text``, mode 0600 from its first moment on. Raises OSError, and changes nothing.

    Without ``overwrite`` a file that is there raises FileExistsError. What is a link stays one: its
    target is written anew.
    """
    target = _target(path)
    with _beside(target, text) as fresh:
        if overwrite:
            fresh.replace(target)
        else:
            os.link(fresh, target)


def try_to(path: Path) -> None:
    """Try whether `write` could make a file there. Raises OSError; leaves the folder only."""
    with _beside(_target(path), ""):
        pass


def _target(path: Path) -> Path:
    # Path.is_symlink raises for a folder that is not ours (Python 3.12).
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114


@contextmanager
def _beside(target: Path, text: str) -> Iterator[Path]:
    """A file beside ``target`` with this text, on the disk; gone afterwards if still there."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)
