"""Make `.venvs/browser`: a headless Chromium for the tests that look at pages, without root.

npm's package `@sparticuz/chromium` holds the binary and the libraries that a small machine lacks;
npm itself comes from PyPI. What is fetched is held to the SHA-512 below.
"""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bootstrap
import npm

PACKAGE = "@sparticuz/chromium@153.0.0"
SHA512 = (
    "8e2196a92bcf31dbb8f8ff538a562a011ef21063c41c8371fa50af13f36a34ef"
    "c41d8cc5ff1d615222394fa8a8548b7b744cbb9fcf1bcb24f4be4f9d9ec810c0"
)
STAMP = ".package"

# The package's own looks where Lambda would have the fonts.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""

_UNPACK = """
import sys, brotli
decompressor = brotli.Decompressor()
for piece in iter(lambda: sys.stdin.buffer.read(1 << 20), b""):
    sys.stdout.buffer.write(decompressor.process(piece))
"""


def main(root: Path) -> None:
    """Make it, unless it is there. Raises BootstrapError."""
    bootstrap.main(root, ["browser"])
    folder = root / ".venvs" / "browser"
    chromium, stamp = folder / "chromium", folder / STAMP
    if stamp.exists() and stamp.read_text() == SHA512 and (chromium / "chromium").exists():
        return
    print(f"  browser: installing {PACKAGE}", flush=True)
    body = npm.fetched(folder, PACKAGE, SHA512)
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as package:
        for name in ("chromium", "al2023.tar", "fonts.tar", "swiftshader.tar"):
            member = package.extractfile(f"package/bin/{name}.br")
            if member is None:
                raise bootstrap.BootstrapError(f"{PACKAGE} holds no {name}")
            _put(folder, chromium, name, member.read())
    (chromium / "fonts.conf").write_text(_FONTS.format(folder=chromium))
    stamp.write_text(SHA512)


def _put(folder: Path, chromium: Path, name: str, packed: bytes) -> None:
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-I", "-c", _UNPACK],
        input=packed,
        capture_output=True,
        check=True,
    )
    chromium.mkdir(exist_ok=True)
    if name.endswith(".tar"):
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(chromium, filter="data")
    else:
        (chromium / name).write_bytes(done.stdout)
        (chromium / name).chmod(0o755)


if __name__ == "__main__":
    try:
        main(Path(__file__).resolve().parent.parent)
    except bootstrap.BootstrapError as error:
        sys.exit(f"browser: {error}")
