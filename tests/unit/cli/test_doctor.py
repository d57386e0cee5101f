"""`smugmug-backup doctor`: all that can be asked without changing anything."""

import json
import os

import pytest

from smugmug_backup.cli.profiles import config_path, write_profile
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.tools.canaries import leaks
from tests.tools.cli import Shell
from tests.tools.programs import Programs
from tests.unit.cli.test_output import wrong


@pytest.fixture(scope="module")
def smugmug():
    with LocalSmugMug(World(generate_account(seed=7, albums=3, images=1))) as smugmug:
        yield smugmug


@pytest.fixture
def switches(smugmug):
    """The service's switches, back as they were afterwards."""
    before = smugmug.world.switches
    values = {name: getattr(before, name) for name in ("retired", "v2_access", "token_access")}
    yield before
    before.set(**values)


@pytest.fixture
def secret(tmp_path):
    return tmp_path / "secret"


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path, smugmug, secret):
    shell = Shell(capsys, monkeypatch, tmp_path / "home")
    text = json.dumps(smugmug.world.account.secret())
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(text)
    for name in ("SMUGMUG_API_URL", "SMUGMUG_PHOTO_HOSTS", "MAX_CALLS_PER_SECOND"):
        monkeypatch.delenv(name, raising=False)
    profile = {
        "location": str(tmp_path / "b"),
        "secret": f"file:{secret}",
        "api_url": smugmug.url,
        "photo_hosts": "127.0.0.1",
    }
    write_profile("default", profile, config_path())
    return shell


def files(folder):
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def line(ran, subject):
    return next(each for each in ran.out.splitlines() if each[6:].startswith(subject))


def test_after_a_run_all_is_fine_and_nothing_has_changed(shell, monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "crontab")
    mark = "# smugmug-backup-default: written by `smugmug-backup setup`"
    programs.table = f"{mark}\n0 3 * * * x\n# smugmug-backup-default: end\n"
    assert shell("run").status == 0
    before = files(tmp_path)
    ran = shell("doctor")
    assert (ran.status, ran.err) == (0, "")
    assert "All is fine." in ran.out and "DO" not in ran.out
    assert files(tmp_path) == before
    for subject, said in {
        "versions": "smugmug-backup 0.1.0, Python 3",
        "setting    SMUGMUG_SECRET": "by ~/.config/smugmug-backup/config.toml [profiles.default]",
        "secret": "key and access token",
        "login": "all of it, as its owner",
        "API 1.3.0": "answers, with 3 albums",
        "API v2": "answers, with 3 albums",
        "clock": "agrees",
        "location": "keeps what it has",
        "space": "free on the disk",
        "backup": "complete, as of",
        "last run": "complete, ended",
        "schedule": "cron, every day at 03:00; it makes up for nothing",
    }.items():
        assert said in line(ran, subject), subject


def test_no_secret_is_said_in_any_form_of_it(shell, smugmug, secret, switches):
    account = smugmug.world.account
    said = []
    for text in (secret.read_text(), "no json", '{"api_key": "x"}'):
        for retired in ("", "17"):
            secret.write_text(text)
            switches.set(retired=retired)
            for options in ([], ["--json"], ["--debug"]):
                ran = shell("doctor", *options)
                assert "should not happen" not in ran.out + ran.err
                said += [("out", ran.out), ("err", ran.err)]
    assert leaks(account, said) == []


@pytest.mark.parametrize("field", [None, "api_secret"])
def test_a_secret_that_stands_where_its_name_belongs_is_not_said(
    shell, smugmug, secret, monkeypatch, field
):
    text = secret.read_text()
    monkeypatch.setenv("SMUGMUG_SECRET", json.loads(text)[field] if field else text)
    for options in ([], ["--json"], ["--debug"]):
        ran = shell("doctor", *options)
        assert ran.status == 1
        assert "may be the secret itself" in ran.out
        assert leaks(smugmug.world.account, [("out", ran.out), ("err", ran.err)]) == []


def test_where_notifications_go_is_not_said_nor_what_the_environment_holds_besides(
    shell, smugmug, monkeypatch
):
    account = smugmug.world.account
    address = f"https://ping.example/{account.secret()['api_secret']}"
    for name in ("SMUGMUG_BACKUP_NOTIFY", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, address)
    text = config_path().read_text()
    config_path().write_text(f'{text}notify = "{address}"\n')
    for options in ([], ["--json"], ["--debug"]):
        ran = shell("doctor", *options)
        assert "login" in ran.out
        assert leaks(account, [("out", ran.out), ("err", ran.err)]) == []


def test_for_programs_every_line_says_whether_it_is_fine(shell):
    told = shell("doctor", "--json").json
    assert not wrong("doctor", told)
    assert told["fine"] is False
    lines = {each["subject"]: each for each in told["lines"]}
    assert lines["login"]["fine"] and lines["login"]["remedy"] is None
    assert not lines["location"]["fine"] and "no folder" in lines["location"]["said"]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("api_key", "api_key"),
        ("api_secret", "api_secret and access_token_secret"),
        ("access_token_secret", "api_secret and access_token_secret"),
        ("access_token", "new access token"),
    ],
)
def test_which_of_key_secret_and_token_is_wrong_is_said_as_far_as_smugmug_does(
    shell, secret, field, says
):
    values = json.loads(secret.read_text())
    secret.write_text(json.dumps({**values, field: "wrong"}))
    ran = shell("doctor")
    assert ran.status == 1
    assert line(ran, "login").startswith("DO") and says in line(ran, "login")
    assert "oauth_problem" in line(ran, "API v2") and says in line(ran, "API v2")


def test_an_api_that_is_gone_is_no_matter_while_the_other_answers(shell, switches):
    switches.set(retired="17")
    ran = shell("doctor")
    assert line(ran, "API 1.3.0").startswith("note")
    assert line(ran, "login").startswith("fine")
    ran = shell("doctor", "--api", "1.3.0")
    assert line(ran, "API 1.3.0").startswith("DO") and "--api v2, which answers" in ran.out


def test_a_token_that_sees_no_more_than_visitors_is_told(shell, switches):
    switches.set(token_access="Public")
    ran = shell("doctor")
    assert line(ran, "login").startswith("DO") and "Access=Full" in line(ran, "login")


def test_a_secret_that_others_can_open_is_told_and_the_rest_looked_at(shell, secret):
    secret.chmod(0o644)
    ran = shell("doctor")
    assert line(ran, "secret").startswith("DO") and f"chmod 600 {secret}" in ran.out
    assert "location" in ran.out and "schedule" in ran.out


def test_a_disk_that_is_not_plugged_in_is_told_as_the_run_and_status_do(shell, tmp_path):
    assert shell("run").status == 0
    (tmp_path / "b").rename(tmp_path / "away")
    (tmp_path / "b").mkdir()
    ran = shell("doctor")
    assert "is the disk plugged in?" in line(ran, "location")
    assert "keeps what it has" not in ran.out
    assert "is the disk plugged in?" in shell("status").err
    assert not [*(tmp_path / "b").iterdir()]


def test_a_backup_of_a_newer_format_is_told(shell, tmp_path):
    path = tmp_path / "b" / "runs/2026/11/20261124T030000Z-00000001.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": "smugmug-backup/run-report", "version": 2}))
    ran = shell("doctor")
    assert line(ran, "backup").startswith("DO") and "format version 2" in line(ran, "backup")


def test_who_won_is_said_of_each_setting(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("SMUGMUG_BACKUP_LOCATION", str(tmp_path / "environment"))
    ran = shell("doctor", "--api", "v2")
    assert line(ran, "setting    SMUGMUG_API ").endswith("is v2, by --api")
    assert line(ran, "setting    SMUGMUG_BACKUP_LOCATION").endswith("by SMUGMUG_BACKUP_LOCATION")
    ran = shell("doctor", tmp_path / "line")
    assert line(ran, "setting    SMUGMUG_BACKUP_LOCATION").endswith("by the command line")


def test_settings_that_nobody_understands_end_the_look_with_what_to_do(shell):
    config_path().write_text("nonsense")
    ran = shell("doctor")
    assert ran.status == 1
    assert line(ran, "settings").startswith("DO") and "puts it aside" in ran.out


def test_quietly_only_what_is_not_fine_is_named(shell):
    assert shell("run").status == 0
    ran = shell("doctor", "-q")
    assert ran.status == 0
    assert {each[:4] for each in ran.out.splitlines() if each[:1] != " "} == {"note"}
