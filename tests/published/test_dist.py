"""What is published: the same bytes from the same tree, all that is needed and nothing else."""

import email
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import zipfile

import pytest
from packaging.requirements import Requirement

import smugmug_backup
from tests.stack.environment import MACHINE, ROOT
from tests.tools import wheel as published
from tests.tools.readme import README

dist = published.loaded("dist")


@pytest.fixture(scope="module")
def wheel():
    with zipfile.ZipFile(published.built()[0]) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (each for each in wheel.namelist() if each.endswith("dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The sdist as a stranger unpacks it: other times, other modes, no checkout."""
    folder = tmp_path_factory.mktemp("another place")
    with tarfile.open(published.built()[1]) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    for at, each in enumerate(tree.rglob("*")):
        each.chmod(0o700 if each.stat().st_mode & 0o100 else 0o600)
        os.utime(each, (1e9 + at, 1e9 + at))
    return tree


def tracked():
    if not (ROOT / ".git").exists():
        return dist.tracked(ROOT)
    command = ["git", "-C", ROOT, "ls-files"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).exists()]


def test_a_second_build_elsewhere_gives_the_same_bytes(unpacked, tmp_path):
    """From the sdist, in another folder, by another user in another zone: wheel and sdist."""
    stranger = {**MACHINE, "TZ": "Asia/Kathmandu", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    stranger |= {"HOME": str(tmp_path), "PYTHONHASHSEED": "7"}
    again = published.build(unpacked, tmp_path / "dist", umask=0o077, environment=stranger)
    for first, second in zip(published.built(), again, strict=True):
        assert first.name == second.name
        assert _sum(first) == _sum(second), first.name


def _sum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_sdist_holds_all_that_is_tracked(unpacked):
    assert dist.tracked(unpacked) == sorted(tracked())


def test_what_is_made_in_a_tree_that_is_no_checkout_is_not_published(tmp_path):
    for name in ("src/a.py", "src/__pycache__/a.pyc", ".venvs/dev/x", "build/x", "x.egg-info/y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert dist.tracked(tmp_path) == ["src/a.py"]


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    home = "src/"
    package = {name.removeprefix(home) for name in tracked() if name.startswith(f"{home}smugmug_")}
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == package
    assert "smugmug_backup/py.typed" in found


def test_the_metadata_is_what_an_index_asks_for(metadata):
    assert metadata["Name"] == "smugmug-backup"
    assert metadata["Version"] == smugmug_backup.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert {"keyring", "browse", "embed", "notify", "all"} == {*metadata.get_all("Provides-Extra")}
    urls = dict(each.split(", ") for each in metadata.get_all("Project-URL"))
    assert urls.keys() == {"Repository", "Documentation", "Changelog", "Issues"}
    assert all(each.startswith(urls["Repository"]) for each in urls.values())


def test_all_is_all_extras(metadata):
    extras = {*metadata.get_all("Provides-Extra")} - {"all"}
    wanted = [Requirement(each) for each in metadata.get_all("Requires-Dist")]
    (whole,) = (each for each in wanted if str(each.marker) == 'extra == "all"')
    assert (whole.name, whole.extras) == ("smugmug-backup", extras)


def test_no_link_of_the_readme_is_broken_on_an_index(metadata):
    shown = metadata.get_payload(decode=True).decode()
    assert shown.count("\n") == README.read_text(encoding="utf-8").count("\n")
    links = re.findall(r"\]\(([^)\s]+)\)", shown) + re.findall(r'src(?:set)?="([^"]*)"', shown)
    assert len(links) > 20
    assert all(each.startswith("https://") for each in links)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[a](docs/tool.md#a)", "[a](https://host/us/blob/v1/docs/tool.md#a)"),
        ("[a](#words)", "[a](https://host/us/blob/v1/README.md#words)"),
        ('<img src="docs/a.png">', '<img src="https://host/us/raw/v1/docs/a.png">'),
        ('<source srcset="docs/a.png">', '<source srcset="https://host/us/raw/v1/docs/a.png">'),
        ("[a](https://elsewhere/b)", "[a](https://elsewhere/b)"),
        ("x\n```\n[a](b)\n```\ny\n", "x\n```\n[a](b)\n```\ny\n"),
    ],
)
def test_a_link_of_the_readme_leads_into_the_repository(written, shown):
    assert dist.readme_for_index(written, "https://host/us", "v1") == shown


def test_the_sums_are_those_that_sha256sum_checks(tmp_path):
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    dist.write_sums(tmp_path)
    dist.write_sums(tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert lines == [f"{hashlib.sha256(each.encode()).hexdigest()}  {each}" for each in "ab"]


def test_a_build_that_fails_says_why(tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text().replace('license = "MIT"', 'license = "no such thing"'))
    with pytest.raises(AssertionError, match=r"DistError: the build failed[\s\S]*no such thing"):
        published.build(tmp_path, tmp_path / "dist")
