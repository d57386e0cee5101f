"""Small pictures of every kind, and the independent readers of what is said in them."""

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


def picture(kind: str, *, colour: tuple[int, int, int] = (200, 120, 40), **options: Any) -> bytes:
    """``JPEG``, ``PNG``, ``TIFF``, ``WEBP`` or ``GIF``: something with an edge in it."""
    image = Image.new("RGB", (24, 16), colour)
    image.paste((10, 20, 90), (4, 4, 12, 12))
    body = io.BytesIO()
    image.save(body, kind, **options)
    return body.getvalue()


def dated(taken: str, zone: str = "") -> bytes:
    """A JPEG whose camera wrote when it was taken."""
    exif = Image.Exif()
    exif[0x0132] = taken
    inner = exif.get_ifd(0x8769)
    inner[0x9003] = taken
    if zone:
        inner[0x9011] = zone
    return picture("JPEG", exif=exif)


def pixels(body: bytes) -> bytes:
    """The decoded picture."""
    return Image.open(io.BytesIO(body)).convert("RGB").tobytes()


def read_by_exiftool(path: Path) -> dict[str, Any]:
    """What exiftool reads, by group and name; skips where it is not."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool: apt-get install libimage-exiftool-perl")
    done = subprocess.run(
        ["exiftool", "-config", "", "-json", "-G1", "-n", "-struct", str(path)],
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found
