"""The page that compares: each claim has its evidence, and what was tried here can be repeated."""

import json
import re
import subprocess
import sys

import pytest

from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.tools.readme import DOCS, ROOT, text_of

TEXT = text_of(DOCS / "compare.md")
CLAIMS, _, EVIDENCE = TEXT.partition("## How it was found out")
MARK = r"\b[TSDI]\d+\b"


def test_every_mark_leads_to_its_evidence_and_no_evidence_is_unused():
    used = set(re.findall(rf"\[({MARK})\]", CLAIMS))
    told = re.findall(rf"^\| ({MARK}) \|", EVIDENCE, re.MULTILINE)
    assert len(told) == len(set(told)) > 20
    assert used == set(told)


def test_of_the_others_no_cell_is_from_memory():
    rows = [line for line in CLAIMS.splitlines() if line.startswith("| **")]
    assert len(rows) > 15
    for row in rows:
        # Of SmugMug's own pages, the last one, what follows from a download by hand needs no mark.
        for cell in row.split("|")[3:-2]:
            assert re.search(rf"\[{MARK}\]|not known", cell), (row[:30], cell)


def test_it_says_first_what_is_not_tried_and_what_others_do_better():
    assert "never met a real SmugMug account" in CLAIMS[:1500]
    assert "## What the others do better" in CLAIMS


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """The files of gallery-dl before and after a photo was replaced, one deleted and one damaged
    (by what was done), and after it was asked for metadata."""
    folder = tmp_path_factory.mktemp("gallery")
    world = World(generate_account(seed=3, albums=1, images=4))
    with LocalSmugMug(world) as smugmug:
        secret = world.account.secret()
        names = ("api_key", "api_secret", "access_token", "access_token_secret")
        options = {name.replace("_", "-"): secret[name] for name in names}
        settings = tmp_path_factory.mktemp("settings") / "gallery-dl.json"
        settings.write_text(
            json.dumps({"extractor": {"smugmug": options, "base-directory": str(folder)}})
        )

        def run(*more):
            subprocess.run(
                [
                    *(sys.executable, "-m", "tests.bench.gallery", smugmug.url),
                    *("--config-ignore", "-c", settings, "-q", *more),
                    f"https://{world.account.nickname}.smugmug.com/",
                ],
                cwd=ROOT,
                check=True,
            )
            return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

        before = run()
        named = {key: name for name in before for key in _keys(world) if f"_{key}." in name}
        replaced, deleted, damaged, _ = named
        world.replace(replaced)
        world.delete(deleted)
        (path,) = folder.rglob(named[damaged])
        path.write_bytes(b"damaged")
        return before, run(), run("--write-metadata"), [named[replaced], named[deleted], path.name]


def _keys(world):
    (album,) = world.account.albums
    return [image.key for image in world.listed(world.album(album))]


def test_t1_gallery_dl_notices_neither_a_replaced_photo_nor_a_damaged_file(tried):
    before, after, _, (replaced, _, damaged) = tried
    assert len(before) == 4
    assert after[replaced] == before[replaced]
    assert after[damaged] == b"damaged"


def test_t2_gallery_dl_keeps_a_photo_that_was_deleted(tried):
    before, after, _, (_, deleted, _) = tried
    assert after[deleted] == before[deleted]
    assert after.keys() == before.keys()


def test_t3_gallery_dl_writes_no_metadata_for_what_was_there_before(tried):
    _, after, asked, _ = tried
    assert asked.keys() == after.keys()
