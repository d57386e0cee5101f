"""`smugmug-backup albums`."""

import sqlite3
from contextlib import closing

import pytest

from smugmug_backup.errors import Concerns, ListingIncomplete, StoreRefused
from smugmug_backup.storage.folder import FolderStore


def rows(ran):
    head, *lines = ran.out.splitlines()
    assert head.split("\t") == ["Album", "Images", "Size", "Listed", "State", "Key"]
    return [line.split("\t") for line in lines]


def test_every_album_has_a_line_with_its_key_last(shell, sample, folder):
    ran = shell("albums", folder)
    assert (ran.status, ran.err) == (0, "")
    assert rows(ran) == [
        [
            "Travel / Alps \u2014 \u5c71",
            "5",
            "55 B",
            "2026-11-28",
            "1 unavailable, 1 unverified",
            "alps",
        ],
        ["Travel / Harbour & Quay 2024", "5", "51 B", "2026-11-28", "1 pending", "harbour"],
        ["Travel / Old things", "2", "28 B", "2026-11-25", "gone 2026-11-27", "gone"],
    ]


def test_json_keeps_titles_as_smugmug_wrote_them(shell, sample, folder):
    titles = {each["album_key"]: each["title"] for each in shell("albums", folder, "--json").json}
    assert titles["harbour"] == "Harbour &amp; Quay 2024"


def test_the_reports_are_enough_while_they_know_the_newest_generations(
    shell, sample, folder, monkeypatch
):
    seen = read_of(monkeypatch)
    assert shell("albums", folder).status == 0
    assert seen and not [key for key in seen if key.startswith("manifests/")]


def test_what_no_report_knows_is_read_from_its_manifest(shell, sample, folder, monkeypatch):
    (folder / sample.nights.reports[-1].key).unlink()
    seen = read_of(monkeypatch)
    ran = shell("albums", folder)
    assert ran.status == 0
    assert rows(ran)[1][4] == "1 pending"
    assert {key.split("/")[1] for key in seen if key.startswith("manifests/")} == {"harbour"}


def read_of(monkeypatch):
    """The keys that are read from now on."""
    seen = []
    read = FolderStore.read
    monkeypatch.setattr(
        FolderStore, "read", lambda store, key: seen.append(key) or read(store, key)
    )
    return seen


# -- beside a catalog -----------------------------------------------------------------------------


def test_albums_and_images_say_what_a_catalog_of_the_same_store_says(
    shell, sample, folder, tmp_path
):
    shell("catalog", folder, tmp_path / "photos.sqlite")
    with closing(sqlite3.connect(tmp_path / "photos.sqlite")) as db:
        db.row_factory = sqlite3.Row
        albums = list(db.execute("SELECT * FROM albums ORDER BY album_key"))
        images = list(
            db.execute(
                "SELECT * FROM image_versions WHERE until_generation IS NULL "
                "ORDER BY album_key, image_key"
            )
        )
    fields = (
        *("album_key", "generation", "bytes", "listed_at", "missing_since", "deleted_at"),
        *("pending", "unavailable", "unverified"),
    )
    listed = sorted(shell("albums", folder, "--json").json, key=lambda each: each["album_key"])
    assert [[each[name] for name in (*fields, "images")] for each in listed] == [
        [each[name] for name in (*fields, "image_count")] for each in albums
    ]
    said = []
    for album in listed:
        lines = shell("images", folder, album["album_key"], "--json").json["images"]
        for each in sorted(lines, key=lambda each: each["image_key"]):
            original = each["original"]
            same = (each[name] for name in ("image_key", "position", "fingerprint", "deleted_at"))
            said.append([*same, original["status"], original["key"], bool(original["verified"])])
    assert said == [
        [
            *(each["image_key"], each["position"], each["fingerprint"], each["deleted_at"]),
            *(each["status"], each["key"], bool(each["verified"])),
        ]
        for each in images
    ]


def test_what_they_ask_of_a_store_is_one_report_one_manifest_and_a_few_listings(
    shell, sample, folder, monkeypatch
):
    """So they answer at once on S3 as they are; only to learn that a catalog is up to date would
    take as much."""
    for number in range(20):
        sample.source.album(f"more{number}", images=3)
    sample.nights.next_night()
    seen, listings = read_of(monkeypatch), []
    list_ = FolderStore.list
    monkeypatch.setattr(
        FolderStore,
        "list",
        lambda store, *words, **more: listings.append(words) or list_(store, *words, **more),
    )
    report = sample.nights.reports[-1]
    assert shell("albums", folder).status == 0
    assert seen == [report.key] and len(listings) <= 4
    seen.clear()
    assert shell("images", folder, "more7").status == 0
    assert [key.split("/")[0] for key in seen] == ["runs", "manifests"]


# -- one album that is broken hides no other -----------------------------------------------------


def test_a_damaged_newest_version_is_named_and_the_one_before_is_told(shell, sample, folder):
    for report in sample.nights.reports[-2:]:
        (folder / report.key).unlink()
    newest = max((folder / "manifests" / "harbour").iterdir())
    newest.write_bytes(b"")
    ran = shell("albums", folder)
    assert ran.status == 1
    assert [row[5] for row in rows(ran)] == ["alps", "harbour", "gone"]
    assert rows(ran)[1][4].startswith("damaged")
    assert ran.err.startswith("problem: Travel / Harbour & Quay 2024: manifests/harbour/")


def refusing(monkeypatch, *begins):
    """A disk on which files that begin so cannot be read, nor their folders be looked into."""
    read, list_ = FolderStore.read, FolderStore.list

    def refused(key):
        return any(key.startswith(each) for each in begins)

    def read_or_refuse(store, key):
        if refused(key):
            raise StoreRefused(f"{key} cannot be read: Permission denied", concerns=Concerns.OBJECT)
        return read(store, key)

    def list_the_rest(store, prefix, **more):
        closed = [each for each in begins if each.startswith(prefix) or prefix.startswith(each)]
        for each in list_(store, prefix, **more):
            if not refused(each.key):
                yield each
        if closed:
            raise ListingIncomplete(f"{closed[0]} cannot be listed", keys=tuple(closed))

    monkeypatch.setattr(FolderStore, "read", read_or_refuse)
    monkeypatch.setattr(FolderStore, "list", list_the_rest)


@pytest.mark.parametrize("command", ["albums", "status", "images", "diff"])
def test_a_folder_that_is_closed_hides_what_is_in_it_and_nothing_else(
    shell, sample, folder, command, monkeypatch
):
    refusing(monkeypatch, "manifests/harbour/")
    more = {"images": ["alps"], "diff": ["2026-11-24", "latest"]}.get(command, [])
    ran = shell(command, folder, *more)
    assert ran.status == (0 if command == "images" else 1)
    if command != "images":
        assert "manifests/harbour/" in ran.out + ran.err
    assert "error" not in ran.err
    assert {"albums": "\talps", "status": "complete", "images": "no_md5.jpg", "diff": "(gone)"}[
        command
    ] in ran.out


def test_a_newest_report_that_is_closed_is_passed_over(shell, sample, folder, monkeypatch):
    refusing(monkeypatch, sample.nights.reports[-1].key)
    ran = shell("status", folder)
    assert ran.status == 1 and ran.out.startswith("complete   yes, as of 2026-11-27")
    assert f"{sample.nights.reports[-1].key} cannot be" in ran.out


def test_where_everything_is_closed_nothing_is_made_up(shell, sample, folder, monkeypatch):
    def refuse(store, key):
        raise StoreRefused(f"{key} cannot be read: Permission denied")

    monkeypatch.setattr(FolderStore, "read", refuse)
    for command in ("status", "albums"):
        ran = shell(command, folder)
        assert ran.status == 2 and "Permission denied" in ran.err and ran.out == ""


def test_the_example_of_the_help_runs(shell, sample, folder):
    line = shell("albums", "--help").out.strip().splitlines()[-1]
    assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 0
