"""`smugmug-backup restore` for other programs: --for, --images, --gone, --embed, --bag, tables."""

import csv
import io
import sys

import bagit
import pytest

from smugmug_backup.storage.location import open_store
from tests.tools import fake_s3 as wire
from tests.tools.local_s3 import set_environment
from tests.tools.nights import Nights
from tests.unit.restore.pictures import picture, pixels


@pytest.fixture
def nights(source, tmp_path):
    return Nights(source, open_store(str(tmp_path / "backup"), create=True), source.clock)


@pytest.fixture
def location(source, nights, tmp_path):
    for number, image in enumerate(source.world["A1"].images):
        image.body = picture("JPEG", colour=(number, 0, 0))
        image.caption, image.keywords = f"=Quay {number}", "sea; harbour"
    film = b"\x00\x00\x00\x18ftypmp42" + b"film"
    source.upload("A2", file_name="ferry.mp4", video="Video1280URL", body=film)
    nights.run()
    return tmp_path / "backup"


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def rows(path):
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_by_default_each_photo_has_both_sidecars_and_the_tables_stand_at_the_top(
    shell, location, tmp_path
):
    ran = shell("restore", location, tmp_path / "out", "--album", "A1")
    assert (ran.status, ran.err) == (0, "")
    assert "albums.csv, photos.csv" in ran.out
    assert tree(tmp_path / "out") == [
        "Travel/Harbour 2024/DSC_00003.JPG",
        "Travel/Harbour 2024/DSC_00003.JPG.json",
        "Travel/Harbour 2024/DSC_00003.JPG.xmp",
        "Travel/Harbour 2024/DSC_00004.JPG",
        "Travel/Harbour 2024/DSC_00004.JPG.json",
        "Travel/Harbour 2024/DSC_00004.JPG.xmp",
        "albums.csv",
        "photos.csv",
    ]
    photos = rows(tmp_path / "out/photos.csv")
    assert [row["caption"] for row in photos] == ["'=Quay 0", "'=Quay 1"]


def test_a_second_restore_makes_no_second_tables_and_another_album_gets_tables_of_its_own(
    shell, location, tmp_path
):
    out = tmp_path / "out"
    for _ in range(2):
        shell("restore", location, out, "--album", "A1")
        assert sorted(path.name for path in out.glob("*.csv")) == ["albums.csv", "photos.csv"]
    first = (out / "photos.csv").read_bytes()
    ran = shell("restore", location, out, "--album", "A2")
    assert "albums 2.csv, photos 2.csv" in ran.out
    assert (out / "photos.csv").read_bytes() == first
    assert [row["album"] for row in rows(out / "albums 2.csv")] == ["Travel / Scans & Misc"]


def test_for_immich_the_folder_is_the_album(shell, location, tmp_path):
    assert shell("restore", location, tmp_path / "out", "--for", "immich").status == 0
    assert tree(tmp_path / "out")[:2] == [
        "Harbour 2024/DSC_00003.JPG",
        "Harbour 2024/DSC_00003.JPG.xmp",
    ]


def test_for_lightroom_what_smugmug_says_is_in_the_files_and_beside_the_movie(
    shell, source, location, tmp_path
):
    ran = shell("restore", location, tmp_path / "out", "--for", "lightroom", "--json")
    assert ran.status == 0
    assert ran.json["not_embedded"] == 2  # the movie, and a JPEG that is none
    made = tmp_path / "out/Travel/Harbour 2024/DSC_00003.JPG"
    assert made.read_bytes() != source.world["A1"].images[0].body
    assert pixels(made.read_bytes()) == pixels(source.world["A1"].images[0].body)
    assert "Travel/Scans & Misc/ferry.xmp" in tree(tmp_path / "out")
    assert "Travel/Harbour 2024/DSC_00003.xmp" not in tree(tmp_path / "out")
    told = {row["file"]: row["said_in_the_file"] for row in rows(tmp_path / "out/photos.csv")}
    assert told["Travel/Harbour 2024/DSC_00003.JPG"] == "yes"
    assert told["Travel/Scans & Misc/ferry.mp4"] == ""


@pytest.mark.parametrize(
    ("way", "says"), [("apple", "in a sidecar beside each"), ("google", "in photos.csv")]
)
def test_how_many_files_could_not_hold_it_is_told(shell, location, tmp_path, way, says):
    ran = shell("restore", location, tmp_path / "out", "--for", way)
    assert ran.status == 0
    assert "Cannot hold what SmugMug says of them: 2 files" in ran.out
    assert says in " ".join(ran.out.split())


def test_without_embedding_a_way_that_does_it_writes_sidecars(shell, source, location, tmp_path):
    words = ("--for", "apple", "--no-embed")
    assert shell("restore", location, tmp_path / "out", *words).status == 0
    made = tmp_path / "out/Travel/Harbour 2024/DSC_00003.JPG"
    assert made.read_bytes() == source.world["A1"].images[0].body
    assert made.with_suffix(".xmp").exists()


def test_where_the_library_is_missing_nothing_is_written_and_the_way_out_is_named(
    shell, location, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "exiv2", None)
    ran = shell("restore", location, tmp_path / "out", "--embed")
    assert ran.status == 2
    assert "install it as smugmug-backup[embed]" in ran.err
    assert not (tmp_path / "out").exists()
    assert shell("restore", location, tmp_path / "out").status == 0


def test_for_smugmug_a_table_says_what_to_set_by_hand(shell, location, tmp_path):
    ran = shell("restore", location, tmp_path / "out", "--for", "smugmug")
    assert ran.status == 0
    assert "set-by-hand.csv" in ran.out
    told = rows(tmp_path / "out/set-by-hand.csv")
    assert {"folder", "album", "set", "to"} == set(told[0])
    assert {row["folder"] for row in told} == {"Travel/Harbour 2024", "Travel/Scans & Misc"}
    assert not [name for name in tree(tmp_path / "out") if name.endswith((".xmp", ".json"))]


# -- which images ---------------------------------------------------------------------------------


def test_the_keys_that_find_prints_are_restored(shell, location, tmp_path, monkeypatch):
    found = shell("find", location, "quay", "--keys")
    assert len(found.out.split()) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(found.out))
    assert shell("restore", location, tmp_path / "out", "--images", "-").status == 0
    photos = [name for name in tree(tmp_path / "out") if name.endswith(".JPG")]
    assert photos == ["Travel/Harbour 2024/DSC_00003.JPG", "Travel/Harbour 2024/DSC_00004.JPG"]
    keys = ",".join(found.out.split()[:1])
    ran = shell("restore", location, tmp_path / "one", "--images", keys, "--json")
    assert (ran.json["restored"], ran.json["albums"]) == (1, 1)


@pytest.mark.parametrize(
    ("keys", "says"), [("nobody", "has the key nobody"), ("", "names no image"), (",", "names no")]
)
def test_a_key_that_nobody_has_is_a_mistake(shell, location, tmp_path, keys, says):
    ran = shell("restore", location, tmp_path / "out", "--images", keys)
    assert ran.status == 2
    assert says in ran.err
    assert not (tmp_path / "out").exists()


def test_a_key_that_only_an_unreadable_album_may_have_is_named_and_the_others_come(
    shell, source, location, tmp_path
):
    for manifest in (location / "manifests").glob("*/*.jsonl"):
        if b"Scans" in manifest.read_bytes():
            manifest.write_bytes(manifest.read_bytes()[:-20])
    keys = [source.world["A1"].images[0].key, source.world["A2"].images[0].key]
    ran = shell("restore", location, tmp_path / "out", "--images", ",".join(keys), "--json")
    assert ran.status == 1
    assert ran.json["restored"] == 1
    assert "unknown" in [each["code"] for each in ran.json["problems"]]


@pytest.fixture
def departed(source, nights, location):
    """The backup after one image and one album have left; which image, and which album."""
    image = source.world["A1"].images[0]
    source.world["A1"].images.remove(image)
    source.album("A3", "Left", images=1)
    nights.next_night(full=True)
    del source.world["A3"]
    for _ in range(3):
        nights.next_night(full=True)
    return image


def photos(folder):
    return [name for name in tree(folder) if name.endswith((".JPG", ".mp4"))]


def test_only_what_has_gone_comes_with_gone_and_both_with_with_gone(
    shell, location, tmp_path, departed
):
    shell("restore", location, tmp_path / "plain")
    ran = shell("restore", location, tmp_path / "gone", "--gone")
    assert ran.status == 0
    shell("restore", location, tmp_path / "both", "--with-gone")
    gone, plain = set(photos(tmp_path / "gone")), set(photos(tmp_path / "plain"))
    assert gone == {
        "Travel/Harbour 2024/DSC_00003.JPG",
        next(name for name in photos(tmp_path / "both") if "/Left/" in name),
    }
    assert not gone & plain
    assert set(photos(tmp_path / "both")) == gone | plain
    found = shell("find", location, "--gone", "--keys").out.split()
    ran = shell("restore", location, tmp_path / "keys", "--images", ",".join(found))
    assert set(photos(tmp_path / "keys")) == gone  # as in `find`


def test_gone_with_gone_and_deleted_do_not_mix(shell, location, tmp_path):
    assert shell("restore", location, tmp_path / "out", "--gone", "--with-gone").status == 2
    assert shell("restore", location, tmp_path / "out", "--deleted").status == 2


def test_one_image_comes_as_it_was_on_a_day(shell, source, nights, location, tmp_path):
    image = source.world["A1"].images[0]
    before = image.body
    source.clock.advance(days=1)
    source.replace(image)
    nights.run()
    words = ("--images", image.key, "--as-of", "2026-11-24")
    assert shell("restore", location, tmp_path / "out", *words).status == 0
    (name,) = photos(tmp_path / "out")
    assert (tmp_path / "out" / name).read_bytes() == before


def test_an_album_is_restored_by_each_name_that_albums_prints(
    shell, source, nights, location, tmp_path
):
    for key, title in (("B1", "Travel"), ("B2", "harbour 2024"), ("B3", "a / b"), ("B4", " ")):
        source.album(key, title, images=1)
    nights.next_night()
    listed = shell("albums", location, "--json").json
    assert len(listed) == 6
    for album in listed:
        name = " / ".join((*album["path"], album["title"]))
        ran = shell("restore", location, tmp_path / album["album_key"], "--album", name, "--json")
        assert (ran.status, ran.json["albums"]) == (0, 1), name


# -- bags -----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:'count' is passed as positional argument")
@pytest.mark.parametrize("way", ["files", "apple"])
def test_a_bag_is_valid_and_can_be_made_again(shell, location, tmp_path, way):
    out = tmp_path / "out"
    for told in ("Restored 4 files", "4 were there already"):
        ran = shell("restore", location, out, "--bag", "--for", way)
        assert (ran.status, ran.err) == (0, "")
        assert told in ran.out
        bagit.Bag(str(out)).validate()
    assert {"data", "bagit.txt"} < {path.name for path in out.iterdir()}
    assert "data/albums.csv" in tree(out)
    assert not [name for name in tree(out) if ".smugmug-restore" in name]


def test_a_finished_bag_takes_nothing_more(shell, location, tmp_path):
    out = tmp_path / "out"
    shell("restore", location, out, "--bag", "--album", "A1")
    before = tree(out)
    ran = shell("restore", location, out, "--bag")
    assert ran.status == 2
    assert "finished bag" in ran.err
    assert tree(out) == before


def test_a_strangers_file_in_a_finished_bag_is_named_by_the_same_command(shell, location, tmp_path):
    out = tmp_path / "out"
    shell("restore", location, out, "--bag")
    (out / "data" / "mine.txt").write_text("not from the backup")
    before = tree(out)
    ran = shell("restore", location, out, "--bag")
    assert ran.status == 1
    assert "is no part of the bag" in ran.out and "data/mine.txt" in ran.out
    (told,) = shell("restore", location, out, "--bag", "--json").json["problems"]
    assert (told["path"], told["code"]) == ("data/mine.txt", "bag")
    assert tree(out) == before
    (out / "data" / "mine.txt").unlink()
    assert shell("restore", location, out, "--bag").status == 0


@pytest.mark.filterwarnings("ignore:'count' is passed as positional argument")
def test_what_is_not_in_the_bag_is_named_and_the_bag_is_one_of_the_rest(shell, location, tmp_path):
    min((location / "originals").rglob("*.jpg")).unlink()
    ran = shell("restore", location, tmp_path / "out", "--bag")
    assert ran.status == 1
    bagit.Bag(str(tmp_path / "out")).validate()
    assert "damaged" in [row["problem"] for row in rows(tmp_path / "out/data/photos.csv")]


def test_a_restore_that_was_interrupted_makes_no_bag(shell, location, tmp_path, monkeypatch):
    from smugmug_backup.restore.perform import Restorer

    def stopped(restorer, survey):
        restorer.stop()
        return really(restorer, survey)

    really = Restorer.restore
    with monkeypatch.context() as context:
        context.setattr(Restorer, "restore", stopped)
        assert shell("restore", location, tmp_path / "out", "--bag").status == 130
    assert not (tmp_path / "out/bagit.txt").exists()
    assert shell("restore", location, tmp_path / "out", "--bag").status == 0
    assert (tmp_path / "out/bagit.txt").exists()


@pytest.fixture
def in_s3(monkeypatch):
    with wire.FakeS3() as s3:
        set_environment(monkeypatch, s3.address)
        yield s3


@pytest.mark.filterwarnings("ignore:'count' is passed as positional argument")
def test_a_bag_is_closed_only_when_all_is_in_it_that_may_still_come(
    shell, location, tmp_path, in_s3
):
    assert shell("copy", location, "s3://bucket/b").status == 0
    frozen = next(key for key in sorted(in_s3.objects) if "/originals/" in key)
    in_s3.headers[frozen][wire.CLASS] = "GLACIER"
    command = ("restore", "s3://bucket/b", tmp_path / "bag", "--bag", "--yes")
    ran = shell(*command)
    assert ran.status == 1
    assert "no bag was made yet: 1 file may still come into it" in ran.out
    assert not list((tmp_path / "bag").glob("*.txt"))
    del in_s3.headers[frozen][wire.CLASS]
    assert shell(*command).status == 0
    assert bagit.Bag(str(tmp_path / "bag")).is_valid()
    assert sorted(path.name for path in (tmp_path / "bag/data").glob("*.csv")) == [
        "albums.csv",
        "photos.csv",
    ]


@pytest.mark.parametrize("given", [None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8")])
def test_keys_that_cannot_be_read_are_one_sentence(shell, location, tmp_path, monkeypatch, given):
    monkeypatch.setattr(sys, "stdin", given)
    ran = shell("restore", location, tmp_path / "out", "--images", "-")
    assert ran.status == 2
    assert "--images" in ran.err and "should not happen" not in ran.err
