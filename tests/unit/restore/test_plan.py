"""What lies beside a photo, and names where they must be short. (More of plans: test_names.)"""

from typing import Any

from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.original import Reason, StoredBytes
from smugmug_backup.restore.choice import Choice, Gone
from smugmug_backup.restore.names import Limits
from smugmug_backup.restore.plan import folders, plan
from tests.unit.restore.test_names import NIGHT, entry, header
from tests.unit.restore.test_wanted import BEFORE, NOW, line


def made(*entries: Any, limits: Limits | None = None, **options: Any) -> Any:
    manifest = Manifest(header("a", "A"), {each.image_key: each for each in entries})
    return plan([manifest], {"a": "A"}, limits=limits or Limits(), **options)


def test_the_older_bytes_lie_beside_the_wrong_ones_under_a_name_that_says_so() -> None:
    wrong = line(NOW, reason=Reason.MD5_MISMATCH, previous=BEFORE)
    found = made(entry("x", "DSC_1.JPG", original=wrong))
    assert [(t.path, t.sha256, t.sidecars) for t in found.targets] == [
        ("A/DSC_1 (older).JPG", BEFORE.sha256, ()),
        ("A/DSC_1.JPG", NOW.sha256, ("A/DSC_1.JPG.json",)),
    ]
    note = found.targets[1].note
    assert note is not None
    assert "the older ones lie beside it" in note[1]


def test_older_bytes_take_no_other_images_name() -> None:
    wrong = line(NOW, reason=Reason.MD5_MISMATCH, previous=BEFORE)
    entries = [
        entry("x", "DSC_1.JPG", number=1, original=wrong),
        entry("y", "DSC_1 (older).jpg", number=2),
        entry("z", "DSC_1 (older).JPG", number=3, deleted_at=NIGHT),
    ]
    for choice in (Choice(), Choice(Gone.TOO)):
        paths = {t.path for t in made(*entries, choice=choice).targets}
        assert {"A/DSC_1.JPG", "A/DSC_1 (older).jpg", "A/DSC_1 (older) (x).JPG"} <= paths


def test_a_numbered_original_is_one_of_ours() -> None:
    numbered = StoredBytes(f"originals/x/{1:032x}.2.jpg", 3, "a" * 64, "b" * 32)
    assert [t.original for t in made(entry("x", "x", original=line(numbered))).targets] == [
        numbered.key
    ]


def test_on_a_disk_with_short_names_every_name_fits() -> None:
    limits = Limits.of(143)
    key = "k" * 64
    entries = [
        entry(key, "x" * 180 + ".JPG", number=1),
        entry("y", "x" * 180 + ".JPG", number=2),
    ]
    for kind in ("json", "xmp", "adobe"):
        for target in made(*entries, limits=limits, sidecars=(kind,)).targets:
            assert len(target.path.removeprefix("A/").encode()) <= 143
            (sidecar,) = target.sidecars
            assert len(sidecar.removeprefix("A/").encode()) <= 143
    homes = folders([header(key, "t" * 300, ("p" * 300,)), header("b", "t" * 300)], limits)
    assert all(len(part) <= 143 for home in homes.values() for part in home.split("/"))


def test_in_a_bag_no_name_has_a_percent_sign() -> None:
    limits = Limits.of(255, percent=False)
    entries = [entry("x", "50%.jpg", number=1), entry("y", "50_.jpg", number=2)]
    found = made(*entries, limits=limits)
    assert [t.path for t in found.targets] == ["A/50_.jpg", "A/50_ (y).jpg"]
    homes = folders([header("a", "100&#37;", ("5%",)), header("b", "100_", ("5%",))], limits)
    assert homes == {"a": "5_/100_ (a)", "b": "5_/100_ (b)"}


def test_on_usual_disks_no_name_is_another_than_it_was() -> None:
    assert Limits.of(255) == Limits()
