"""`smugmug-backup check`, as its owner runs it."""

import pytest

from smugmug_backup.storage.location import open_store
from tests.tools.sample import sample_store


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "photos-backup"
    sample = sample_store(open_store(str(folder), create=True))
    monkeypatch.setattr("smugmug_backup.cli.commands.check.SystemClock", lambda: sample.clock)
    return folder


def an_original(folder):
    return min((folder / "originals").rglob("*.jpg"))


def damage(path, body):
    path.chmod(0o644)
    path.write_bytes(body)


def test_a_sound_backup_ends_with_0(shell, folder):
    ran = shell("check", folder)
    assert ran.status == 0 and ran.err == ""
    assert ran.out.splitlines()[-1] == "sound"


def test_reading_says_first_what_it_will_read(shell, folder):
    lines = shell("check", folder, "--read-data", "all").out.splitlines()
    assert lines[0].startswith("reading everything: 17 objects")
    assert any(line.startswith("read again") and "17 objects" in line for line in lines)
    lines = shell("check", folder, "--read-data", "50%").out.splitlines()
    assert lines[0].startswith("reading turn ") and " of 2: " in lines[0]


def test_a_damaged_backup_ends_with_1_and_names_the_damage(shell, folder):
    damage(an_original(folder), b"\xff\xd8\xff\xe0picture ?")
    ran = shell("check", folder, "--read-data", "all")
    assert ran.status == 1
    assert "NOT SOUND: 1 problem" in ran.out and an_original(folder).name in ran.out
    an_original(folder).unlink()
    ran = shell("check", folder)
    assert ran.status == 1 and "(missing, since 20" in ran.out


def test_each_finding_is_a_line_with_what_it_means(shell, folder):
    older = folder / "manifests" / "harbour" / "00000002.jsonl"
    older.unlink()
    (folder / "originals" / "holiday.txt").write_text("mine")
    ran = shell("check", folder)
    assert ran.status == 1 and "NOT SOUND: 1 problem" in ran.out
    lines = ran.out.splitlines()
    assert any(
        "00000002.jsonl: " in line and "(missing, of an older version, since 20" in line
        for line in lines
    )
    assert any(
        line.startswith("originals/holiday.txt: ") and "no part of the backup" in line
        for line in lines
    )


def test_a_loss_that_the_owner_accepts_is_no_problem_any_more(shell, folder):
    lost = an_original(folder)
    lost.unlink()
    key = lost.relative_to(folder).as_posix()
    ran = shell("check", folder, "--accept", key)
    assert ran.status == 2 and "no open finding has the key" in ran.err
    assert shell("check", folder).status == 1
    ran = shell("check", folder, "--accept", key)
    assert ran.status == 0 and "accepted as lost: 1 file" in ran.out
    assert shell("check", folder, "--history").status == 0


def test_the_history_is_read_when_asked_for(shell, folder):
    assert "5 older versions of albums" in shell("check", folder).out
    ran = shell("check", folder, "--history")
    assert ran.status == 0 and "older versions of albums" not in ran.out
    older = folder / "manifests" / "harbour" / "00000002.jsonl"
    damage(older, older.read_bytes()[:-1])
    assert shell("check", folder).status == 0
    ran = shell("check", folder, "--history")
    assert ran.status == 1 and "00000002.jsonl" in ran.out


def test_a_backup_that_cannot_be_written_is_checked_all_the_same(shell, folder, monkeypatch):
    from smugmug_backup.errors import StoreRefused
    from smugmug_backup.storage.folder import FolderStore

    def read_only(self, key, body, **more):
        raise StoreRefused("the file system is read-only")

    monkeypatch.setattr(FolderStore, "create", read_only)
    ran = shell("check", folder)
    assert ran.status == 0 and "could not be stored: the file system is read-only" in ran.out
    an_original(folder).unlink()
    ran = shell("check", folder, "--json")
    assert ran.status == 1 and ran.json["report"] is None


def test_an_amount_that_is_none_ends_with_2(shell, folder):
    ran = shell("check", folder, "--read-data", "much")
    assert ran.status == 2 and "5GB" in ran.err


def test_json_is_all_that_a_program_gets(shell, folder):
    ran = shell("check", folder, "--read-data", "all", "--json")
    assert ran.status == 0
    assert ran.json["status"] == "sound" and ran.json["findings"] == []
    assert (folder / ran.json["report"]).is_file()
    assert ran.json["reading"]["turns"] == 1
    assert "reading everything" in ran.err
    an_original(folder).unlink()
    ran = shell("check", folder, "--json")
    assert ran.status == 1
    assert ran.json["findings"][0]["problem"] == "missing"


def test_from_s3_the_cost_is_printed_before_the_reading(shell, folder, monkeypatch):
    store = open_store(str(folder))
    monkeypatch.setattr(
        "smugmug_backup.storage.location.open_store", lambda location, **more: store
    )
    ran = shell("check", "s3://bucket/photos", "--read-data", "all")
    assert ran.status == 0
    before, _, after = ran.out.partition("albums ")
    assert "GET and" in before and "out of S3" in before and "$" in before
    assert "$" not in after


def test_the_examples_of_the_help_run(shell, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    lines = shell("check", "--help").out.partition("example:")[2].strip().splitlines()
    assert len(lines) == 2
    for line in lines:
        assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 0


def test_a_link_in_the_backup_is_named_though_it_is_no_part_of_it(shell, folder):
    (folder / "originals" / "elsewhere").symlink_to("/etc")
    ran = shell("check", folder)
    assert ran.status == 0
    assert f"passed over {folder / 'originals' / 'elsewhere'}: a link" in " ".join(ran.out.split())
