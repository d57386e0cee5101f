"""Which bytes of an image are restored: every row of the table."""

from typing import Any

import pytest

from smugmug_backup.archive.original import Original, Reason, Status, StoredBytes
from smugmug_backup.model import Kind
from smugmug_backup.restore.wanted import wanted
from tests.unit.restore.test_names import entry


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
