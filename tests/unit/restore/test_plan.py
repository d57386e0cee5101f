"""Which bytes of an image are restored: every row of the table. (Names: test_names.)"""

from typing import Any

import pytest

from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.original import Original, Reason, Status, StoredBytes
from smugmug_backup.model import Kind
from smugmug_backup.restore.names import Limits
from smugmug_backup.restore.plan import folders, plan, wanted
from tests.unit.restore.test_names import NIGHT, entry, header


def stored(number: int) -> StoredBytes:
    return StoredBytes(f"originals/x/{number:032x}.jpg", 3, f"{number:064x}", f"{number:032x}")


NOW, BEFORE = stored(1), stored(2)


def line(content: StoredBytes | None = None, **fields: Any) -> Original:
    values: dict[str, Any] = {"kind": Kind.ORIGINAL, "status": Status.PENDING, **fields}
    if content is not None:
        values |= {"status": Status.STORED, **content.as_json()}
    return Original(**values)


@pytest.mark.parametrize(
    ("original", "content", "beside", "code"),
    [
        (line(NOW, verified=True), NOW, None, None),
        (line(NOW), NOW, None, None),
        (line(NOW, reason=Reason.MD5_MISMATCH, previous=BEFORE), NOW, BEFORE, "md5_mismatch"),
        (line(NOW, reason=Reason.MD5_MISMATCH), NOW, None, "md5_mismatch"),
        (line(reason=Reason.DOWNLOAD_FAILED, previous=BEFORE), BEFORE, None, "older"),
        (line(status=Status.UNAVAILABLE, previous=BEFORE), BEFORE, None, "older"),
        (line(reason=Reason.DAMAGED, previous=BEFORE), BEFORE, None, "older"),
        (line(reason=Reason.NOT_YET), None, None, "not_in_backup"),
        (line(status=Status.UNAVAILABLE, reason=Reason.FORGOTTEN), None, None, "not_in_backup"),
    ],
)
def test_which_bytes_stand_for_an_image(
    original: Original, content: StoredBytes | None, beside: StoredBytes | None, code: str | None
) -> None:
    found = wanted(entry("x", "x.jpg", original=original))
    assert (found.content, found.beside) == (content, beside)
    assert (found.note and found.note[0]) == code


@pytest.mark.parametrize("reason", [each for each in Reason if each != Reason.NOT_YET])
def test_every_reason_has_its_words(reason: Reason) -> None:
    note = wanted(entry("x", "x.jpg", original=line(reason=reason))).note
    assert note is not None
    assert "its bytes are not there" not in note[1]


def made(*entries: Any, limits: Limits | None = None, **options: Any) -> Any:
    manifest = Manifest(header("a", "A"), {each.image_key: each for each in entries})
    options = {"deleted": False, **options}
    return plan([manifest], {"a": "A"}, limits=limits or Limits(), **options)


def test_the_older_bytes_lie_beside_the_wrong_ones_under_a_name_that_says_so() -> None:
    wrong = line(NOW, reason=Reason.MD5_MISMATCH, previous=BEFORE)
    found = made(entry("x", "DSC_1.JPG", original=wrong))
    assert [(t.path, t.sha256, t.sidecar) for t in found.targets] == [
        ("A/DSC_1 (older).JPG", BEFORE.sha256, None),
        ("A/DSC_1.JPG", NOW.sha256, "A/DSC_1.JPG.json"),
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
    for deleted in (False, True):
        paths = {t.path for t in made(*entries, deleted=deleted).targets}
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
    for kind in ("json", "xmp"):
        for target in made(*entries, limits=limits, sidecar=kind).targets:
            assert len(target.path.removeprefix("A/").encode()) <= 143
            assert target.sidecar is not None
            assert len(target.sidecar.removeprefix("A/").encode()) <= 143
    homes = folders([header(key, "t" * 300, ("p" * 300,)), header("b", "t" * 300)], limits)
    assert all(len(part) <= 143 for home in homes.values() for part in home.split("/"))


def test_on_usual_disks_no_name_is_another_than_it_was() -> None:
    assert Limits.of(255) == Limits()
