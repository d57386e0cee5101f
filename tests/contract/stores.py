"""The places on which the contract of `BackupStore` is tried, each empty at first."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import BotoCoreError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from smugmug_backup.ports import BackupStore
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.folder_lock import LOCK
from smugmug_backup.storage.s3 import S3Store, s3_client
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.storage.s3_upload import sha256_text
from tests.tools.fake_s3 import FakeS3
from tests.tools.faulty_disk import bar
from tests.tools.faulty_store import FaultyStore
from tests.tools.lacks import SETS, play
from tests.tools.local_s3 import HYPERCORN, set_environment
from tests.tools.memory_store import MemoryStore
from tests.tools.patience import until

BUCKET = "backup-bucket"
PATIENCE = Patience(answer=300.0, backoff=0.01)
"""Of whoever is asked for what works: a busy machine may take its time."""


@dataclass
class Place:
    """One empty place. ``open`` gives another instance on it, as another process would have;
    ``barred`` one that cannot get into a folder."""

    name: str
    open: Callable[[], BackupStore]
    leftovers: Callable[[], list[str]] = list
    client: Any = None
    prefix: str = ""
    barred: Callable[[str], AbstractContextManager[BackupStore]] | None = None
    s3: FakeS3 | None = None
    root: Path | None = None
    keeps_case: bool = True
    store: BackupStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.open()

    def hurried(self, **patience: float) -> S3Store:
        """Another instance that waits for S3 as long as this, not for minutes."""
        own = Patience(backoff=0.01, pause=0.5, completion=1.0, **patience)  # type: ignore[arg-type]
        return S3Store(self.client, BUCKET, self.prefix, patience=own, proved=True)

    @property
    def is_s3(self) -> bool:
        return self.client is not None

    def fill(self, keys: Iterable[str]) -> None:
        """Store something under each of many keys."""
        if self.name == "moto":
            # Ten times as fast as by requests.
            bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
            for key in keys:
                bucket.put_object(BUCKET, f"{self.prefix}/{key}", key.encode())
            return
        if self.s3 is not None:
            self.s3.objects.update({f"{self.prefix}/{key}": key.encode() for key in keys})
            return
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: self.store.create(key, key.encode()), keys))


@contextmanager
def memory() -> Iterator[Place]:
    store = MemoryStore()
    yield Place("memory", lambda: store)


@contextmanager
def faulty() -> Iterator[Place]:
    """The fault-injecting wrapper, while it injects nothing."""
    store = MemoryStore()
    yield Place(
        "faulty",
        lambda: FaultyStore(store),
        barred=lambda folder: nullcontext(FaultyStore(store, barred=(folder,))),
    )


@contextmanager
def folder(path: Path, name: str = "folder", *, keeps_case: bool = True) -> Iterator[Place]:
    root = path / "backup"
    path.mkdir(exist_ok=True)

    @contextmanager
    def barred(folder: str) -> Iterator[BackupStore]:
        with pytest.MonkeyPatch.context() as monkeypatch:
            bar(monkeypatch, Path(folder).name)
            yield FolderStore(root)

    yield Place(
        name,
        lambda: FolderStore(root),
        # The lock of the only writer stays, empty when nobody writes.
        lambda: [each.name for each in (root / ".incoming").iterdir() if each.name != LOCK],
        barred=barred,
        root=root,
        keeps_case=keeps_case,
    )


@contextmanager
def lacking(name: str, path: Path) -> Iterator[Place]:
    """A folder on a disk, or a system, that lacks what `lacks.SETS` says."""
    path.mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        play(monkeypatch, SETS[name])
        with folder(path, name) as place:
            yield place


@contextmanager
def moto(client: Any) -> Iterator[Place]:
    with mock_aws():
        client.create_bucket(Bucket=BUCKET)
        yield _s3("moto", client)


@contextmanager
def local_s3(client: Any) -> Iterator[Place]:
    if not client.list_buckets().get("Buckets"):
        client.create_bucket(Bucket=BUCKET)
    yield _s3("ministack", client)


@contextmanager
def fake_s3(s3: FakeS3, client: Any, *, warm: bool = False) -> Iterator[Place]:
    """The little S3 that fails on demand. ``warm``: each store has put something already, so that
    the client sends no more puts for it."""
    place = _s3("fake", client, warm=warm)
    place.s3 = s3
    place.leftovers = lambda: [key for key, _ in s3.uploads.values() if place.prefix in key]
    yield place
    s3.forget_faults()


def client(endpoint: str | None = None) -> Any:
    """A client for S3 at ``endpoint``, or for moto. It is slow to make, so tests share it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch, endpoint)
        return s3_client(max_connections=20)


@contextmanager
def tampering(client: Any, operation: str, handler: Callable[..., None]) -> Iterator[None]:
    """``handler`` sees each request of ``operation`` just before it is sent."""

    def only_that(event_name: str, **more: Any) -> None:
        if event_name.endswith(f".{operation}"):
            handler(**more)

    # Not at "before-send.s3", whose handlers come before: the store's counter is one.
    client.meta.events.register("before-send", only_that)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send", only_that)


def _s3(name: str, client: Any, *, warm: bool = False) -> Place:
    prefix = f"tests/{uuid4().hex}"

    def uploads() -> list[str]:
        found = client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in found.get("Uploads", ())]

    # Whether it overwrites is proved elsewhere: a probe would lie among what a promise counts.
    def store() -> S3Store:
        made = S3Store(client, BUCKET, prefix, patience=PATIENCE, proved=True)
        if warm:
            until(lambda: _warmed(made))
        return made

    return Place(name, store, uploads, client, prefix)


def _warmed(store: S3Store) -> bool:
    """Whether it could put something; a connection that a fault left may be closed just now."""
    puts = store._bucket._puts
    with suppress(BotoCoreError):
        puts.send(Bucket=BUCKET, Key="elsewhere", Body=b"", ChecksumSHA256=sha256_text(b""))
    return puts._way is not None


def skip_without_ministack() -> None:
    if not HYPERCORN.exists():
        pytest.skip("the local AWS: `make bootstrap`")
