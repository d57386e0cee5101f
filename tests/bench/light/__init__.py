"""The photo host and the S3 that a benchmark talks to, as cheap as they can be.

What is measured is the backup, so these must cost little: `light.c`, where there is a C compiler
(one on the path, or ``pip install ziglang``), else `server.py`, the same in Python. Both keep to
what the backup does with S3, and to what `rclone` and boto3 do for the same photos:

- PutObject, with ``If-None-Match: *`` (412 if the key is taken), in chunks (``aws-chunked``), too;
  GetObject (``Range``, ``If-Match``), HeadObject, ListObjectsV2 (in order, by pages), DeleteObject,
  and uploads in parts. Whatever else is asked is refused with 501, never passed over.
- A checksum is kept and told again, not computed; a signature is not looked at. (What is stored
  wrongly is found by the tests, over ministack and moto: here only time counts.)
- Pictures and videos above 16 KiB are dropped: their names, sizes and checksums stay, and reading
  them is 501. Everything else is kept.
- Each write waits for the latency, after its body; nothing else does. A photo waits before its
  first byte. The photo host looks at no signature.
- ``GET /_counts`` says how often what was asked, ``DELETE /_counts`` begins anew.
"""

import atexit
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.local_smugmug.bodies import SeededBody

HERE = Path(__file__).parent
BLOCK = 1 << 16


def compiler() -> list[str] | None:
    """The command of a C compiler: ``CC``, one on the path, or PyPI's ziglang; else None."""
    if sys.platform != "linux":
        return None
    named = os.environ.get("CC", "").split()
    for each in ([named] if named else []) + [["cc"], ["gcc"], ["clang"]]:
        if shutil.which(each[0]):
            return each
    return [sys.executable, "-m", "ziglang", "cc"] if find_spec("ziglang") else None


def command(*, python: bool = False) -> list[str]:
    """How to start a light server, without its arguments; ``python``: though C is there."""
    if python or compiler() is None:
        return [sys.executable, "-m", "tests.bench.light.server"]
    return [str(Path(_built().name, "light"))]


@cache
def _built() -> "tempfile.TemporaryDirectory[str]":
    """Where the compiled server lies, as long as this process lives."""
    folder = tempfile.TemporaryDirectory(prefix="light-")
    source = [str(HERE / "light.c"), "-o", str(Path(folder.name, "light")), "-lpthread"]
    done = subprocess.run(
        [*(compiler() or ()), "-O2", "-w", *source], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{source[0]} cannot be compiled: {done.stderr[-2000:]}")
    atexit.register(folder.cleanup)
    return folder


@cache
def written_in() -> str:
    """``C`` or ``Python``."""
    return "Python" if compiler() is None else "C"


def write_pack(folder: Path, photos: Iterable[tuple[str, SeededBody]]) -> list[str]:
    """Write what a photo host serves, keys and bodies; the arguments that name it.

    All blocks of a body but its first are alike, the number aside that each begins with: two of
    them say the whole.
    """
    index, pack = folder / "photos.index", folder / "photos.pack"
    with index.open("w") as names, pack.open("wb") as file:
        for key, body in photos:
            first = file.tell()
            file.write(next(body.chunks()))
            plain = file.tell()
            if body.size > BLOCK:
                file.write(random.Random(body.seed).randbytes(BLOCK))
            names.write(f"{key} {body.size} {first} {plain}\n")
    return [str(index), str(pack)]
