"""Pin, with hashes, what is shipped with others' code in it.

`src/requirements.in` to `src/requirements.txt`: the function. Only wheels that run anywhere (pure
Python) are taken, so that one package serves both architectures and every interpreter from 3.11 on.

`src/requirements-tool.txt`: the owner's tool where nobody installs anything, the program of one
file and the image; with what shows pages and what sends messages. All files of a release are named,
so that each machine may take its own.

Run by `make lock` in `.venvs/dev`; the second is resolved by uv of `.venvs/publish`.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
HEADER = """\
# Made by `make lock` from requirements.in; change that one.
# Pure Python wheels only: the same package for arm64 and x86_64, for Python 3.11 and later.
"""
TOOL_HEADER = """\
# Made by `make lock` from requirements.in, requirements-cli.in, the extra `notify` of
# pyproject.toml, and what `browse` needs for pages without small pictures; change those.
"""
PAGES = ("jinja2", "werkzeug", "waitress")
"""Of the extra `browse`, what is not compiled for each machine and each Python, or need not be."""


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
    (SOURCE / "requirements-tool.txt").write_text(TOOL_HEADER + _tool())


def _tool() -> str:
    """The pins of the owner's tool: the floors of pyproject.toml, the newest that there is."""
    uv = [str(ROOT / ".venvs" / "publish" / "bin" / "uv"), "pip", "compile", "--quiet"]
    uv += ["--no-config", "--universal", "--python-version", "3.11", "--generate-hashes"]
    uv += ["--no-header", "--no-annotate", "--extra", "notify", "pyproject.toml", "-"]
    done = subprocess.run(
        uv, check=True, stdout=subprocess.PIPE, text=True, input="\n".join(PAGES), cwd=ROOT
    )
    return done.stdout


if __name__ == "__main__":
    main()
