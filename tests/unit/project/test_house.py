"""The house: who may import whom, where a dependency's floor stands, which test tests what."""

import ast
import inspect
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from smugmug_backup.archive import keys
from tests.stack.package import OWNERS

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "smugmug_backup"
UNIT = ROOT / "tests" / "unit"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BIN = Path(sys.executable).parent

# -- who may import whom ---------------------------------------------------------------------------

CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("check/check.py", "import smugmug_backup.backup.run", "Arrows go down only"),
        ("storage/s3.py", "import smugmug_backup.smugmug.hosts", "Arrows go down only"),
        ("errors.py", "import smugmug_backup.archive.keys", "Arrows go down only"),
        ("attic.py", "", "Arrows go down only"),
        ("storage/s3.py", "import smugmug_backup.archive.keys", "An adapter knows the entrance"),
        ("cli/albums.py", "import smugmug_backup.storage.s3", "are made in wiring.py"),
        ("function/actions.py", "import smugmug_backup.restore.plan", "ships without"),
        ("backup/run.py", "import smugmug_backup.settings", "A room is told its options"),
        ("archive/manifest.py", "import threading", "archive/ has no threads"),
    ],
)
def test_an_import_that_goes_up_or_across_is_told_where_its_thing_belongs(
    tmp_path, module, line, contract
):
    shutil.copytree(SOURCE, tmp_path / "smugmug_backup", ignore=_caches)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with open(tmp_path / "smugmug_backup" / module, "a") as file:
        file.write(f"\n{line}\n")
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache", "--no-logo"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
    )
    broken = [each for each in done.stdout.splitlines() if "BROKEN" in each]
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(contract in each for each in broken), done.stdout


def _caches(folder, names):
    return [name for name in names if name == "__pycache__"]


def test_the_name_of_a_contract_is_a_sentence_and_its_exceptions_have_their_reasons():
    text = (ROOT / "pyproject.toml").read_text()
    for contract in CONTRACTS:
        assert len(contract["name"].split()) >= 8, contract["name"]
    for block in text.split("ignore_imports = [\n")[1:]:
        assert block.lstrip().startswith("#"), f"an exception without a reason: {block[:100]}"


def test_no_path_leads_from_the_function_to_a_room_that_is_not_shipped():
    (package,) = (each for each in CONTRACTS if each["id"] == "package")
    rooms = {f"smugmug_backup.{room}" for room in OWNERS if (SOURCE / room).is_dir()}
    assert set(package["forbidden_modules"]) >= rooms


@pytest.mark.parametrize("room", ["archive", "backup", "check", "restore", "keeping", "catalog"])
def test_what_a_core_room_must_not_know_is_told_where_it_belongs(room):
    banned = {"import boto3": "aws/", "import time": "a Clock", "import requests": "smugmug/"}
    banned |= {"import os": "settings.py", "import random": "wiring.py", "import logging": "tell"}
    said = _ruff("\n".join(banned), SOURCE / room / "module.py")
    for line, place in banned.items():
        assert any(f"`{line.split()[1]}` is banned" in each and place in each for each in said)


@pytest.mark.parametrize("place", ["storage/x.py", "function/x.py", "wiring.py", "words.py"])
def test_what_is_banned_in_the_core_is_at_home_elsewhere(place):
    assert not _ruff("import os\nimport boto3\nimport time", SOURCE / place)


def _ruff(text, path):
    done = subprocess.run(
        [
            *(BIN / "ruff", "check", "--no-cache", "--select", "TID251"),
            *("--output-format", "concise", "--stdin-filename", path, "-"),
        ],
        input=text + "\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return [line for line in done.stdout.splitlines() if "TID251" in line]


# -- what a store's files mean ---------------------------------------------------------------------

ASKS_THE_STORE = {
    "backup/originals.py": "streams originals into the store, and adopts what lies there",
    "backup/overflow.py": "notes of an overflow, which are no backup",
}
"""Outside archive/, and why."""
PENDING = ("check/", "cli/", "restore/")
"""Rooms that have still to learn it: take them out of here once they have."""

_STORE = {"read", "read_part", "open", "list", "head", "create", "upload"}
_ANYBODYS = {"run_id", "run_start", "plain", "extension", "album_of", "owners"}
_BUILDERS = {
    name
    for name, _ in inspect.getmembers(keys, inspect.isfunction)
    if name not in _ANYBODYS and not name.startswith(("parse_", "is_"))
}
_READERS = {"Manifest", "RunReport", "CheckReport", "Entry", "Header", "header_of", "lines_in"}


def _meddling(text):
    """What a module does that only archive/ should: it asks a store itself, builds a key, or reads
    a file's bytes as what they mean."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            whose, what = ast.unparse(node.func.value).rpartition(".")[2], node.func.attr
            asks = whose.strip("_") == "store" and what in _STORE
            builds = whose == "keys" and what in _BUILDERS
            reads = whose in _READERS and what in ("from_bytes", "from_json")
            if asks or builds or reads:
                yield f"{node.lineno}: {ast.unparse(node.func)}"
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {each.name for each in node.names}
            if node.module.endswith("archive.keys"):
                yield from (f"{node.lineno}: {name}" for name in names & _BUILDERS)
            elif ".archive." in node.module:
                yield from (f"{node.lineno}: {name}" for name in names & {"header_of", "lines_in"})


def test_nobody_outside_the_archive_asks_a_store_builds_a_key_or_opens_a_manifest():
    elsewhere = {
        str(path.relative_to(SOURCE)): list(_meddling(path.read_text()))
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] not in ("archive", "storage")
    }
    meddling = {name for name, found in elsewhere.items() if found}
    lost = {name for name in meddling if not name.startswith(PENDING)} - set(ASKS_THE_STORE)
    told = "; ".join(f"{name}:{elsewhere[name][0]}" for name in sorted(lost))
    assert not lost, f"ask `Archive` instead, or give it a method: {told}"
    assert set(ASKS_THE_STORE) <= meddling


@pytest.mark.parametrize(
    "line",
    [
        "self._store.read(key)",
        "context.archive.store.list('runs/')",
        "archive.store.create(key, b'')",
        "keys.manifest(album, 1)",
        "keys.directory(album)",
        "keys.report(run)",
        "Manifest.from_bytes(body, key=key)",
        "from smugmug_backup.archive.keys import original",
        "from smugmug_backup.archive.manifest import header_of",
    ],
)
def test_what_belongs_into_the_archive_is_seen(line):
    assert list(_meddling(line))


@pytest.mark.parametrize(
    "line",
    [
        "self.archive.newest(album)",
        "path.open()",
        "keys.plain(key)",
        "keys.is_id(text)",
        "keys.parse_manifest(key)",
        "AlbumState.from_json(data)",
        "from smugmug_backup.archive import keys",
        "from smugmug_backup.archive.manifest import Manifest",
    ],
)
def test_what_everybody_may_do_is_not(line):
    assert not list(_meddling(line))


# -- dependencies ----------------------------------------------------------------------------------

# What our code imports comes with these.
COMES_WITH = {"boto3": {"boto3", "botocore"}, "requests": {"requests", "urllib3"}}
COMES_WITH |= {"requests-oauthlib": {"requests_oauthlib", "oauthlib"}, "pillow": {"PIL"}}


def test_each_floor_stands_once_and_the_package_reads_it():
    files = PYPROJECT["tool"]["setuptools"]["dynamic"]["dependencies"]["file"]
    assert PYPROJECT["project"]["dynamic"] == ["version", "dependencies"]
    assert "dependencies" not in PYPROJECT["project"]
    assert files == ["src/requirements.in", "src/requirements-cli.in"]
    names = [each.name for file in files for each in _floors(file)]
    assert len(names) == len(set(names))


def test_the_floors_admit_what_is_shipped_and_what_sam_pins():
    # README.md installs the tool and aws-sam-cli, which pins its own boto3, into one environment.
    floors = {each.name: each.specifier for each in _floors("src/requirements.in")}
    for pins in ("src/requirements.txt", "tests/requirements-sam.txt"):
        for name, version in _pins(pins).items():
            if name in floors:
                assert floors[name].contains(version), f"{pins}: {name} {version}"


@pytest.mark.parametrize("owners", [True, False])
def test_what_is_imported_is_required(owners):
    """The function's rooms get by with requirements.in; `rich` is the owner's tool's alone, and so
    are the extras."""
    files = ["src/requirements.in"] + ["src/requirements-cli.in"] * owners
    names = {each.name for file in files for each in _floors(file)}
    extras = PYPROJECT["project"]["optional-dependencies"].values() if owners else ()
    names |= {Requirement(each).name for extra in extras for each in extra}
    allowed = {module for name in names for module in COMES_WITH.get(name, {name})}
    allowed = {module.replace("-", "_") for module in allowed} | sys.stdlib_module_names
    allowed |= {"smugmug_backup"}
    for path in SOURCE.rglob("*.py"):
        if owners or path.relative_to(SOURCE).parts[0] not in OWNERS:
            assert not set(_imported(path)) - allowed, path


def _floors(file):
    lines = (ROOT / file).read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def _pins(file):
    lines = (ROOT / file).read_text().splitlines()
    pins = [line.partition(";")[0].split() for line in lines if "==" in line]
    names = [words[0].partition("==") for words in pins]
    return {name.lower().replace("_", "-"): version for name, _, version in names}


def _imported(path):
    """The top-level names that a module imports, those for the type checker aside."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


# -- tests mirror the source -----------------------------------------------------------------------

NOT_OF_A_MODULE = {
    "archive/test_descriptions.py": "README.txt and FORMAT.md, against the schemas",
    "backup/test_clocks.py": "wrong clocks, each seen over whole runs",
    "backup/test_reports.py": "what reports say, seen over whole runs",
    "backup/test_rules.py": "the algorithm's rules, each seen over whole runs",
    "cli/test_loading.py": "what a whole process loads for a command",
    "cli/test_restore_for.py": "restore for the programs that people move to",
    "cli/test_run_killed.py": "kills whole processes that run a command",
    "cli/test_strange_world.py": "every command in every environment",
    "project/test_compare.py": "docs/compare.md",
    "project/test_house.py": "the import rules and requirements of pyproject.toml",
    "project/test_links.py": "what every page leads to",
    "project/test_readme.py": "README.md and the pages under docs/",
    "project/test_security.py": "SECURITY.md",
    "project/test_three_copies.py": "docs/three-copies.md, command by command",
    "template/test_alarms.py": "template.yaml",
    "template/test_overflow.py": "template.yaml",
    "template/test_policies.py": "template.yaml",
    "template/test_template.py": "template.yaml",
    "tools/test_mutants.py": "tests/proof/mutants.py",
}


def test_a_test_module_has_the_name_and_room_of_the_module_that_it_tests():
    lost = [
        str(test.relative_to(UNIT))
        for test in UNIT.rglob("test_*.py")
        if str(test.relative_to(UNIT)) not in NOT_OF_A_MODULE and not _tested(test)
    ]
    assert not lost, "rename them after their modules, or say in NOT_OF_A_MODULE what they test"
    assert all((UNIT / each).exists() for each in NOT_OF_A_MODULE)


def _tested(test):
    room, name = test.parent.relative_to(UNIT), test.stem.removeprefix("test_")
    homes = {"project": [ROOT / ".ci"], "tools": [ROOT / "tests" / "tools"]}
    folders = homes.get(str(room), [SOURCE / room, SOURCE / room / "commands"])
    return any((each / f"{name}.py").exists() or (each / name).is_dir() for each in folders)
