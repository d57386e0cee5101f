"""`smugmug-backup repair`: what is damaged comes from a copy."""

import pytest


@pytest.fixture
def copy(shell, sample, folder, tmp_path):
    assert shell("copy", folder, tmp_path / "copy").status == 0
    return tmp_path / "copy"


def damage(path):
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_check_repair_check(shell, sample, folder, copy):
    path = min((folder / "originals").rglob("*.jpg"))
    key = path.relative_to(folder).as_posix()
    damage(path)
    assert shell("check", folder, "--read-data", "all").status == 1
    sample.clock.advance(hours=1)
    ran = shell("repair", folder, "--from", copy)
    assert ran.status == 0, ran.err
    assert f"brought {key}, as {key.replace('.jpg', '.2.jpg')}" in ran.out
    sample.clock.advance(hours=1)
    assert shell("check", folder, "--read-data", "all").status == 0
    again = shell("repair", folder, "--from", copy, "--json").json
    assert again["brought"] == {} and again["left"] == {}


def test_what_no_copy_has_is_named_and_is_no_success(shell, sample, folder, copy):
    for place in (folder, copy):
        damage(min((place / "originals").rglob("*.jpg")))
    assert shell("check", folder, "--read-data", "all").status == 1
    sample.clock.advance(hours=1)
    ran = shell("repair", folder, "--from", copy)
    assert ran.status == 1
    assert "still damaged: 1 file" in ran.out
    assert "the other store has it no more" in ran.err


def test_without_a_check_it_says_how_damage_is_found(shell, sample, folder, copy):
    ran = shell("repair", folder, "--from", copy)
    assert ran.status == 0
    assert "no check has looked" in ran.out and "nothing to repair" in ran.out


def test_a_place_does_not_repair_itself(shell, sample, folder):
    assert shell("repair", folder, "--from", folder).status == 2
