"""`smugmug-backup authorize`: the dance with a local SmugMug, and where the secret ends up."""

import hashlib
import json
import os
import re
import stat
import tomllib
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from smugmug_backup.cli import private_file, vault
from smugmug_backup.cli.commands import authorize
from smugmug_backup.cli.profiles import config_path
from smugmug_backup.errors import BadRequest, StoreRefused
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.words import DEFAULT_CREDENTIALS
from tests.tools.cli import Shell
from tests.tools.owner import Owner


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path, smugmug, account):
    shell = Shell(capsys, monkeypatch, tmp_path / "home")
    monkeypatch.setenv("SMUGMUG_API_URL", smugmug.url)
    monkeypatch.setenv("SMUGMUG_PHOTO_HOSTS", "127.0.0.1")
    monkeypatch.setenv("SMUGMUG_API_KEY", account.secrets.api_key)
    monkeypatch.setenv("SMUGMUG_API_SECRET", account.secrets.api_secret)
    for name in ("SMUGMUG_SITE_PASSWORD", "MAX_CALLS_PER_SECOND"):
        monkeypatch.delenv(name, raising=False)
    return shell


@pytest.fixture
def owner(monkeypatch):
    return Owner(monkeypatch)


def profile(name="default"):
    return tomllib.loads(config_path().read_text())["profiles"][name]


def no_secret_in(ran, account, path=None):
    said = ran.out + ran.err + (path.read_text() if path else "")
    secret = [text for text in account.secret_texts() if text]
    return not any(text in said for text in secret)


def test_the_whole_dance_ends_with_a_secret_that_works(shell, owner, account, tmp_path):
    place = tmp_path / "deep" / "secret.json"
    ran = shell("authorize", "--secret", f"file:{place}")
    assert (ran.status, ran.err) == (0, "")
    assert f"This is the account {account.nickname}: all of it, read only." in ran.out
    assert "Access=Full&Permissions=Read" in owner.urls[0]
    assert owner.urls[0] in ran.out
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert Credentials.from_json(place.read_text()).signed
    assert [path.name for path in place.parent.iterdir()] == ["secret.json"]


def test_no_secret_is_shown_or_written_into_the_settings(shell, owner, account, tmp_path):
    ran = shell("authorize", "--secret", f"file:{tmp_path}/secret.json")
    stored = json.loads((tmp_path / "secret.json").read_text())
    settings = config_path()
    assert profile() | {"api_url": ""} == {
        "secret": f"file:{tmp_path}/secret.json",
        "nickname": account.nickname,
        "api": "auto",
        "api_url": "",
    }
    assert no_secret_in(ran, account, settings)
    for text in (stored["access_token"], stored["access_token_secret"], stored["api_secret"]):
        assert text not in ran.out + ran.err + settings.read_text()


@pytest.mark.usefixtures("owner")
def test_the_other_commands_find_what_it_wrote(shell, monkeypatch, tmp_path, account):
    assert shell("authorize").status == 0
    assert Path(config_path().with_name("credentials.json")).exists()
    monkeypatch.delenv("SMUGMUG_API_KEY")
    monkeypatch.delenv("SMUGMUG_API_SECRET")
    ran = shell("run", tmp_path / "backup")
    assert (ran.status, ran.err) == (0, "")
    assert f" in {len(account.albums)} albums" in ran.out
    ran = shell("restore", tmp_path / "backup", tmp_path / "restored", "--sidecar", "none")
    assert (ran.status, ran.err) == (0, "")
    files = [path for path in (tmp_path / "restored").rglob("*.*") if path.suffix != ".csv"]
    images = [image for album in account.albums.values() for image in album.images]
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files) == sorted(
        image.best.sha256 for image in images
    )


@pytest.mark.usefixtures("owner")
def test_api_v2_is_authorized_by_the_same_dance(shell, tmp_path):
    ran = shell("authorize", "--api", "v2", "--secret", f"file:{tmp_path}/s", "--json")
    assert ran.status == 0
    assert ran.json["access"] == "owner"
    assert profile()["api"] == "v2"


def test_without_a_browser_the_address_is_only_printed(shell, owner, tmp_path, capsys):
    seen = []
    ask = authorize._ask

    def read_and_consent(say, prompt):
        (url,) = re.findall(r"http://\S+/authorize\?\S+", capsys.readouterr().out)
        seen.append(url)
        owner.consent(url)
        return ask(say, prompt)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authorize, "_ask", read_and_consent)
        assert shell("authorize", "--no-browser", "--secret", f"file:{tmp_path}/s").status == 0
    assert len(seen) == 1
    assert not owner.urls


def test_a_mistyped_code_is_asked_for_again(shell, owner, tmp_path):
    owner.answers = ["12 34\n", "abcdef\n", "CODE"]
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 0
    assert ran.out.count("six digits; once more") == 2


def test_after_three_wrong_codes_nothing_is_stored(shell, owner, tmp_path):
    owner.answers = ["1\n", "2\n", "3\n"]
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2
    assert "3 times" in ran.err
    assert not (tmp_path / "s").exists()
    assert not config_path().exists()


def test_a_code_of_somebody_else_is_refused(shell, owner, tmp_path):
    owner.answers = ["000000\n", "000000\n", "000000\n"]
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2
    assert "does not accept this code" in ran.err


def test_a_wrong_api_secret_is_one_line(shell, owner, monkeypatch, tmp_path):
    monkeypatch.setenv("SMUGMUG_API_SECRET", "wrong")
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2
    assert len(ran.err.splitlines()) == 2
    assert "wrong" not in ran.err
    assert not owner.urls


def test_another_account_than_the_one_named_is_refused(shell, owner, tmp_path):
    ran = shell("authorize", "--nickname", "somebody", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2
    assert owner.urls
    assert not (tmp_path / "s").exists()


def test_key_and_secret_are_asked_for_unseen(shell, owner, account, monkeypatch, tmp_path):
    monkeypatch.delenv("SMUGMUG_API_KEY")
    monkeypatch.delenv("SMUGMUG_API_SECRET")
    owner.answers = [f"{account.secrets.api_key}\n", "CODE"]
    owner.typed_unseen = [account.secrets.api_secret]
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 0
    assert no_secret_in(ran, account)


def test_nobody_to_answer_is_an_error_with_a_hint(shell, owner, monkeypatch, tmp_path):
    monkeypatch.delenv("SMUGMUG_API_SECRET")
    owner.terminal = False
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2
    assert "SMUGMUG_API_SECRET" in ran.err
    monkeypatch.setenv("SMUGMUG_API_SECRET", "x")
    monkeypatch.delenv("SMUGMUG_API_KEY")
    owner.answers = [""]
    assert "nobody is there to answer: API key" in shell("authorize").err


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_a_secret_that_is_there_is_replaced_only_if_the_owner_says_so(
    shell, owner, tmp_path, answer, status
):
    (tmp_path / "s").write_text("old")
    (tmp_path / "s").chmod(0o644)
    owner.answers = [answer]
    assert shell("authorize", "--secret", f"file:{tmp_path}/s").status == status
    assert ((tmp_path / "s").read_text() == "old") is (status == 2)
    if status == 0:
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    else:
        assert not owner.urls  # Asked before the dance, not after it.


@pytest.mark.usefixtures("owner")
def test_with_yes_it_is_replaced_unasked(shell, tmp_path):
    (tmp_path / "s").write_text("old")
    assert shell("authorize", "--yes", "--secret", f"file:{tmp_path}/s").status == 0


def test_anonymous_needs_a_key_a_nickname_and_perhaps_passwords(shell, owner, account, tmp_path):
    owner.answers = ["no key!\n", "hT4mWq\n", "\n"]
    owner.typed_unseen = ["", "sesame"]
    ran = shell(
        "authorize", "--anonymous", "--nickname", account.nickname, "--secret", f"file:{tmp_path}/s"
    )
    assert ran.status == 0
    assert "what the public sees" in ran.out
    assert "An AlbumKey has letters and digits" in ran.out
    assert json.loads((tmp_path / "s").read_text()) == {
        "api_key": account.secrets.api_key,
        "album_passwords": {"hT4mWq": "sesame"},
    }
    assert not owner.urls


@pytest.mark.usefixtures("owner")
def test_anonymous_without_a_nickname_is_refused(shell, tmp_path):
    ran = shell("authorize", "--anonymous", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2
    assert "--nickname" in ran.err


def test_the_secret_is_never_an_option(shell, capsys):
    assert "--api-secret" not in shell("authorize", "--help").out


# -- nobody there ------------------------------------------------------------------------------


def ends(prompt):
    raise EOFError


def test_the_end_of_input_at_a_secret_is_told_by_its_name(shell, owner, monkeypatch, tmp_path):
    monkeypatch.delenv("SMUGMUG_API_SECRET")
    monkeypatch.setattr("getpass.getpass", ends)
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2 and "nobody is there to answer: API secret" in ran.err


@pytest.mark.usefixtures("owner")
def test_a_closed_standard_input_is_nobody(shell, monkeypatch, tmp_path):
    monkeypatch.delenv("SMUGMUG_API_KEY")
    monkeypatch.setattr("sys.stdin", None)
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2 and "nobody is there to answer: API key" in ran.err


# -- what can be known before the dance --------------------------------------------------------


def test_a_place_that_cannot_be_written_is_told_before_the_dance(shell, owner, tmp_path):
    (tmp_path / "file").write_text("")
    ran = shell("authorize", "--secret", f"file:{tmp_path}/file/s")
    assert ran.status == 2 and "cannot be written" in ran.err
    assert not owner.urls


def test_settings_that_cannot_be_written_are_told_before_the_dance(
    shell, owner, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    ran = shell("authorize", "--secret", f"file:{tmp_path}/s")
    assert ran.status == 2 and "config.toml cannot be" in ran.err
    assert not owner.urls and not (tmp_path / "s").exists()


@pytest.mark.usefixtures("owner")
def test_settings_torn_by_a_power_cut_are_written_anew(shell, tmp_path):
    config_path().parent.mkdir(parents=True)
    config_path().write_bytes(b"\0" * 100)
    ran = shell("run", tmp_path / "b")
    assert ran.status == 2 and "puts it aside and writes it anew" in ran.err
    assert shell("authorize", "--secret", f"file:{tmp_path}/s").status == 0
    assert profile()["secret"] == f"file:{tmp_path}/s"
    assert sorted(each.name for each in config_path().parent.iterdir()) == [
        "config.toml",
        "config.toml.broken",
    ]


def test_settings_are_on_the_disk_before_they_take_the_place_of_the_old_ones(tmp_path, monkeypatch):
    seen = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            private_file.os, name, lambda *a, real=real, name=name: seen.append(name) or real(*a)
        )
    private_file.write(tmp_path / "x", "text", overwrite=True)
    assert seen == ["fsync", "replace"]


@pytest.mark.usefixtures("owner")
def test_a_link_into_a_safe_folder_stays_a_link(shell, tmp_path):
    (tmp_path / "safe").mkdir()
    (tmp_path / "safe" / "secret").write_text("old")
    (tmp_path / "s").symlink_to(tmp_path / "safe" / "secret")
    assert shell("authorize", "--yes", "--secret", f"file:{tmp_path}/s").status == 0
    assert (tmp_path / "s").is_symlink()
    assert Credentials.from_json((tmp_path / "safe" / "secret").read_text()).signed


# -- the places --------------------------------------------------------------------------------


@pytest.fixture
def aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        yield


@pytest.mark.usefixtures("aws")
def test_ssm_gets_a_secure_string(shell, owner):
    assert shell("authorize", "--secret", "ssm:/smugmug/secret").status == 0
    client = boto3.client("ssm")
    found = client.get_parameter(Name="/smugmug/secret", WithDecryption=True)["Parameter"]
    assert found["Type"] == "SecureString"
    assert Credentials.from_json(found["Value"]).signed
    owner.answers = ["n\n"]
    assert shell("authorize", "--secret", "ssm:/smugmug/secret").status == 2
    owner.answers = ["y\n"]
    assert shell("authorize", "--secret", "ssm:/smugmug/secret").status == 0
    found = client.get_parameter(Name="/smugmug/secret", WithDecryption=True)["Parameter"]
    assert found["Version"] == 2


@pytest.mark.usefixtures("aws")
def test_a_secret_that_is_written_again_keeps_the_owners_kms_key(shell, owner, monkeypatch):
    own = "arn:aws:kms:us-east-1:123456789012:key/5f0c2a91"
    client, sent = boto3.client("ssm"), []
    client.put_parameter(Name="/x", Value="old", Type="SecureString", KeyId=own)

    class Watched:
        def __getattr__(self, name):
            return getattr(client, name)

        def put_parameter(self, **arguments):
            sent.append(arguments)
            return client.put_parameter(**arguments)

    monkeypatch.setattr(vault, "aws_client", lambda _: Watched())
    owner.answers = ["y\n"]
    ran = shell("authorize", "--secret", "ssm:/x")
    assert ran.status == 0
    assert sent[0]["KeyId"] == own
    assert "A stack finds it only in this region, us-east-1." in ran.out
    assert shell("authorize", "--secret", "ssm:/another").status == 0
    assert "KeyId" not in sent[1]


@pytest.mark.usefixtures("aws")
def test_a_key_that_may_not_be_looked_up_is_told_before_the_dance(shell, owner, monkeypatch):
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeParameters")

    def deny(*args, **kwargs):
        raise denied

    client = boto3.client("ssm")
    monkeypatch.setattr(client, "describe_parameters", deny)
    monkeypatch.setattr(vault, "aws_client", lambda _: client)
    ran = shell("authorize", "--secret", "ssm:/x")
    assert ran.status == 2 and "ssm:DescribeParameters" in ran.err
    assert not owner.urls


@pytest.mark.usefixtures("aws")
def test_secrets_manager_keeps_the_older_version(shell, owner):
    assert shell("authorize", "--secret", "secretsmanager:smugmug").status == 0
    owner.answers = ["y\n"]
    assert shell("authorize", "--secret", "secretsmanager:smugmug").status == 0
    client = boto3.client("secretsmanager")
    assert Credentials.from_json(client.get_secret_value(SecretId="smugmug")["SecretString"]).signed
    assert len(client.list_secret_version_ids(SecretId="smugmug")["Versions"]) == 2


@pytest.mark.usefixtures("aws")
def test_a_secret_that_is_about_to_be_deleted_is_told_before_the_dance(shell, owner):
    client = boto3.client("secretsmanager")
    client.create_secret(Name="smugmug", SecretString="old")
    client.delete_secret(SecretId="smugmug")
    ran = shell("authorize", "--secret", "secretsmanager:smugmug")
    assert ran.status == 2 and "restore-secret" in ran.err
    assert not owner.urls


def test_the_example_stores_where_a_stack_with_its_defaults_looks(shell):
    example = f"smugmug-backup authorize --secret {DEFAULT_CREDENTIALS}"
    assert shell("authorize", "--help").out.strip().endswith(example)


@pytest.mark.usefixtures("aws")
def test_a_secret_that_appeared_meanwhile_is_not_overwritten(tmp_path):
    places = [
        vault.SsmVault(boto3.client("ssm"), "/x"),
        vault.SecretsManagerVault(boto3.client("secretsmanager"), "x"),
        vault.FileVault(tmp_path / "x"),
    ]
    for place in places:
        assert not place.exists()
        place.put("one", overwrite=False)
        assert place.exists()
        with pytest.raises(BadRequest, match="already"):
            place.put("two", overwrite=False)
    with pytest.raises(BadRequest, match="4 KB"):
        places[0].put("x" * 5000, overwrite=True)


def test_the_file_is_never_readable_by_others_not_even_for_a_moment(tmp_path, monkeypatch):
    modes = []
    real = os.open

    def watching(path, flags, mode=0o777, **options):
        descriptor = real(path, flags, mode, **options)
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(vault.os, "open", watching)
    before = os.umask(0)
    try:
        vault.FileVault(tmp_path / "x").put("secret", overwrite=False)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_said_without_the_secret(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefused) as caught:
        vault.FileVault(tmp_path / "file" / "x").put("secret text", overwrite=False)
    assert "secret text" not in str(caught.value)
