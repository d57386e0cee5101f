"""A folder to store in; an S3 on loopback, and a client of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smugmug_backup.storage.folder import FolderStore
from tests.contract.stores import client
from tests.tools.fake_s3 import FakeS3


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FakeS3, Any]]:
    """One of each for all tests, for they are slow to make."""
    with FakeS3() as s3:
        yield s3, client(s3.address)


@pytest.fixture
def s3(served: tuple[FakeS3, Any]) -> Iterator[FakeS3]:
    """As it was made; in the end nobody left half an upload there."""
    s3, _ = served
    s3.forget()
    yield s3
    s3.forget_faults()
    assert not s3.uploads
