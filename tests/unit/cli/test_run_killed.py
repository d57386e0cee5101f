"""kill -9 in the middle of a restore, again and again, ends in a right one; and Ctrl-C, twice, in
a sound store. ``KILL_ROUNDS`` asks for more rounds than the usual few. (A killed `run`: the proof.)
"""

import os
import random
import shutil

import pytest

from smugmug_backup.storage.folder import FolderStore
from tests.tools.clock import START, FakeClock
from tests.tools.dying import Dying, Ended
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.invariants import History, violations
from tests.unit.restore.pictures import picture

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))


def account(moment=0, *, pictures=False):
    """The same account in every process; some names and bytes are shared. ``pictures``: the photos
    are ones, and have words."""
    source = FakeSource(FakeClock(START))
    source.album("A1", "Harbour 2024", images=4)
    source.album("A2", "Scans &amp; Misc", images=3)
    source.album("A3", "Harbour 2024")
    source.upload("A3", file_name="../x.jpg", body=JPEG + bytes(1 << 20))
    source.upload("A3", file_name="same.jpg")
    source.upload("A3", file_name="SAME.JPG")
    source.world["A3"].images.append(source.world["A1"].images[0])
    if pictures:
        for number, image in enumerate(each for a in source.world.values() for each in a.images):
            image.body = picture("JPEG", colour=(number, 0, 0))
            image.caption, image.keywords = f"=Quay {number}", "sea; harbour"
    source.clock.jump(seconds=moment)
    return source


def expected(source):
    """What a restore must give, byte by byte."""
    found = {}
    for key, folder in (
        ("A1", "Harbour 2024 (A1)"),
        ("A2", "Scans & Misc"),
        ("A3", "Harbour 2024 (A3)"),
    ):
        for image in source.world[key].images:
            found[f"Travel/{folder}/{image.file_name}"] = image.body
    at = "Travel/Harbour 2024 (A3)"
    found[f"{at}/__x.jpg"] = found.pop(f"{at}/../x.jpg")
    second = source.world["A3"].images[2]
    found[f"{at}/SAME ({second.key}).JPG"] = found.pop(f"{at}/SAME.JPG")
    return found


NO_PHOTOS = (".json", ".xmp", ".csv")


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".smugmug-restore" not in path.parts
    }


def restored(folder):
    found = files(folder).items()
    return {name: body for name, body in found if not name.endswith(NO_PHOTOS)}


@pytest.fixture(scope="module")
def machine():
    with Dying(account) as machine:
        yield machine


@pytest.mark.parametrize(
    "way",
    [[], ["--embed"], ["--bag"], ["--for", "immich"], ["--embed", "--bag"]],
    ids=["plain", "embed", "bag", "immich", "embed in a bag"],
)
def test_whatever_a_restore_makes_is_whole_when_it_has_its_name(machine, tmp_path, way):
    rng, pictures = random.Random(f"restore {way}"), bool(way)
    store, folder, whole = tmp_path / "backup", tmp_path / "restored", tmp_path / "undisturbed"
    assert machine("run", store, pictures=pictures).status == 0
    status, steps = machine("restore", store, whole, *way)
    assert status == 0
    right, killed = files(whole), 0
    if not way:
        assert restored(whole) == expected(account())
        assert sorted(path.name for path in whole.iterdir()) == [
            *("Travel", "albums.csv", "photos.csv")
        ]
        assert len(list(whole.rglob("*.json"))) == len(restored(whole))
    if "--embed" in way:
        photos = [body for name, body in right.items() if name.lower().endswith(".jpg")]
        assert len(photos) == 11 and all(b"Quay" in body for body in photos)
    for number in range(ROUNDS):
        # The first one late, where the tables and the bag are made.
        low, high = (1, steps * 2 // 3) if number else (steps * 4 // 5, steps - 1)
        killed += machine("restore", store, folder, *way, kill_at=rng.randint(low, high)).killed
        # A file that has its name is whole, at every moment.
        assert files(folder).items() <= right.items()
        if number == 0 and folder.exists() and killed:
            shutil.rmtree(folder)
    assert killed
    assert machine("restore", store, folder, *way).status == 0
    assert files(folder) == right
    assert not (folder / ".smugmug-restore").exists()


def test_a_second_ctrl_c_stops_at_once_and_loses_nothing(machine, tmp_path):
    store, folder = tmp_path / "backup", tmp_path / "restored"
    steps = machine("run", tmp_path / "to the end").steps
    at_once = Ended(130, steps=0)  # There is nobody left to say how many.
    assert machine("run", store, ctrl_c_at=[steps // 2, steps // 2 + 1]) == at_once
    assert not violations(FolderStore(store), history=History())
    assert machine("run", store, moment=1).status == 0
    # By one thread: of several, those that nobody interrupts yet may write all there is.
    alone = ("--threads", "1")
    steps = machine("restore", store, tmp_path / "undisturbed", *alone).steps
    assert machine("restore", store, folder, *alone, ctrl_c_at=[steps // 2]).status == 130
    assert machine("restore", store, folder).status == 0
    assert restored(folder) == expected(account())
