"""The program of one file: any Python from 3.11 on runs it, with nothing installed."""

import hashlib
import importlib.util
import json
import re
import sys
import zipfile

import pytest

import smugmug_backup
from tests.published.conftest import sums
from tests.stack.environment import MACHINE, ROOT
from tests.tools import wheel as published

sys.path.insert(0, str(ROOT / ".ci"))
onefile = published.loaded("onefile")
sys.path.remove(str(ROOT / ".ci"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return published.pack(published.built()[0], tmp_path_factory.mktemp("one"))


def test_a_second_packing_gives_the_same_bytes(packed, tmp_path):
    stranger = {**MACHINE, "TZ": "Asia/Kathmandu", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    again = published.pack(
        published.built()[0], tmp_path / "other", umask=0o077, environment=stranger
    )
    first, second = (hashlib.sha256(each.read_bytes()).hexdigest() for each in (packed, again))
    assert first == second


def test_nothing_in_it_is_compiled_and_no_path_of_this_machine_is_told(packed):
    with zipfile.ZipFile(packed) as opened:
        names = opened.namelist()
        assert not [name for name in names if name.endswith((".so", ".pyd", ".dylib", ".pyc"))]
        for name in names:
            if name.endswith((".json", ".txt", "METADATA", ".pth")):
                assert str(ROOT).encode() not in opened.read(name), name
    assert f"site-packages/smugmug_backup-{smugmug_backup.__version__}.dist-info/METADATA" in names


def test_the_newest_python_runs_it(packed, tool, tmp_path):
    ran = tool(_pythons()[-1], "-S", packed, "status", tmp_path, status=2)
    assert ran.stderr.startswith("error: ")


def _pythons():
    found = published.pythons()
    return [found[each] for each in sorted(found, key=lambda each: int(each.partition(".")[2]))]


def test_it_backs_up_checks_restores_and_makes_pages(packed, tool, tmp_path):
    """On the oldest Python, without what that one has installed (-S)."""
    program = (_pythons()[0], "-S", packed)
    backup, target, pages = tmp_path / "backup", tmp_path / "restored", tmp_path / "pages"
    assert tool(*program, "--version").stdout == f"smugmug-backup {smugmug_backup.__version__}\n"
    ran = json.loads(tool(*program, "run", backup, "--json").stdout)
    assert ran["status"] == "complete"
    checked = json.loads(tool(*program, "check", backup, "--read-data", "all", "--json").stdout)
    assert checked["status"] == "sound"
    # One photo of this account has no original at SmugMug, and is named.
    tool(*program, "restore", backup, target, "--yes", status=1)
    assert sums(backup / "originals") <= sums(target)
    tool(*program, "browse", backup, "--static", pages)
    assert (pages / "index.html").exists()


def test_a_python_that_is_too_old_is_told_in_one_sentence(monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("first", ROOT / ".ci" / "onefile_first.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    monkeypatch.setattr(sys, "version", "3.10.9 (main)")
    with pytest.raises(SystemExit) as end:
        spec.loader.exec_module(module)
    assert end.value.code == "smugmug-backup needs Python 3.11 or later; this is 3.10.9"


def test_it_keeps_every_aws_service_that_the_tool_calls():
    called = set()
    for path in (ROOT / "src" / "smugmug_backup").rglob("*.py"):
        called |= set(re.findall(r"client\(\s*\"([\w-]+)\"", path.read_text(encoding="utf-8")))
    assert {"s3", "cloudformation"} <= called
    assert called <= set(onefile.SERVICES)


def test_every_pin_is_read_with_its_hashes():
    text = (
        "# made\na-b==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\nc==2 ; x == 'y' \\\n"
    )
    text += "    --hash=sha256:02\n"
    assert dict(onefile._pins(text)) == {
        "a-b": "a-b==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n",
        "c": "c==2 ; x == 'y' \\\n    --hash=sha256:02\n",
    }


def test_all_that_the_tool_needs_is_pinned():
    pinned = dict(onefile._pins(onefile.REQUIREMENTS.read_text(encoding="utf-8")))
    asked = [*onefile.FALL_BACK, "jinja2", "werkzeug", "waitress", "apprise"]
    for name in ("requirements.in", "requirements-cli.in"):
        lines = (ROOT / "src" / name).read_text(encoding="utf-8").splitlines()
        asked += [re.split(r"[>=]", line)[0] for line in lines if line[:1].isalpha()]
    assert set(asked) <= pinned.keys()
    assert all("--hash=sha256:" in each for each in pinned.values())
