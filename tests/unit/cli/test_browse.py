"""`browse` serves on loopback, writes pages, and says what is missing."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from werkzeug.test import Client

from tests.stack.environment import ROOT
from tests.tools import fake_s3
from tests.tools.local_s3 import set_environment


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_it_serves_who_has_the_address_until_it_is_interrupted(sample, folder, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "smugmug_backup.cli", "browse", str(folder)]
    with subprocess.Popen(
        [*command, "--no-browser", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as served:
        address = json.loads(
            served.stdout.readline() + served.stdout.readline() + served.stdout.readline()
        )["address"]
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=120) as answer:
            assert "Harbour &amp; Quay 2024" in answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.partition("?")[0], timeout=120)
        served.send_signal(2)
        assert served.wait(120) in (0, 130)
        assert "Traceback" not in served.stderr.read()


def test_the_pages_it_serves_show_a_night_that_ended_meanwhile(shell, sample, folder, monkeypatch):
    seen = []

    class Server:
        """Somebody looks once before, and once after another night."""

        def __init__(self, site, *, sockets, **_):
            self.browser, (self.listener,) = Client(site), sockets
            self.host = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
            self.browser.get(f"/?token={site.token}", base_url=self.host)

        def run(self):
            seen.append(self.browser.get("/", base_url=self.host).text)
            sample.source.world["harbour"].title = "Brand new"
            sample.nights.next_night(full=True)
            seen.append(self.browser.get("/", base_url=self.host).text)

        def close(self):
            self.listener.close()

    monkeypatch.setattr("waitress.server.create_server", Server)
    monkeypatch.setattr("smugmug_backup.cli.commands.browse._LOOK_EVERY", 0.0)
    assert shell("browse", folder, "--no-browser").status == 0
    assert ["Brand new" in each for each in seen] == [False, True]


def test_it_writes_pages(shell, sample, folder, tmp_path):
    ran = shell("browse", folder, "--static", tmp_path / "pages")
    assert ran.status == 0 and "index.html" in ran.out and "files written" in ran.out
    again = shell("browse", folder, "--static", tmp_path / "pages", "--json")
    assert again.json["written"] == 0
    then = shell("browse", folder, "--static", tmp_path / "then", "--as-of", "2026-11-24")
    assert then.status == 0 and "Old things" in (tmp_path / "then" / "index.html").read_text()


def test_of_a_bucket_it_says_beforehand_what_looking_costs(
    shell, sample, folder, tmp_path, monkeypatch
):
    with fake_s3.FakeS3() as s3:
        set_environment(monkeypatch, s3.address)
        assert shell("copy", folder, "s3://bucket/photos").status == 0
        files = [*(folder / "manifests").rglob("*.*"), *(folder / "records").rglob("*.*")]
        ran = shell("browse", "s3://bucket/photos", "--static", tmp_path / "pages", "--json")
        first, head, page, whole, large, prices = ran.err.splitlines()
        assert f": {len(files)} GET requests and " in first and first.endswith("less than $0.01.")
        assert head.endswith("once:") and "list prices" in prices
        assert page.startswith("a page of 11 images: 11 GET requests and 147 B, less than $0.01;")
        assert whole.startswith("all 11 images: 11 GET requests and 147 B, less than $0.01;")
        assert large.startswith("one of them large")
        again = shell("browse", "s3://bucket/photos", "--static", tmp_path / "pages", "--json")
        assert "first look" not in again.err and "all 11 images" in again.err
        asked = shell("browse", "s3://bucket/photos", "--static", tmp_path / "x", "--read-exif")
        assert "reads the first 128 KiB of 11 photos: 11 GET requests and" in asked.err


@pytest.mark.parametrize("where", ["pages", "originals/pages", ".", ".."])
def test_no_pages_are_written_into_the_backup_nor_around_it(shell, sample, folder, where):
    before = sorted(folder.rglob("*"))
    ran = shell("browse", folder, "--static", folder / where)
    assert ran.status == 2 and "lie within each other" in ran.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as-of", "2026-11-24"], "--static"),
        (["--with-originals"], "--static"),
        (["--static", "X", "--as-of", "soon"], "is no day"),
        (["--port", "99999"], "cannot be used"),
        (["--static", "/dev/full"], "cannot be written"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(shell, sample, folder, tmp_path, options, says):
    options = [str(tmp_path / "x") if each == "X" else each for each in options]
    ran = shell("browse", folder, *options)
    assert ran.status == 2 and says in ran.err


def test_without_its_libraries_it_says_how_to_get_them(shell, sample, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "waitress.server", None)
    ran = shell("browse", folder)
    assert ran.status == 2 and "smugmug-backup[browse]" in ran.err
