"""A catalog holds what its archive does, reads only what is new, and comes out the same anyhow."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from smugmug_backup.archive import keys


def reads(made, act):
    """The manifests that ``act`` reads."""
    asked = Counter()
    read = made.archive.store.read

    def counted(key):
        asked[key] += key.startswith("manifests/")
        return read(key)

    made.archive.store.read = counted
    try:
        act()
    finally:
        del made.archive.store.read
    return +asked


def test_it_has_every_image_of_every_album_live_and_gone(made):
    rows = made.ask("SELECT album_key, count(*), sum(gone) FROM images GROUP BY 1 ORDER BY 1")
    assert rows == [("alps", 5, 0), ("gone", 2, 2), ("harbour", 6, 1)]
    names = dict(made.ask("SELECT album_key, name FROM albums"))
    assert names["harbour"].endswith("Harbour & Quay 2024")


def test_versions_tell_what_became_of_an_image(made):
    first, second = (image.key for image in made.source.world["harbour"].images[:2])
    rows = made.ask(
        "SELECT what, caption, valid_until IS NULL FROM image_versions WHERE image_key = ? "
        "ORDER BY from_generation",
        first,
    )
    assert rows == [("new", None, 0), ("changed", "The old quay", 1)]
    whats = made.ask(
        "SELECT what, md5 FROM image_versions WHERE image_key = ? ORDER BY version_id", second
    )
    assert [what for what, _ in whats] == ["new", "replaced"]
    assert whats[0][1] != whats[1][1]
    left = made.ask("SELECT what FROM image_versions WHERE deleted_at IS NOT NULL")
    assert ("gone",) in left


def test_each_version_ends_where_the_next_begins(made):
    rows = made.ask(
        "SELECT album_key, image_key, from_generation, until_generation, valid_from, valid_until "
        "FROM image_versions ORDER BY album_key, image_key, from_generation"
    )
    for before, after in pairwise(rows):
        if before[:2] == after[:2]:
            assert (before[3], before[5]) == (after[2], after[4])
        else:
            assert before[3] is None


def test_a_second_update_reads_no_manifest(made):
    assert reads(made, made.update) == {}


def test_after_a_night_only_the_changed_album_is_read(made):
    made.source.touch(made.source.world["harbour"].images[0], caption="Newer")
    made.nights.next_night()
    updated = []
    read = reads(made, lambda: updated.append(made.update()))
    assert {keys.parse_manifest(key)[0] for key in read} == {"harbour"}
    assert updated[0].albums == 1 and updated[0].versions == 1


def test_step_by_step_or_at_once_it_comes_out_the_same(made, make):
    for night in range(6):
        images = made.source.world["harbour"].images
        made.source.touch(images[night % 3], caption=f"night {night}")
        if night == 2:
            images.pop()
        if night == 4:
            made.source.album("later", "Later", images=2)
        made.nights.next_night(full=night == 3)
        made.update()
    assert made.everything() == make(made.sample).everything()


def test_a_generation_that_is_damaged_is_passed_over_named_and_taken_up_once_it_is_repaired(made):
    for night in range(3):
        made.source.touch(made.source.world["harbour"].images[0], caption=f"night {night}")
        made.nights.next_night()
    numbers = made.archive.generations()["harbour"]
    key = keys.manifest("harbour", numbers[-2])
    whole = made.sample.store.objects[key]
    made.sample.store.objects[key] = whole.replace(b"night", b"NIGHT", 1)[:-5] + b"\n"
    before = made.ask("SELECT count(*) FROM image_versions")
    updated = made.update()
    assert keys.manifest("harbour", numbers[-2]) in updated.problems["harbour"]
    assert made.ask("SELECT count(*) FROM album_versions WHERE generation = ?", numbers[-2]) == [
        (0,)
    ]
    assert made.ask("SELECT problem IS NOT NULL FROM albums WHERE album_key = 'harbour'") == [(1,)]
    # Not tried at every call, and once a day again.
    made.sample.store.objects[key] = whole
    assert "harbour" in made.update().problems
    made.sample.clock.advance(days=1)
    assert "harbour" not in made.update().problems
    assert made.ask("SELECT count(*) FROM image_versions") > before


def test_a_manifest_that_is_another_than_its_successor_says_is_not_believed(made):
    for night in range(2):
        made.source.touch(made.source.world["harbour"].images[0], caption=f"night {night}")
        made.nights.next_night()
    number = made.archive.generations()["harbour"][-2]
    key = keys.manifest("harbour", number)
    body = made.sample.store.objects[key]
    assert b'"last_updated":"2026' in body
    made.sample.store.objects[key] = body.replace(b'"last_updated":"2026', b'"last_updated":"1926')
    assert key in made.update().problems["harbour"]


def test_the_archive_of_another_account_takes_the_place_of_all(made, make):
    other = make(made.sample)
    other.ask("UPDATE facts SET value = 'somebody' WHERE name = 'nickname'")
    other.ask("INSERT INTO problems VALUES ('x', 1, 'old', '2020-01-01T00:00:00Z')")
    other.update()
    assert other.everything() == made.everything()


def test_an_update_that_fails_leaves_the_catalog_as_it_was(made, monkeypatch):
    before = made.everything()
    made.source.touch(made.source.world["harbour"].images[0], caption="Newer")
    made.nights.next_night()
    monkeypatch.setattr(
        "smugmug_backup.catalog.update._facts", lambda *_: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        made.update()
    assert made.everything() == before


def test_runs_and_failures_are_there(made):
    rows = made.ask("SELECT status, failures FROM runs ORDER BY run_id")
    assert len(rows) == len(made.archive.runs()) and rows[-1][0] == "incomplete"
    assert rows[-1][1] == made.ask("SELECT count(*) FROM failures")[-1][0]
    assert all(re.match(r"\d{4}-", at) for (at,) in made.ask("SELECT ended_at FROM runs"))
