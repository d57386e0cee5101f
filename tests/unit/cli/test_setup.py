"""`smugmug-backup setup`: three questions against a local SmugMug, and again."""

import re
import stat
import tomllib

import pytest

from smugmug_backup.cli.commands import setup
from smugmug_backup.cli.profiles import config_path
from smugmug_backup.model import Album
from tests.tools.cli import Shell
from tests.tools.owner import Owner
from tests.tools.programs import Programs
from tests.unit.cli.test_output import wrong


@pytest.fixture
def switches(smugmug):
    before = smugmug.world.switches
    values = {name: getattr(before, name) for name in ("retired", "v2_access")}
    yield before
    before.set(**values)


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path, smugmug, account):
    shell = Shell(capsys, monkeypatch, tmp_path / "home")
    monkeypatch.setenv("SMUGMUG_API_URL", smugmug.url)
    monkeypatch.setenv("SMUGMUG_PHOTO_HOSTS", "127.0.0.1")
    for name in ("SMUGMUG_API_KEY", "SMUGMUG_API_SECRET", "MAX_CALLS_PER_SECOND"):
        monkeypatch.delenv(name, raising=False)
    for album in account.albums.values():
        monkeypatch.setattr(album, "folders", ("Travel",))
    return shell


@pytest.fixture
def owner(monkeypatch, account):
    owner = Owner(monkeypatch)
    owner.typed_unseen = [account.secrets.api_secret]
    return owner


@pytest.fixture
def cron(monkeypatch):
    return Programs(monkeypatch, "crontab")


def profile(name="default"):
    return tomllib.loads(config_path().read_text())["profiles"][name]


def answers(account, place, at="3:30"):
    """Where to, which account, the key, the code, when, and whether it shall start."""
    lines = [str(place), "", account.secrets.api_key, None, at, "y"]
    return ["CODE" if each is None else f"{each}\n" for each in lines]


def set_up(shell, owner, account, place):
    owner.answers = answers(account, place)
    return shell("setup")


def test_three_questions_and_it_runs_every_night(shell, owner, account, cron, tmp_path, smugmug):
    ran = set_up(shell, owner, account, tmp_path / "b")
    assert (ran.status, ran.err) == (0, "")
    assert f"This is the account {account.nickname}: all of it, read only." in ran.out
    assert "Both of SmugMug's APIs answer" in ran.out
    assert "A first small run" in ran.out and "(only the albums you named)" in ran.out
    assert "makes up for nothing" in ran.out and "All is set up." in ran.out
    assert profile() == {
        "location": str(tmp_path / "b"),
        "nickname": account.nickname,
        "secret": f"file:{config_path().with_name('credentials.json')}",
        "api": "auto",
        "api_url": smugmug.url,
        "photo_hosts": "127.0.0.1",
        "at": "03:30",
    }
    assert stat.S_IMODE(config_path().with_name("credentials.json").stat().st_mode) == 0o600
    assert re.search(r"^30 3 \* \* \* .* run --profile default$", cron.table, re.MULTILINE)
    assert re.search(r"^30 6 \* \* \* .* check --profile default ", cron.table, re.MULTILINE)
    said = ran.out + ran.err + config_path().read_text() + cron.table
    assert not any(text in said for text in account.secret_texts() if text)


def test_afterwards_no_command_needs_a_location_or_the_environment(
    shell, owner, account, cron, monkeypatch, tmp_path
):
    set_up(shell, owner, account, tmp_path / "b")
    monkeypatch.delenv("SMUGMUG_API_URL")
    monkeypatch.delenv("SMUGMUG_PHOTO_HOSTS")
    assert shell("run").status == 0
    assert shell("status").status == 0
    assert "All is fine." in shell("doctor").out
    assert shell("restore", tmp_path / "restored").status == 0
    assert len([each for each in (tmp_path / "restored").rglob("*.*") if each.is_file()]) >= 4


def test_it_may_be_repeated_and_offers_what_is_there(shell, owner, account, cron, tmp_path):
    set_up(shell, owner, account, tmp_path / "b")
    before, table = config_path().read_bytes(), cron.table
    owner.answers = ["\n", "\n", "\n", "\n"]
    ran = shell("setup")
    assert (ran.status, ran.err) == (0, "")
    assert f"You are logged in to {account.nickname}. Keep it?" in ran.out
    assert (config_path().read_bytes(), cron.table) == (before, table)
    assert shell("setup", "--yes").status == 0
    assert (config_path().read_bytes(), cron.table) == (before, table)


def test_the_timer_moves_and_goes_without_an_editor(shell, owner, account, cron, tmp_path):
    set_up(shell, owner, account, tmp_path / "b")
    assert shell("setup", "--yes", "--no-run", "--at", "5").status == 0
    assert "0 5 * * *" in cron.table and "30 3" not in cron.table
    ran = shell("setup", "--remove-timer", "--json")
    assert ran.json == {"profile": "default", "timers_removed": ["cron"]}
    assert not wrong("setup", ran.json)
    assert cron.table is None
    assert "no timer" in shell("setup", "--remove-timer").out
    assert profile()["at"] == "05:00"


def test_with_yes_and_options_nothing_is_asked_and_json_is_told(
    shell, owner, account, cron, tmp_path
):
    set_up(shell, owner, account, tmp_path / "b")
    owner.answers = ["not asked\n"]
    ran = shell("setup", "--yes", "--to", tmp_path / "c", "--timer", "none", "--json")
    assert ran.status == 0 and not wrong("setup", ran.json)
    assert owner.answers == ["not asked\n"]
    assert ran.json["location"] == str(tmp_path / "c") == profile()["location"]
    assert (ran.json["account"], ran.json["first_run"]) == (account.nickname, 0)
    assert ran.json["timer"] is None and cron.table is None


def test_a_place_that_will_not_do_is_told_and_asked_for_again(
    shell, owner, account, cron, tmp_path
):
    (tmp_path / "file").write_text("")
    owner.answers = [
        "ftp://x\n",
        f"{tmp_path}/file\n",
        f"{tmp_path}/disk/b\n",
        "n\n",
        f"{tmp_path}/disk/b\n",
        "y\n",
        *answers(account, "")[1:],
    ]
    ran = shell("setup")
    assert (ran.status, ran.err) == (0, "")
    assert "is no location" in ran.out and "There is no folder" in ran.out
    assert profile()["location"] == f"{tmp_path}/disk/b"


def test_an_unplugged_disk_is_asked_about(shell, owner, account, cron, tmp_path):
    set_up(shell, owner, account, tmp_path / "b")
    (tmp_path / "b").rename(tmp_path / "away")
    (tmp_path / "b").mkdir()
    ran = shell("setup", "--yes")
    assert ran.status == 2 and "is the disk plugged in?" in ran.err
    assert not [*(tmp_path / "b").iterdir()]
    owner.answers = ["\n", "y\n", "\n", "\n", "\n"]
    ran = shell("setup")
    assert ran.status == 0
    assert shell("run").status == 0


def test_folders_that_1_3_0_would_flatten_are_named_and_v2_is_offered(
    shell, owner, account, cron, monkeypatch, tmp_path
):
    album = next(iter(account.albums.values()))
    monkeypatch.setattr(album, "folders", ("Travel", "Alps", "2024"))
    lines = answers(account, tmp_path / "b")
    owner.answers = [*lines[:4], "\n", *lines[4:]]
    ran = shell("setup")
    assert ran.status == 0
    assert "Travel/Alps/2024 would be flattened" in ran.out
    assert profile()["api"] == "v2"
    assert "by SmugMug API v2" in shell("status").out
    assert "flattened" not in shell("setup", "--yes", "--no-run").out
    assert profile()["api"] == "v2"


def test_where_1_3_0_is_gone_v2_is_taken_and_it_is_said(
    shell, owner, account, cron, switches, tmp_path
):
    switches.set(retired="17")
    ran = set_up(shell, owner, account, tmp_path / "b")
    assert ran.status == 0
    assert "API 1.3.0 does not serve this account" in ran.out
    assert profile()["api"] == "auto"
    assert "by SmugMug API v2" in shell("status").out


def test_where_nothing_can_start_it_the_command_is_shown(shell, owner, account, tmp_path):
    owner.answers = answers(account, tmp_path / "b")[:-1]
    ran = shell("setup")
    assert ran.status == 0
    assert "a NAS has a task planner" in ran.out
    assert "run --profile default" in ran.out


def test_a_second_profile_stands_beside_the_first(shell, owner, account, cron, tmp_path):
    set_up(shell, owner, account, tmp_path / "b")
    owner.typed_unseen = [account.secrets.api_secret]
    owner.answers = answers(account, tmp_path / "nas", at="4")
    ran = shell("setup", "--profile", "nas")
    assert ran.status == 0 and "smugmug-backup run --profile nas" in ran.out
    assert profile("nas")["secret"].endswith("/nas.json")
    assert profile()["location"] == str(tmp_path / "b")
    assert "30 3 * * *" in cron.table and "0 4 * * *" in cron.table
    assert shell("run", "--profile", "nas").status == 0
    assert shell("setup", "--profile", "nas", "--remove-timer").status == 0
    assert "30 3 * * *" in cron.table and "0 4 * * *" not in cron.table


def test_settings_that_are_broken_are_put_aside_and_written_anew(
    shell, owner, account, cron, tmp_path
):
    config_path().parent.mkdir(parents=True)
    config_path().write_text("nonsense")
    ran = set_up(shell, owner, account, tmp_path / "b")
    assert ran.status == 0 and "put aside" in ran.out
    assert config_path().with_name("config.toml.broken").read_text() == "nonsense"
    assert profile()["location"] == str(tmp_path / "b")


def test_a_login_that_works_no_more_is_made_anew(shell, owner, account, cron, tmp_path):
    set_up(shell, owner, account, tmp_path / "b")
    path = config_path().with_name("credentials.json")
    path.write_text(re.sub(r'"access_token": "\w+"', '"access_token": "gone"', path.read_text()))
    owner.typed_unseen = [account.secrets.api_secret]
    owner.answers = ["\n", "y\n", "\n", f"{account.secrets.api_key}\n", "CODE", "\n", "\n"]
    ran = shell("setup")
    assert (ran.status, ran.err) == (0, "")
    assert "does not work" in ran.out
    assert shell("run").status == 0


def test_nobody_there_is_one_sentence(shell, owner, tmp_path):
    owner.answers = [""]
    ran = shell("setup")
    assert ran.status == 2 and "nobody is there to answer: Where to?" in ran.err


def test_the_smallest_album_with_a_photo_is_tried():
    def album(key, count):
        return Album(key, 1, key, (), count, {}, ())

    albums = (album("A", 9), album("B", 0), album("D", 2), album("C", 2), album("E", None))
    asked = [setup.Asked("1.3.0", albums=albums)]
    assert setup._smallest(asked).key == "C"
    assert setup._smallest([setup.Asked("v2", albums=(album("B", 0),))]) is None
    assert setup._smallest([]) is None
