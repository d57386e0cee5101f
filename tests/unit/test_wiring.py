"""What the settings name is built; what cannot be used is told without being shown."""

import json
import threading
import time

import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import (
    AtHome,
    SystemClock,
    WakingClock,
    build_source,
    read_credentials,
)


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


def test_a_wait_ends_when_somebody_wakes_it_and_none_is_long_after_that():
    clock = WakingClock()
    began = time.monotonic()
    threading.Timer(0.05, clock.wake).start()
    clock.sleep(600)
    for _ in range(3):
        clock.sleep(600)
    assert 0.05 <= time.monotonic() - began < 120


def test_a_wait_that_nobody_ends_is_as_long_as_it_should_be():
    began = time.monotonic()
    WakingClock().sleep(0.05)
    assert time.monotonic() - began >= 0.05


def test_a_run_at_home_waits_for_a_lost_connection_and_keeps_to_its_rate_and_a_function_does_not():
    settings = SourceSettings(SecretName("file", "/x"), "1.3.0", nickname="larkfield")
    credentials = Credentials("key")
    said = []
    home = AtHome(said.append, patience=60, bytes_per_second=5e6)
    source = build_source(settings, credentials, SystemClock(), home=home)
    assert source._parts.photos._limit is not None and source._parts.photos._outage is not None
    assert source._parts.transport._outage is source._parts.photos._outage
    source = build_source(settings, credentials, SystemClock())
    assert source._parts.photos._limit is None and source._parts.transport._outage is None
