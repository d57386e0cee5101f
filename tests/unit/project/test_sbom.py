"""What is said to be in what is published is what is in it."""

import json
import subprocess
import zipfile

import pytest

from tests.tools.readme import ROOT
from tests.tools.scripts import script

sbom = script("sbom")
SOURCE = ROOT / "src"
PYTHON = ROOT / ".venvs" / "publish" / "bin" / "python"
PUBLISH = pytest.mark.skipif(not PYTHON.exists(), reason=".venvs/publish: make lint")


def locked(requirements):
    """Name, version and hashes of each pin of a file."""
    words = requirements.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    lines = [line.split() for line in words if "==" in line]
    return sorted(
        (*pin.split("=="), *sorted(each[14:] for each in rest if each.startswith("--hash=sha256:")))
        for pin, *rest in lines
    )


def components(bom):
    """The same of a BOM."""
    return sorted(
        (
            each["name"],
            each["version"],
            *sorted(
                hashed["content"]
                for reference in each["externalReferences"]
                for hashed in reference.get("hashes", ())
            ),
        )
        for each in bom["components"]
    )


@pytest.fixture
def in_publish(monkeypatch):
    """The script's commands, by the interpreter that has cyclonedx-py."""
    monkeypatch.setattr(sbom.sys, "executable", str(PYTHON))


@PUBLISH
@pytest.mark.parametrize("name", ["requirements.txt", "requirements-tool.txt"])
def test_a_bom_is_what_is_locked_each_with_its_hashes_and_nothing_of_the_day(
    tmp_path, in_publish, name
):
    path = tmp_path / "bom.json"
    sbom.write(SOURCE / name, ROOT / "pyproject.toml", path)
    bom = json.loads(path.read_bytes())
    pins = locked(SOURCE / name)
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["name"] == "smugmug-backup"
    assert components(bom) == pins
    assert len(pins) > 10
    assert all(len(row) >= 3 and {len(each) for each in row[2:]} == {64} for row in pins)
    assert sbom.pinned((SOURCE / name).read_text(encoding="utf-8")).keys() == {
        row[0].lower().replace("_", "-") for row in pins
    }
    # The same requirements give the same bytes.
    assert "serialNumber" not in bom and "timestamp" not in bom["metadata"]


def test_what_is_in_the_zipapp_is_read_from_it(tmp_path):
    path = tmp_path / sbom.ZIPAPP
    path.write_bytes(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(path, "a") as packed:
        for name, version in (("rich", "15.0.0"), ("smugmug-backup", "0.1.0"), ("six", "1.17.0")):
            packed.writestr(
                f"site-packages/{name.replace('-', '_')}-{version}.dist-info/METADATA",
                f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nName: not this\n",
            )
        packed.writestr("site-packages/rich/x.dist-info.py", "")
        packed.writestr("site-packages/rich/_vendor/y-1.dist-info/METADATA", "Name: y\n")
    assert sbom.packed(path) == {"rich": "15.0.0", "six": "1.17.0"}
    pins = "rich==15.0.0 \\\n    --hash=sha256:0\nSix==1.17.0\n# y==1\n"
    assert sbom.difference(sbom.pinned(pins), sbom.packed(path)) == []
    elsewhere = pins + "tzdata==1 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n"
    assert sbom.pinned(elsewhere).keys() == {"rich", "six", "tzdata"}
    assert sbom.pinned(sbom.without_conditions(elsewhere)) == sbom.pinned(pins)


def test_whatever_is_packed_and_not_pinned_or_the_other_way_round_is_named():
    told = sbom.difference({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"})
    assert told == [
        "b: 2 is pinned, 9 is packed",
        "c: 3 is pinned, nothing is packed",
        "d: nothing is pinned, 4 is packed",
    ]


@PUBLISH
def test_without_what_is_published_it_says_what_makes_it(tmp_path):
    (tmp_path / ".ci").mkdir()
    copied = tmp_path / ".ci" / "sbom.py"
    copied.write_text((ROOT / ".ci" / "sbom.py").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([PYTHON, copied], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "sbom: there is no dist/smugmug-backup.pyz; `make zipapp` makes it"
    ]
