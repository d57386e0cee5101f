"""What every error hints at."""

from pathlib import Path

import pytest

from smugmug_backup.cli.errors import hint_of, hint_of_code, of_the_system
from smugmug_backup.errors import (
    BackupError,
    LesserView,
    LoginLost,
    NoAlbums,
    OtherAccount,
    RunRefused,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)


def kinds():
    pending = [BackupError]
    while pending:
        pending += pending.pop().__subclasses__()
        yield from pending[-1:]


def test_no_hint_has_a_word_that_nobody_can_type():
    for kind in {*kinds()}:
        error = BackupError("x")
        error.code = kind.code
        for in_s3 in (None, True, False):
            assert "COMMAND" not in hint_of(error, in_s3=in_s3)


@pytest.mark.parametrize("kind", [StoreRefused, StoreUnavailable, StoreFull])
def test_what_helps_with_s3_is_not_said_of_a_folder_nor_the_other_way_round(kind):
    of_s3, of_folder = hint_of(kind("x"), in_s3=True), hint_of(kind("x"), in_s3=False)
    for word in ("AWS", "bucket", "S3"):
        assert word not in of_folder
    for word in ("disk", "folder", "mounted"):
        assert word not in of_s3


@pytest.mark.parametrize(
    ("kind", "says", "says_not"),
    [
        (RunRefused, "--accept-shrink", "--accept-rename"),
        (OtherAccount, "--accept-rename", "--accept-shrink"),
        (NoAlbums, "doctor", "--accept"),
        (LesserView, "doctor", "--accept"),
        (LoginLost, "doctor", "--accept"),
    ],
)
def test_a_hint_names_what_works(kind, says, says_not):
    for hint in (hint_of(kind("x")), hint_of_code(kind.code)):
        assert says in hint and says_not not in hint


def test_a_folder_that_is_gone_is_named_wherever_it_is_met(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as elsewhere:
        Path("nothing").stat()
    assert of_the_system(elsewhere.value) is None
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        Path.cwd()
    told = of_the_system(caught.value)
    assert told is not None and "is gone" in str(told)
