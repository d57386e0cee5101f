"""Which addresses are whose."""

import pytest

from smugmug_backup.smugmug.hosts import is_loopback


@pytest.mark.parametrize(
    ("text", "ours"),
    [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("photos.smugmug.com", False)],
)
def test_only_an_address_of_this_machine_is_its_own(text: str, ours: bool) -> None:
    assert is_loopback(text) is ours
