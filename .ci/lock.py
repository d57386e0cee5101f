"""Pin the function's requirements: `src/requirements.in` to `src/requirements.txt`.

Only wheels that run anywhere (pure Python) are taken, so that one package serves both
architectures and every interpreter from 3.11 on. Run by `make lock` in `.venvs/dev`.
"""

import json
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"
HEADER = """\
# Made by `make lock` from requirements.in; change that one.
# Pure Python wheels only: the same package for arm64 and x86_64, for Python 3.11 and later.
"""


def main() -> None:
    """Resolve, and write the pins with their hashes."""
    pip = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--dry-run"]
    pip += ["--ignore-installed", "--report", "-", "--target", "unused", "--only-binary", ":all:"]
    pip += ["--platform", "any", "--implementation", "py", "--abi", "none"]
    pip += ["--python-version", "3.11", "-r", str(SOURCE / "requirements.in")]
    done = subprocess.run(pip, check=True, stdout=subprocess.PIPE, text=True)
    lines = []
    for each in json.loads(done.stdout)["install"]:
        name, version = each["metadata"]["name"], each["metadata"]["version"]
        digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name.lower()}=={version} \\\n    --hash=sha256:{digest}\n")
    (SOURCE / "requirements.txt").write_text(HEADER + "".join(sorted(lines)))


if __name__ == "__main__":
    main()
