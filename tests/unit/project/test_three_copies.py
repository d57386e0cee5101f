"""The page about three copies: each of its commands is given, in its order."""

import re

import pytest

from tests.tools import fake_s3 as wire
from tests.tools.cli import Shell
from tests.tools.independent_reader import look
from tests.tools.local_s3 import set_environment
from tests.tools.readme import DOCS, text_of
from tests.tools.sample import sample_store

PAGE = DOCS / "three-copies.md"


def commands():
    for block in re.findall(r"```sh\n(.*?)```", text_of(PAGE), re.DOTALL):
        yield from filter(None, map(str.strip, block.splitlines()))


@pytest.fixture
def s3(monkeypatch):
    with wire.FakeS3() as s3:
        set_environment(monkeypatch, s3.address)
        yield s3


def test_its_commands_make_three_copies_and_repair_what_is_damaged(
    capsys, monkeypatch, tmp_path, s3
):
    from smugmug_backup.storage.folder import FolderStore
    from smugmug_backup.storage.location import open_store

    home = tmp_path / "home"
    for folder in (home, tmp_path / "disk", tmp_path / "nas"):
        folder.mkdir()
    shell = Shell(capsys, monkeypatch, home)
    backup = home / "photos-backup"
    sample = sample_store(FolderStore(backup))
    shell.at(sample.clock)
    given = 0
    for line in commands():
        sample.clock.advance(hours=1)
        if "repair ~" in line:
            path = min((backup / "originals").rglob("*.jpg"))
            path.chmod(0o644)
            path.write_bytes(b"?")
            sample.clock.advance(hours=1)
            assert shell("check", backup, "--read-data", "all").status == 1
        ran = shell.line(line.replace("/mnt/", f"{tmp_path}/"))
        # The sample itself is not complete: `status` says so.
        assert ran.status == (1 if " status " in line else 0), (line, ran.out, ran.err)
        given += 1
    assert given > 10
    seals = [
        look(FolderStore(place)).seal
        for place in (backup, tmp_path / "disk/photos-backup", tmp_path / "nas/photos-backup")
    ]
    assert seals[0] == seals[1] == seals[2] == look(open_store("s3://bucket/photos")).seal
