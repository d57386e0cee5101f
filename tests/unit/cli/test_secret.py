"""Where the secret lies, and when it is not used."""

import json
import sys
from types import SimpleNamespace

import pytest

from smugmug_backup.cli import system_keyring
from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.secret import credentials_of
from smugmug_backup.cli.vault import vault_of
from smugmug_backup.errors import BackupError, BadRequest
from smugmug_backup.settings import SecretName

TEXT = json.dumps({"api_key": "key"})


class Keyring:
    """A system's keyring; ``broken``: it is locked, and says what must not be shown."""

    def __init__(self):
        self.kept = {}
        self.broken = False

    def get_keyring(self):
        return SimpleNamespace(priority=5)

    def get_password(self, service, name):
        if self.broken:
            raise RuntimeError("hush")
        return self.kept.get((service, name))

    def set_password(self, service, name, text):
        self.kept[service, name] = text


@pytest.fixture
def keyring(monkeypatch):
    keyring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    return keyring


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_secret_that_others_can_open_is_not_used(tmp_path, mode):
    path = tmp_path / "the secret"
    path.write_text(TEXT)
    path.chmod(mode)
    with pytest.raises(BadRequest, match=f"mode is {mode:04o}") as caught:
        credentials_of(SecretName("file", str(path)))
    assert hint_of(caught.value) == f"chmod 600 '{path}'"
    path.chmod(0o600)
    assert credentials_of(SecretName("file", str(path))).api_key == "key"
    path.chmod(0o400)
    assert credentials_of(SecretName("file", str(path))).api_key == "key"


def test_a_file_that_is_not_there_is_told_as_such(tmp_path):
    with pytest.raises(BadRequest, match="cannot be read"):
        credentials_of(SecretName("file", str(tmp_path / "nothing")))


def test_the_keyring_keeps_a_secret_and_gives_it_back(keyring):
    name = SecretName.parse("keyring:default")
    vault = vault_of(name)
    vault.try_to()
    assert not vault.exists()
    vault.put(TEXT, overwrite=False)
    assert keyring.kept == {("smugmug-backup", "default"): TEXT}
    assert credentials_of(name).api_key == "key"
    with pytest.raises(BadRequest, match="already"):
        vault.put("{}", overwrite=False)
    vault.put('{"api_key": "new"}', overwrite=True)
    assert credentials_of(name).api_key == "new"
    assert system_keyring.is_there()


def test_a_keyring_that_has_no_such_secret_is_locked_or_is_not_there(keyring, monkeypatch):
    name = SecretName("keyring", "default")
    with pytest.raises(BadRequest, match="has no secret 'default'"):
        credentials_of(name)
    keyring.kept["smugmug-backup", "default"] = "hush"
    with pytest.raises(BadRequest, match="cannot be used") as caught:
        credentials_of(name)
    assert "hush" not in str(caught.value)
    keyring.broken = True
    with pytest.raises(BackupError, match=r"failed \(RuntimeError\)") as caught:
        credentials_of(name)
    assert "hush" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(BadRequest, match="not installed") as caught:
        credentials_of(name)
    assert "smugmug-backup[keyring]" in hint_of(caught.value)
    assert not system_keyring.is_there()
