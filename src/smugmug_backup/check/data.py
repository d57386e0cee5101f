"""Read stored bytes again and compare them with the hash that was recorded."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from smugmug_backup.archive import keys, schemas
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.state import load_manifest
from smugmug_backup.check.turns import OriginalsIndex, Turn, place
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import Archived, NotABackup, NotStored, OutOfTime, StoreUnavailable
from smugmug_backup.ports import BackupStore

_AT_A_TIME = 8
_ENOUGH_FAILURES = 10
"""So many reads in a row that fail mean that the store is away, not that objects are damaged."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What is going to be read: the ceiling of what today's turn holds, and of its requests."""

    amount: str
    turn: Turn
    budget: int | None
    objects: int
    bytes: int
    archived: int
    archived_bytes: int
    get_requests: int
    list_requests: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "amount": self.amount,
            "turn": self.turn.number + 1,
            "turns": self.turn.turns,
            "objects": self.objects,
            "bytes": self.bytes,
            "archived": self.archived,
            "archived_bytes": self.archived_bytes,
            "get_requests": self.get_requests,
            "list_requests": self.list_requests,
        }


class Tally(Protocol):
    """What reading counts."""

    objects_read: int
    bytes_read: int
    originals_unused: int


@dataclass(slots=True)
class Reading:
    """All that `read_again` needs; findings go to ``wrong``, ``counts`` and ``not_checked``."""

    store: BackupStore
    plan: ReadPlan
    newest: Sequence[tuple[str, int]]
    index: OriginalsIndex
    deadline: Deadline
    executor: Executor
    wrong: Callable[[str, str, str], None]
    counts: Tally
    not_checked: list[str]
    progress: Callable[[int], None] | None


@dataclass(frozen=True, slots=True)
class _Task:
    """One object, the hash it must have (``hash`` may be the beginning of it), and its name."""

    key: str
    bytes: int
    algorithm: str
    hash: str
    what: str
    schema: str | None = None


def read_again(reading: Reading) -> None:
    """Read today's turn: originals of the newest manifests, records, then older originals.

    The albums begin at another one in every round, so that a turn that is cut off at the deadline
    or the budget is not cut off at the same place each time.
    """
    left, skipped, skipped_bytes = reading.plan.budget, 0, 0
    failures = 0
    waiting: deque[tuple[_Task, Future[str | None]]] = deque()

    def settle() -> None:
        nonlocal failures, skipped, skipped_bytes
        task, future = waiting.popleft()
        try:
            damage = future.result()
            failures = 0
        except (OutOfTime, Archived):
            skipped, skipped_bytes = skipped + 1, skipped_bytes + task.bytes
            return
        except NotStored:
            damage = "it is no longer there"
        except StoreUnavailable as error:
            failures += 1
            if failures >= _ENOUGH_FAILURES:
                raise
            damage = f"it could not be read: {error}"
        reading.counts.objects_read += 1
        reading.counts.bytes_read += task.bytes
        if damage is not None:
            code = "original_damaged" if task.key.startswith(keys.ORIGINALS) else "record_damaged"
            reading.wrong(code, task.key, f"{task.what}: {damage}")

    try:
        for task in _tasks(reading):
            late = reading.deadline.passed
            first = reading.counts.objects_read == 0 and not waiting
            if late or (left is not None and task.bytes > left and not first):
                skipped, skipped_bytes = skipped + 1, skipped_bytes + task.bytes
                continue
            if left is not None:
                left -= task.bytes
            waiting.append((task, reading.executor.submit(_read, reading, task)))
            if len(waiting) >= _AT_A_TIME:
                settle()
        while waiting:
            settle()
    finally:
        for _, future in waiting:
            future.cancel()
    if skipped:
        why = "the time ended" if reading.deadline.passed else "the amount was used up, or archived"
        reading.not_checked.append(
            f"{skipped} objects ({skipped_bytes} bytes) of today's turn were not read: {why}"
        )
    if reading.plan.archived:
        reading.not_checked.append(
            f"{reading.plan.archived} archived objects ({reading.plan.archived_bytes} bytes) of "
            "today's turn were not read: they must be thawed first"
        )


def _tasks(reading: Reading) -> Iterator[_Task]:
    yield from _originals(reading)
    yield from _records(reading, keys.ALBUMS)
    yield from _records(reading, keys.RECORDS)
    if reading.counts.originals_unused:
        yield from _older_originals(reading)


def _originals(reading: Reading) -> Iterator[_Task]:
    turn = reading.plan.turn
    albums = list(reading.newest)
    start = turn.round * 7919 % len(albums) if albums else 0

    def load(album: tuple[str, int]) -> tuple[str, Manifest | None]:
        try:
            return album[0], load_manifest(reading.store, *album)
        except NotABackup:
            return album[0], None  # The structure's pass has named it.

    for album_key, manifest in ahead(reading.executor, load, albums[start:] + albums[:start]):
        for entry in manifest.entries.values() if manifest else ():
            original = entry.original
            if original.key is None or original.sha256 is None:
                continue
            at = place(original.key)
            found = reading.index.find(at) if turn.has(at) else None
            if found is None or found.archived or not reading.index.claim(at):
                continue
            what = f"the bytes of {entry.file_name or entry.image_key} (album {album_key})"
            yield _Task(original.key, found.bytes, "sha256", original.sha256, what)


def _records(reading: Reading, prefix: str) -> Iterator[_Task]:
    schema = "album-record" if prefix == keys.ALBUMS else "image-record"
    for each in reading.store.list(prefix):
        if reading.plan.turn.has(place(each.key)) and not each.archived:
            name = each.key.rsplit("/", 1)[-1].removesuffix(".json")
            yield _Task(each.key, each.bytes, "sha256", name, "a record", schema)


def _older_originals(reading: Reading) -> Iterator[_Task]:
    """Originals that no newest manifest names; their own name is their MD5, or nothing is known."""
    for each in reading.store.list(keys.ORIGINALS):
        at = place(each.key)
        if not reading.plan.turn.has(at) or each.archived or reading.index.is_referenced(at):
            continue
        name = each.key.rsplit("/", 1)[-1].split(".")[0]
        if not name.startswith("rev-"):
            yield _Task(each.key, each.bytes, "md5", name, "the bytes of an older version")


def _read(reading: Reading, task: _Task) -> str | None:
    """What is wrong with one object."""
    if reading.deadline.over:
        raise OutOfTime("no time left to read this object")
    digest = hashlib.new(task.algorithm, usedforsecurity=False)
    size = 0
    record = b""
    with reading.store.open(task.key) as chunks:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            if task.schema is not None:
                record += chunk
            if reading.progress is not None:
                reading.progress(len(chunk))
            if reading.deadline.over:
                raise OutOfTime("no time left to read this object")
    if size != task.bytes:
        return f"{size} bytes were read, its listing says {task.bytes}"
    if not digest.hexdigest().startswith(task.hash):
        return (
            f"its {task.algorithm.upper()} is not the recorded {task.hash}: "
            "the stored bytes have changed"
        )
    return None if task.schema is None else _record(record, task.schema)


def _record(body: bytes, schema: str) -> str | None:
    try:
        wrong = schemas.checker(schema)(json.loads(body))
    except (ValueError, RecursionError) as error:
        wrong = type(error).__name__
    return None if wrong is None else f"it is no {schema.replace('-', ' ')}: {wrong}"


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def ahead(
    executor: Executor, load: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[_Result]:
    """Like map, in order, but only a few results are held."""
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(load, item))
            if len(waiting) > _AT_A_TIME:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
