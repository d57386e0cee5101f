"""Bags, as another's validator sees them."""

import unicodedata

import bagit
import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.restore import bag

# bagit 1.9 gives re.sub its flags where Python 3.13 wants them named.
pytestmark = pytest.mark.filterwarnings("ignore:'count' is passed as positional argument")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "bag"
    for name, body in (("A/one.jpg", b"one"), ("A/zwei Möwen.jpg", b"two"), ("b.csv", b"")):
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root


def finish(root, known=None, account="larkfield"):
    return bag.finish(root, known=known or {}, account=account, token="0")


def test_a_validator_accepts_it(root):
    assert not bag.is_finished(root)
    assert finish(root) == 3
    assert bag.is_finished(root)
    made = bagit.Bag(str(root))
    made.validate()
    assert made.info["Payload-Oxum"] == "6.3"
    assert made.info["External-Description"] == "The SmugMug account larkfield"
    assert made.version_info == (1, 0)
    assert sorted(path.name for path in root.iterdir()) == [
        "bag-info.txt",
        "bagit.txt",
        "data",
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
    ]


@pytest.mark.parametrize("harm", ["changed", "lost", "new"])
def test_a_validator_sees_what_is_wrong(root, harm):
    finish(root)
    path = root / "data/A/one.jpg"
    if harm == "changed":
        path.write_bytes(b"eno")
    elif harm == "lost":
        path.unlink()
    else:
        path.with_name("new.jpg").write_bytes(b"")
    assert not bagit.Bag(str(root)).is_valid()


def test_what_was_proved_just_now_is_not_read_again(root):
    finish(root, known={"A/one.jpg": "f" * 64})
    assert f"{'f' * 64}  data/A/one.jpg\n" in (root / "manifest-sha256.txt").read_text()


def test_the_same_again_changes_nothing_and_another_content_is_told(root):
    finish(root)
    before = {path.name: path.stat().st_mtime_ns for path in root.iterdir()}
    finish(root)
    assert {path.name: path.stat().st_mtime_ns for path in root.iterdir()} == before
    (root / "data/new.jpg").write_bytes(b"new")
    with pytest.raises(bag.BagDiffers, match="no bag of what lies in it"):
        finish(root)


def test_a_finished_bag_takes_no_more_files(root):
    bag.refuse_more(root, 3)
    finish(root)
    bag.refuse_more(root, 0)
    with pytest.raises(BadRequest, match="finished bag"):
        bag.refuse_more(root, 3)


def test_what_the_manifest_of_a_finished_bag_does_not_name_or_names_in_vain_is_told(root):
    finish(root)
    assert list(bag.differences(root)) == []
    (root / "data/A/.DS_Store").write_bytes(b"")
    (root / "data/100%.jpg").write_bytes(b"")
    (root / "data/b.csv").unlink()
    assert list(bag.differences(root)) == [
        ("data/100%.jpg", bag.STRANGE),
        ("data/A/.DS_Store", bag.STRANGE),
        ("data/b.csv", bag.LOST),
    ]


def test_a_bag_on_a_disk_that_writes_letters_in_another_form_is_the_same_bag(root):
    finish(root)
    for path in (root / "data/A").glob("zwei*"):
        path.rename(path.with_name(unicodedata.normalize("NFD", path.name)))
    assert list(bag.differences(root)) == []


@pytest.mark.parametrize(
    "harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\xff")]
)
def test_a_manifest_that_cannot_be_read_is_told(root, harm):
    finish(root)
    harm(root / "manifest-sha256.txt")
    ((path, why),) = bag.differences(root)
    assert path == "manifest-sha256.txt" and why == bag.UNREADABLE


def test_the_declaration_comes_last(root, monkeypatch):
    really, put = bag.Folder.put, []

    def noting(folder, name, body):
        put.append(name)
        really(folder, name, body)

    monkeypatch.setattr(bag.Folder, "put", noting)
    finish(root)
    assert put[-1] == "bagit.txt"


def test_a_path_stands_in_the_manifest_as_the_rfc_says():
    assert bag.encoded("data/100%.jpg") == "data/100%25.jpg"
    assert bag.encoded("data/a\rb\nc") == "data/a%0Db%0Ac"
