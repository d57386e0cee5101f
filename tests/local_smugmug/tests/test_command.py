"""The local SmugMug as a command, and under the control of another process."""

import hashlib
import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.local_smugmug.caller import Caller
from tests.local_smugmug.control import OPERATIONS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def smugmug():
    with LocalSmugMug(World(generate_account(seed=1, albums=2, images=2))) as smugmug:
        yield smugmug


@pytest.fixture
def control(smugmug):
    with requests.Session() as http:

        def ask(what, given=None, *, post=False, status=200, **params):
            url = f"{smugmug.url}/_control/{what}"
            if post or given is not None:
                answer = http.post(url, json=given, params=params, timeout=120)
            else:
                answer = http.get(url, params=params, timeout=120)
            assert answer.status_code == status, answer.text
            return answer.json()

        yield ask


def test_one_command_serves_until_it_is_told_to_stop(tmp_path):
    secret = tmp_path / "secret.json"
    command = [sys.executable, "-m", "tests.local_smugmug", "--albums", "2", "--images", "3"]
    command += ["--size", "500", "--seed", "4", "--print-secret", str(secret)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        given = json.loads(secret.read_text())
        params = {
            "method": "smugmug.albums.get",
            "NickName": process.stdout.readline().split()[1],
            "APIKey": given["api_key"],
        }
        answer = requests.get(f"{url}/services/api/json/1.3.0/", params=params, timeout=120)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        assert process.stderr.read() == ""
    assert len(answer.json()["Albums"]) == 2
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert set(given) == {
        "api_key",
        "api_secret",
        "access_token",
        "access_token_secret",
        "site_password",
        "album_passwords",
    }


def test_the_source_is_listed_with_digests(smugmug, control):
    source = control("source")
    assert source["nickname"] == smugmug.world.account.nickname
    image = source["albums"][0]["images"][0]
    with requests.get(image["listed"]["OriginalURL"], timeout=120) as answer:
        assert hashlib.sha256(answer.content).hexdigest() == image["sha256"]
    public = control("source", view="public", nickname=source["nickname"])
    assert "MD5Sum" not in public["albums"][0]["images"][0]["listed"]
    assert control("secret")["api_key"] == smugmug.world.account.secrets.api_key


def test_the_world_can_be_changed(smugmug, control):
    one, two = smugmug.world.account.albums
    made = control("world/upload", {"album_key": one, "hex": "ffd8ff00", "file_name": "x.jpg"})
    assert smugmug.world.image(made["key"]).body.read() == b"\xff\xd8\xff\x00"
    control("world/edit", {"image_key": made["key"], "caption": "new"})
    control("world/move", {"image_key": made["key"], "to_album": two})
    assert smugmug.world.image(made["key"]).album_key == two
    control("world/replace", {"image_key": made["key"], "hex": "ffd8ff01"})
    assert smugmug.world.image(made["key"]).serial == 1
    control("world/delete", {"image_key": made["key"]})
    nickname = smugmug.world.account.nickname
    album = control("world/new_album", {"title": "New", "account": nickname})
    control("world/rename_album", {"album_key": album["key"], "title": "Newer"})
    assert smugmug.world.album(album["key"]).title == "Newer"
    control("world/drop_album", {"album_key": album["key"]})
    assert list(smugmug.world.account.albums) == [one, two]
    assert all(hasattr(smugmug.world, operation) for operation in OPERATIONS)


def test_faults_switches_latency_and_counters(smugmug, control):
    caller = Caller(smugmug)
    control("faults", {"kind": "code", "code": 98, "method": "albums", "times": None})
    assert caller.code("smugmug.albums.get") == 98
    assert control("faults")[0]["hits"] == 1
    control("faults/clear", post=True)
    assert caller.code("smugmug.albums.get") == 0
    control("switches", {"empty_images": "absent"})
    assert control("switches")["empty_images"] == "absent"
    control("latency", {"api": 0.001})
    assert control("latency") == {"api": 0.001, "photo": 0.0}
    calls = control("calls")
    assert (calls["api"], calls["by_method"]) == (2, {"smugmug.albums.get": 2})
    control("calls/reset", post=True)
    assert control("calls")["total"] == 0
    caller.close()


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("nonsense", None),
        ("nonsense", {}),
        ("faults", {"kind": "nonsense"}),
        ("switches", {"nonsense": 1}),
        ("latency", {"nonsense": 1}),
        ("world/nonsense", {}),
        ("world/edit", {"image_key": "none"}),
    ],
)
def test_what_cannot_be_done_is_said(control, what, given):
    assert "error" in control(what, given, status=400)
