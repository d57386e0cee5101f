"""A store of an older format is read and continued; one of a newer format is refused, and so is one
of the form that was never released (``earlier``)."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from smugmug_backup.archive import manifest, report
from smugmug_backup.archive.keys import run_start
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.errors import EarlierForm, FormatTooNew
from smugmug_backup.storage.location import open_store
from tests.tools.cli import Shell
from tests.tools.clock import FakeClock
from tests.tools.fake_source import SECRET, FakeSource
from tests.tools.independent_reader import assert_sound
from tests.tools.nights import Nights

HERE = Path(__file__).parent
VERSIONS = sorted(HERE.glob("version-*"))


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def kept(request, tmp_path):
    """A copy of a kept store."""
    return Path(shutil.copytree(request.param, tmp_path / "store"))


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path):
    return Shell(capsys, monkeypatch, tmp_path / "home")


def after(kept: Path) -> FakeClock:
    """A clock a day after the store's newest run."""
    newest = max(path.stem for path in kept.glob("runs/*/*/*.json"))
    return FakeClock(run_start(newest) + timedelta(days=1))


BESIDE = (".json", ".xmp", ".csv")
"""What a restore writes that is no original."""


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_there_is_a_store_of_every_version_so_far():
    versions = max(manifest.VERSION, report.VERSION)
    assert [path.name for path in VERSIONS] == [f"version-{n}" for n in range(1, versions + 1)]


def test_it_is_sound_and_all_of_it_is_proved_by_its_seal(kept):
    reading = assert_sound(kept, allow=(), secrets=[SECRET.encode()])
    assert reading.proved == set(reading.files)


def test_the_owners_tool_finds_it_sound_and_restores_it(kept, tmp_path, shell):
    assert shell("check", str(kept), "--read-data", "all").status == 0
    restored = tmp_path / "restored"
    shell("restore", str(kept), str(restored), "--with-gone")
    originals = {path.read_bytes() for path in kept.glob("originals/*/*.*")}
    came = {path.read_bytes() for path in restored.rglob("*.*") if path.suffix not in BESIDE}
    assert came
    assert came <= originals


def test_a_new_run_goes_on_and_touches_nothing_that_is_there(kept):
    before = files(kept)
    clock = after(kept)
    source = FakeSource(clock)
    source.album("hT4mWq", "Harbour &amp; Quay 2024", images=5)
    source.album("alps", "Alps \u2014 \u5c71", images=5)
    nights = Nights(source, open_store(str(kept), create=True), clock)
    generation = nights.manifest("hT4mWq").header.generation
    assert nights.run().status == "complete"
    assert nights.manifest("hT4mWq").header.generation == generation + 1
    now = files(kept)
    assert {name: now[name] for name in before} == before
    reading = assert_sound(kept)
    assert len(reading.seal) == 1
    # Nothing vouches for a page: it is made from the report.
    assert {
        key for key in set(reading.files) - reading.proved if not key.endswith(".html")
    } == set()


@pytest.mark.parametrize("without", ["", "runs", "manifests"])
def test_the_earlier_form_is_refused_in_one_sentence_and_left_as_it_is(tmp_path, without):
    kept = Path(shutil.copytree(HERE / "earlier", tmp_path / "store"))
    if without:
        shutil.rmtree(kept / without)
    before = files(kept)
    clock = after_any(kept)
    source = FakeSource(clock)
    source.album("harbour", images=1)
    with pytest.raises(EarlierForm, match=r"^[^.]*preview[^.]*(\.jsonl?[^.]*)?$"):
        Nights(source, open_store(str(kept)), clock).run()
    assert files(kept) == before


def made_newer(kept: Path, what: str) -> None:
    later = README_TEXT.replace("this description, 1", "this description, 99")
    (kept / "README.2.txt").write_text(later)
    paths = kept.glob("manifests/*/*.jsonl" if what == "manifest" else "runs/*/*/*.json")
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":99', 1))
    if what == "manifest":
        for path in kept.glob("runs/*/*/*.json"):
            path.unlink()


@pytest.mark.parametrize("newer", ["manifest", "report"])
def test_a_newer_format_is_refused_with_a_message_before_anything_is_written(kept, newer):
    made_newer(kept, newer)
    before = files(kept)
    clock = after_any(kept)
    source = FakeSource(clock)
    source.album("hT4mWq", images=1)
    with pytest.raises(FormatTooNew, match="install a newer"):
        Nights(source, open_store(str(kept)), clock).run()
    assert files(kept) == before


@pytest.mark.parametrize("newer", ["manifest", "report"])
def test_the_owners_tool_says_that_the_format_is_newer(kept, newer, shell):
    made_newer(kept, newer)
    assert "newer" in shell("status", str(kept)).err


def after_any(kept: Path) -> FakeClock:
    return after(kept) if list(kept.glob("runs/*/*/*.json")) else FakeClock()
