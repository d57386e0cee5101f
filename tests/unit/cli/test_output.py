"""``--json``: one document, whatever happens, as the schema says; errors, too."""

import copy
import io
import json
import shutil
import sys
from importlib import import_module
from importlib.resources import files

import jsonschema
import pytest
from referencing import Registry, Resource

from smugmug_backup.archive.schemas import load
from smugmug_backup.cli.commands import authorize
from smugmug_backup.cli.main import COMMANDS
from smugmug_backup.cli.output import make_console
from smugmug_backup.cli.progress import RunProgress
from smugmug_backup.errors import SourceUnavailable
from smugmug_backup.model import Account, Album
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.tools import json_page
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.nights import Nights

SCHEMA = json.loads(
    (files("smugmug_backup.cli") / "output.schema.json").read_text(encoding="utf-8")
)
OURS = {"run-report", "manifest-header", "manifest-line", "drill-report"}


def closed(schema):
    """``schema`` with each object whose fields it names closed to others: a new one has to be
    described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if "properties" in schema and "required" in schema and schema["required"] != ["images"]:
        made.setdefault("additionalProperties", False)
    return made


def wrong(name, document):
    """What is wrong with it by the schema of a command, or nothing."""
    strict = closed(copy.deepcopy(SCHEMA))
    registry = Registry().with_resources(
        (f"{each}.schema.json", Resource.from_contents(load(each))) for each in OURS
    )
    registry = registry.with_resource("output.schema.json", Resource.from_contents(strict))
    validator = jsonschema.Draft202012Validator(
        {"$ref": f"output.schema.json#/$defs/{name}"}, registry=registry
    )
    return [error.message for error in validator.iter_errors(document)]


def test_every_command_has_its_schema_and_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(COMMANDS) <= SCHEMA["$defs"].keys()


@pytest.mark.parametrize(
    "words",
    [
        ["status", "HERE"],
        ["status", "HERE", "--healthy"],
        ["albums", "HERE"],
        ["images", "HERE", "harbour"],
        ["images", "HERE", "gone"],
        ["check", "HERE"],
        ["check", "HERE", "--read-data", "all"],
        ["restore", "HERE", "THERE"],
        ["restore", "HERE", "THERE", "--list-archived"],
        ["diff", "HERE", "2026-11-24", "latest"],
        ["find", "HERE", "DSC"],
        ["find", "HERE", "--taken", "2019..2030", "--past"],
        ["catalog", "HERE", "THERE"],
        ["letter", "HERE", "THERE"],
        ["browse", "HERE", "--static", "THERE"],
        ["copy", "HERE", "THERE"],
        ["copy", "HERE", "THERE", "--dry-run"],
        ["repair", "HERE", "--from", "COPY"],
        ["completion", "bash"],
        ["man"],
    ],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_what_a_command_prints_is_as_the_schema_says(
    shell, sample, folder, tmp_path, words, damaged
):
    if damaged:
        for number, path in enumerate(sorted(folder.rglob("*"))):
            if path.is_file() and number % 4 == 0:
                path.chmod(0o644)
                path.write_bytes(path.read_bytes()[:20])
    places = {"HERE": str(folder), "THERE": str(tmp_path / "there"), "COPY": f"{folder}-copy"}
    if "COPY" in words:
        shutil.copytree(folder, places["COPY"])
    ran = shell(*[places.get(word, word) for word in words], "--json")
    name = "error" if "error" in ran.json and ran.status == 2 else words[0]
    assert not wrong(name, ran.json), ran.json


@pytest.fixture
def account(source, monkeypatch):
    """`run` backs up this one."""
    from contextlib import contextmanager

    from smugmug_backup.backup.run import Options
    from smugmug_backup.cli.commands import run
    from smugmug_backup.storage.location import open_store

    @contextmanager
    def parts(args):
        store = open_store(args.location, create=True)
        yield run.Parts(source, store, source.clock, Options(concurrency=2))

    monkeypatch.setattr(run, "build_parts", parts)
    return source


def test_a_run_and_its_dry_run_are_as_the_schema_says(shell, account, tmp_path):
    key = account.world["A2"].images[0].key
    account.errors[f"photo:{key}"] = SourceUnavailable("the photo host did not answer")
    for words in (["--dry-run"], [], ["--album", "A1"]):
        ran = shell("run", tmp_path / "b", "--json", *words)
        assert not wrong("run", ran.json), ran.json


def test_what_a_schedule_made_is_as_the_schema_says(shell, account, tmp_path):
    words = ("--at", "03:00", "--nights", "1", "--json")
    ran = shell("schedule", tmp_path / "b", *words)
    assert ran.status == 0 and not wrong("schedule", ran.json), ran.json
    account.errors["account"] = SourceUnavailable("SmugMug did not answer")
    ran = shell("schedule", tmp_path / "c", *words)
    assert ran.status == 1 and not wrong("schedule", ran.json), ran.json


def test_what_was_forgotten_is_as_the_schema_says(shell, sample, folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("i000003\n"))
    ran = shell("forget", folder, "i000003", "--json")
    assert ran.status == 0 and not wrong("forget", ran.json), ran.json


def test_what_authorize_stored_is_as_the_schema_says(shell, tmp_path, monkeypatch):
    class Asked:
        def account(self, *, deadline):
            return Account("larkfield", "public")

    monkeypatch.setattr(authorize, "build_source", lambda *_, **__: Asked())
    monkeypatch.setenv("SMUGMUG_SITE_PASSWORD", "")
    words = ("--anonymous", "--api-key", "k", "--nickname", "larkfield")
    ran = shell("authorize", "--json", *words, "--secret", f"file:{tmp_path}/secret")
    assert ran.status == 0 and not wrong("authorize", ran.json), ran.err


@pytest.mark.parametrize(
    "words",
    [
        ["status", "/none", "--json"],
        ["status", "--jso", "/none"],
        ["run", "--json"],
        ["--json"],
        ["restore", "/none", "/none/x", "--threads", "0", "--json"],
        ["nonsense", "--json"],
    ],
)
def test_an_error_is_a_document_too_and_one_alone(shell, words):
    ran = shell(*words)
    assert ran.status == 2
    assert not wrong("error", ran.json)
    assert ran.err.startswith("error: ") and ran.json["error"]["message"] in ran.err


def test_what_is_said_before_an_error_is_the_only_document(
    shell, sample, folder, tmp_path, monkeypatch
):
    """A restore that breaks off has told what it did."""
    restore = import_module("smugmug_backup.cli.commands.restore")
    perform = restore._perform

    def breaks_off(*args):
        result = perform(*args)
        result.error = restore.TargetUnusable("the disk is gone")
        return result

    monkeypatch.setattr(restore, "_perform", breaks_off)
    ran = shell("restore", folder, tmp_path / "there", "--json")
    assert ran.status == 2 and ran.json["error"] == "the disk is gone"
    assert not wrong("restore", ran.json)


def test_the_page_about_it_is_made_from_the_schema():
    assert json_page.PAGE.read_text(encoding="utf-8") == json_page.page(SCHEMA), (
        "python -m tests.tools.json_page"
    )


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
def test_a_terminal_that_is_said_to_have_no_size_shows_all_the_same(monkeypatch, name):
    monkeypatch.setenv(name, "0")
    monkeypatch.setattr(sys, "stderr", Screen())
    make_console(stderr=True).print("error: something")
    assert "error: something" in sys.stderr.getvalue()


# -- words of the account --------------------------------------------------------------------------

HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\re\x07f\u2066g\u061ch"
"""Clears the screen, writes in red, runs backwards, goes over what stands there, rings."""
DRIVES = set("\x1b\x9b\u202e\r\x07\u2066\u061c")


@pytest.fixture
def hostile(shell, folder):
    """A backup whose account writes such words wherever it can."""
    source = FakeSource(FakeClock())
    source.album("A1", f"quay {HOSTILE}")
    for name in ("first", "second"):
        source.upload(
            "A1",
            file_name=f"{name} {HOSTILE}.jpg",
            caption=f"harbour {HOSTILE}\ntwo\tlines",
            keywords=f"boats {HOSTILE}",
            has_md5=False,
        )
    source.upload("A1", file_name=f"none {HOSTILE}.jpg", has_url=False)
    nights = Nights(source, open_store(Location.parse(str(folder)), create=True), source.clock)
    nights.run()
    source.touch(source.world["A1"].images[0], caption=f"the old harbour {HOSTILE}")
    source.world["A1"].title = f"the quay {HOSTILE}"
    nights.next_night(full=True)
    shell.at(source.clock)
    return source


@pytest.mark.parametrize("terminal", [False, True], ids=["a pipe", "a terminal"])
@pytest.mark.parametrize(
    "words",
    [
        ["find", "HERE", "harbour"],
        ["find", "HERE", "harbour", "--past"],
        ["find", "HERE", "--album", "no such"],
        ["albums", "HERE"],
        ["images", "HERE", "A1"],
        ["diff", "HERE", "2026-11-24", "latest"],
        ["status", "HERE"],
        ["check", "HERE", "--read-data", "all"],
        ["restore", "HERE", "THERE"],
        ["browse", "HERE", "--static", "THERE"],
        ["catalog", "HERE", "THERE"],
        ["letter", "HERE", "THERE"],
        ["forget", "HERE", "i000002"],
    ],
    ids=" ".join,
)
def test_what_the_account_says_cannot_drive_a_terminal(
    shell, hostile, folder, tmp_path, monkeypatch, words, terminal
):
    places = {"HERE": str(folder), "THERE": str(tmp_path / "there")}
    monkeypatch.setenv("TERM", "dumb")  # What is left of controls is not our own.
    monkeypatch.setattr(sys, "stdin", io.StringIO("no\n"))
    if terminal:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ran = shell(*[places.get(word, word) for word in words])
    assert not DRIVES & {*ran.out, *ran.err}


def test_a_caption_of_two_lines_is_one_line_of_a_table_and_exact_as_json(shell, hostile, folder):
    table = shell("find", folder, "boats").out.splitlines()
    assert len(table) == 3 and {line.count("\t") for line in table} == {5}
    assert "two lines" in table[2]
    found = shell("find", folder, "boats", "--json").json["images"]
    assert any(
        "\u202e" in each["caption"] and each["caption"].endswith("\ntwo\tlines") for each in found
    )
    named = shell("images", folder, "A1", "--json").json["images"]
    assert {f"{each} {HOSTILE}.jpg" for each in ("first", "second", "none")} == {
        each["file_name"] for each in named
    }


def test_what_is_going_on_is_told_without_controls(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "dumb")
    progress = RunProgress(make_console(stderr=True), debug=True)
    progress.noted(HOSTILE)
    progress.defect(Album("A1", 1, "", (), 0, {}, ()), ValueError(HOSTILE))
    said = sys.stderr.getvalue()
    assert "ValueError: a" in said and not DRIVES & {*said}
