"""An account at the local SmugMug, and the owner's tool as a program of its own."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local_smugmug import LocalSmugMug, World, demo_account
from tests.stack.environment import tool_environment

Tool = Callable[..., subprocess.CompletedProcess[str]]
"""``tool(program, "status", location)`` runs it in a home of its own and wants it to end well."""


@pytest.fixture
def smugmug() -> Iterator[LocalSmugMug]:
    """A SmugMug with a few real pictures."""
    with LocalSmugMug(World(demo_account())) as running:
        yield running


@pytest.fixture
def tool(smugmug: LocalSmugMug, tmp_path: Path) -> Tool:
    """The environment holds nothing of this checkout."""
    home = tmp_path / "home"
    home.mkdir()
    secret = home / "secret.json"
    secret.write_text(json.dumps(smugmug.world.account.secret()))
    secret.chmod(0o600)
    kept = {n: v for n, v in tool_environment().items() if not n.startswith(("PYTHON", "XDG_"))}
    environment = {
        **kept,
        "HOME": str(home),
        "SMUGMUG_SECRET": f"file:{secret}",
        "SMUGMUG_NICKNAME": smugmug.world.account.nickname,
        "SMUGMUG_API_URL": smugmug.url,
        "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
    }

    def run(*command: Any, status: int = 0) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in command]
        done = subprocess.run(
            words, env=environment, cwd=home, capture_output=True, text=True, timeout=1800
        )
        assert done.returncode == status, f"{words}\n{done.stdout}{done.stderr}"
        return done

    return run


def sums(folder: Path) -> set[str]:
    """The digests of all files below ``folder``."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {hashlib.sha256(each.read_bytes()).hexdigest() for each in files}
