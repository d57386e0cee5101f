"""What the settings name is built; what cannot be used is told without being shown."""

import json

import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName
from smugmug_backup.wiring import read_credentials


def test_a_secret_in_a_file_becomes_credentials(tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"api_key": "key", "api_secret": "secret"}))
    assert read_credentials(SecretName("file", str(path))).api_key == "key"


@pytest.mark.parametrize("text", ["hush hush", "[]", '{"api_key": ["hush"]}', None])
def test_a_secret_that_cannot_be_used_is_named_and_not_shown(tmp_path, text):
    path = tmp_path / "credentials.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadRequest, match=f"the secret file:{path} cannot be used") as caught:
        read_credentials(SecretName("file", str(path)))
    assert "hush" not in str(caught.value)
