"""`smugmug-backup drill`: what the owner is told, and with which exit status."""

import pytest

from smugmug_backup.cli.commands import drill
from smugmug_backup.errors import SourceUnavailable, StoreRefused
from smugmug_backup.storage.folder import FolderStore
from tests.tools.cli import Shell
from tests.tools.sample import sample_store


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def sample(folder):
    sample = sample_store(FolderStore(folder))
    sample.clock.advance(hours=1)
    return sample


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path, sample):
    shell = Shell(capsys, monkeypatch, tmp_path / "home")
    shell.at(sample.clock)
    monkeypatch.setattr(drill, "open_source", lambda args, store: sample.source)
    return shell


def originals(folder):
    return [path for path in (folder / "originals").rglob("*") if path.is_file()]


def test_a_drill_that_passes_is_a_sentence_and_the_report(shell, folder):
    ran = shell("drill", folder, "--images", "3")
    assert (ran.status, ran.err) == (0, "")
    said, where = ran.out.splitlines()
    assert said.startswith("3 photos") and said.endswith(
        "were restored and compared with SmugMug: all the same."
    )
    assert (folder / where.removeprefix("The report: ")).is_file()
    assert shell("drill", folder, "--images", "3", "--json").json["same"] == 3
    status = shell("status", folder)
    assert "fire drill" in status.out and "all the same." in status.out
    assert shell("status", folder, "--json").json["drill"]["wrong"] == 0


def test_damage_is_named_and_ends_with_1(shell, folder):
    for path in originals(folder):
        path.chmod(0o600)
        path.write_bytes(b"rotten")
    ran = shell("drill", folder)
    assert ran.status == 1
    assert "DAMAGED in the backup" in ran.out
    assert "Travel / Alps — 山, image i" in ran.out
    assert "The next run looks at it" in ran.out
    assert list((folder / "checks").rglob("*.json"))


def test_what_is_no_alarm_is_told_and_ends_with_0(shell, folder, sample):
    sample.source.errors["account"] = SourceUnavailable("SmugMug did not answer")
    ran = shell("drill", folder)
    assert ran.status == 0
    assert "SmugMug delivered none of them to compare with." in ran.out
    assert "not delivered by SmugMug today: SmugMug did not answer" in ran.out


def test_a_backup_that_cannot_be_written_is_drilled_all_the_same(shell, folder, monkeypatch):
    def refuse(self, key, body, **_):
        raise StoreRefused("read-only")

    monkeypatch.setattr(FolderStore, "create", refuse)
    ran = shell("drill", folder)
    assert ran.status == 1
    assert "all the same" in ran.out
    assert "could not be written into the backup: read-only" in ran.err


@pytest.mark.parametrize("number", ["0", "1001", "-1"])
def test_a_number_that_makes_no_sense_is_one_line(shell, folder, number):
    ran = shell("drill", folder, "--images", number)
    assert ran.status == 2
    assert "--images must be a number from 1 to 1000" in ran.err


def test_where_no_run_has_told_the_state_there_is_nothing_to_drill(shell, folder):
    for path in (folder / "runs").rglob("*.json"):
        path.unlink()
    ran = shell("drill", folder)
    assert ran.status == 2
    assert "nothing to drill" in ran.err
