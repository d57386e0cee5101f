"""Write a planned restore: nothing is overwritten, every byte is verified, all can be resumed.

A file is written under ``TARGET/.smugmug-restore/``, verified, made durable, and only then given
its name, which fails if that name is taken. So a file under its own name is always whole, wherever
the process was killed, and one that is there with the right SHA-256 is not fetched again.

An image in several albums is fetched once and then copied from the first file: copies, not hard
links, because a program that edits one file in place must not change the other albums' too.
"""

import errno
import hashlib
import json
import os  # noqa: TID251 - restored files are written here
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path  # noqa: TID251 - as above
from stat import S_ISREG
from typing import Any, Protocol

from smugmug_backup.archive.records import fingerprint
from smugmug_backup.errors import BackupError, BadRequest, NotStored, StoreError
from smugmug_backup.ports import BackupStore
from smugmug_backup.restore.plan import Plan, Problem, Target
from smugmug_backup.restore.record import is_sidecar_of, json_sidecar, moment_of, xmp_sidecar

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WORKSHOP = ".smugmug-restore"
"""No restored name begins with a dot, so nothing can collide with it."""

_CHUNK = 1 << 20
_LARGEST_SIDECAR = 16 << 20
_TRIES = 2
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}


class TargetUnusable(BackupError):
    """The folder to restore into cannot be used, or is full."""

    code = "target_unusable"
    hint = "make room, or name another TARGET; the same command goes on where it was"


class Stopped(BackupError):
    """The owner interrupted; the same command goes on."""

    code = "interrupted"


class _Damaged(BackupError):
    code = "damaged"


class _Differs(BackupError):
    code = "differs"


class Observer(Protocol):
    """Hears what a restore does, from many threads."""

    def received(self, size: int) -> None:
        """``size`` more bytes were read from the store."""

    def file_done(self, target: Target, problem: Problem | None) -> None:
        """One file is there, or is not."""


@dataclass(slots=True)
class Survey:
    """What of a plan is left to do in a folder that may hold a part already.

    ``done``: files that are there, with their sidecars. ``local``: files that are there, by
    original, to copy from; their sidecars, or the same image in another album, may be missing.
    """

    todo: list[Target] = field(default_factory=list)
    done: list[Target] = field(default_factory=list)
    local: dict[str, Target] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def downloads(self) -> dict[str, int]:
        """Size by key of every original that has to come from the store."""
        return {
            target.original: target.bytes
            for target in self.todo
            if target.original not in self.local
        }

    @property
    def bytes(self) -> int:
        """What the files to be written need on disk."""
        return sum(target.bytes for target in self.todo if target.path not in self.present)


@dataclass(slots=True)
class Result:
    """How it went: files written, and what is not there and why.

    ``stopped``: by the owner, or by ``error``, which concerns more than one file.
    """

    written: list[Target] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    stopped: bool = False
    error: BackupError | None = None


class Restorer:
    """Restores into one folder; at most one at a time works there."""

    def __init__(
        self,
        store: BackupStore,
        target: Path,
        *,
        sidecar: str = "json",
        threads: int = 8,
        observer: Observer | None = None,
    ) -> None:
        self._store = store
        self._target = target
        self._sidecar = sidecar
        self._threads = threads
        self._observer = observer
        self._stop = threading.Event()
        self._numbers = count()
        self._folders: set[Path] = set()

    def stop(self) -> None:
        """Begin no more files and leave those under way; from any thread."""
        self._stop.set()

    @contextmanager
    def workshop(self) -> Iterator[None]:
        """Make the folder ready, keep others out, and tidy up after all, even after a kill.

        Raises TargetUnusable.
        """
        shop = self._target / WORKSHOP
        made_here = not self._target.exists()
        lock = self._locked(shop)
        try:
            for left in shop.glob("*.part"):
                left.unlink(missing_ok=True)
            yield
        finally:
            for folder in sorted(self._folders):
                _make_durable(folder)
            with suppress(OSError):
                (shop / "lock").unlink()
                shop.rmdir()
                if made_here:
                    self._target.rmdir()  # Only if nothing was restored.
            os.close(lock)

    def _locked(self, shop: Path) -> int:
        try:
            while True:
                shop.mkdir(parents=True, exist_ok=True)
                lock = os.open(shop / "lock", os.O_RDWR | os.O_CREAT, 0o600)
                if not _lock(lock):
                    os.close(lock)
                    raise TargetUnusable(f"another restore is working in {self._target}")
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(lock), (shop / "lock").stat()):
                        return lock
                os.close(lock)  # The restore before us took its lock away just now.
        except OSError as error:
            raise TargetUnusable(f"cannot write into {self._target}: {_said(error)}") from None

    # -- what is there ---------------------------------------------------------------------------

    def survey(self, plan: Plan) -> Survey:
        """Compare the folder with ``plan``: size, then SHA-256. Raises Stopped."""
        found = Survey()

        def one(target: Target) -> str:
            if self._stop.is_set():
                return "stopped"
            state = self._state_of(target)
            if state != "there":
                return state
            return "done" if self._sidecar_state(target) == "there" else "bare"

        for target, state in self._each(plan.targets, one):
            if isinstance(state, BaseException):
                raise state
            if state == "stopped":
                raise Stopped("interrupted; nothing was written")
            if state == "differs":
                found.problems.append(_differs(target, target.path))
                continue
            if state in ("done", "bare"):
                found.local.setdefault(target.original, target)
                found.present.add(target.path)
            (found.done if state == "done" else found.todo).append(target)
        order = {target.path: number for number, target in enumerate(plan.targets)}
        found.todo.sort(key=lambda target: order[target.path])
        return found

    def _state_of(self, target: Target) -> str:
        path = self._path(target.path)
        try:
            there = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return "absent"
        except OSError:
            return "differs"
        if not S_ISREG(there.st_mode) or there.st_size != target.bytes:
            return "differs"
        try:
            return "there" if self._sha256_of(path) == target.sha256 else "differs"
        except OSError:
            return "differs"

    def _sha256_of(self, path: Path) -> str:
        digest = hashlib.sha256()
        for chunk in _chunks_of(path):
            if self._stop.is_set():
                raise Stopped("interrupted")
            digest.update(chunk)
        return digest.hexdigest()

    def _sidecar_state(self, target: Target) -> str:
        if target.sidecar is None:
            return "there"
        path = self._path(target.sidecar)
        try:
            there = path.lstat()
            if not S_ISREG(there.st_mode) or there.st_size > _LARGEST_SIDECAR:
                return "differs"
            ours = is_sidecar_of(path.read_bytes(), self._sidecar, target.fingerprint)
        except (FileNotFoundError, NotADirectoryError):
            return "absent"
        except OSError:
            return "differs"
        return "there" if ours else "differs"

    # -- what is archived or lost ----------------------------------------------------------------

    def look_up(self, survey: Survey) -> list[Target]:
        """Take out of ``survey`` what cannot be read now; returns those that must be thawed.

        What is not in the store at all, or of another size, becomes a problem.
        """
        wanted = survey.downloads()
        found = self._stored(list(wanted))
        archived = {key for key in wanted if key in found and found[key][1]}
        thaw = [target for target in survey.todo if target.original in archived]
        for target in thaw:
            message = "lies in an archive class and must be thawed first"
            survey.problems.append(_problem(target, "archived", message))
        for target in survey.todo:
            if target.original in wanted and target.original not in found:
                message = f"{target.original} is missing from the backup"
                survey.problems.append(_problem(target, "damaged", message))
        readable = {key for key in wanted if key in found} - archived
        survey.todo = [
            target
            for target in survey.todo
            if target.original in readable or target.original in survey.local
        ]
        return thaw

    def _stored(self, keys: Sequence[str]) -> dict[str, tuple[int, bool]]:
        if len(keys) > 500:
            wanted = set(keys)
            listed = self._store.list("originals/", after=_before(min(keys)), until=max(keys))
            return {each.key: (each.bytes, each.archived) for each in listed if each.key in wanted}
        found: dict[str, tuple[int, bool]] = {}
        for key, head in self._each(keys, self._store.head):
            if isinstance(head, BaseException):
                raise head
            if head is not None:
                found[key] = (head.bytes, head.archived)
        return found

    # -- the work --------------------------------------------------------------------------------

    def restore(self, survey: Survey) -> Result:
        """Write all that is left to do; a full disk, or a store that refuses, ends it early."""
        result = Result(problems=list(survey.problems))
        groups: dict[str, list[Target]] = {}
        for target in survey.todo:
            groups.setdefault(target.original, []).append(target)

        def one(targets: list[Target]) -> list[tuple[Target, Problem | None]]:
            try:
                return self._restore_group(targets, survey)
            except BackupError:
                self.stop()  # The others would meet the same.
                raise

        for _, done in self._each(groups.values(), one):
            if isinstance(done, BackupError):
                # The first says why; the others were told to stop and say no more than that.
                result.error = result.error or (None if isinstance(done, Stopped) else done)
                result.stopped = True
                continue
            if isinstance(done, BaseException):
                self.stop()
                raise done
            for target, problem in done:
                if problem is None:
                    result.written.append(target)
                else:
                    result.problems.append(problem)
        return result

    def _restore_group(
        self, targets: list[Target], survey: Survey
    ) -> list[tuple[Target, Problem | None]]:
        """All files of one original: the first from the store, the others from the first."""
        outcomes: list[tuple[Target, Problem | None]] = []
        near = survey.local.get(targets[0].original)
        for target in targets:
            if self._stop.is_set():
                raise Stopped("interrupted")
            problem = self._restore_one(target, near, present=target.path in survey.present)
            if near is None and (problem is None or problem.code == "sidecar"):
                near = target
            outcomes.append((target, problem))
            if self._observer is not None:
                self._observer.file_done(target, problem)
        return outcomes

    def _restore_one(self, target: Target, near: Target | None, *, present: bool) -> Problem | None:
        try:
            record, why = self._record(target)
            if not present:
                self._write(target, near, record)
            if target.sidecar is None:
                return None
            if record is None:
                return _problem(target, "sidecar", f"is there, but without its sidecar: {why}")
            return self._write_sidecar(target, record)
        except (Stopped, TargetUnusable):
            raise
        except BackupError as error:
            if error.fatal:
                raise
            return _problem(target, error.code, str(error))
        except OSError as error:
            if error.errno in _FULL:
                raise TargetUnusable(f"{self._target} cannot take more: {_said(error)}") from None
            return _problem(target, "file_error", f"cannot be written: {_said(error)}")

    def _record(self, target: Target) -> tuple[dict[str, Any] | None, str]:
        try:
            body = self._store.read(target.record)
            record = json.loads(body)
        except NotStored:
            return None, f"{target.record} is missing from the backup"
        except (ValueError, RecursionError):
            return None, f"{target.record} is damaged"
        sound = (
            fingerprint(body) == target.fingerprint
            and isinstance(record, dict)
            and isinstance(record.get("image"), dict)
        )
        return (record, "") if sound else (None, f"{target.record} is damaged")

    def _write(self, target: Target, near: Target | None, record: dict[str, Any] | None) -> None:
        instant = moment_of(record["image"] if record else {}, target.last_updated)
        seconds = None if instant is None else instant.timestamp()
        with self._part() as part:
            if near is None or not self._filled(part, target, _chunks_of(self._path(near.path))):
                self._fetch(part, target)
            self._place(part, target.path, seconds)

    def _fetch(self, part: Path, target: Target) -> None:
        for _ in range(_TRIES):
            with self._store.open(target.original) as chunks:
                if self._filled(part, target, self._heard(chunks)):
                    return
        raise _Damaged(f"{target.original} is damaged in the backup: its SHA-256 is another")

    def _heard(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._observer is not None:
                self._observer.received(len(chunk))
            yield chunk

    def _filled(self, part: Path, target: Target, chunks: Iterable[bytes]) -> bool:
        """Write ``chunks`` durably; whether they are the bytes that the manifest names."""
        digest, size = hashlib.sha256(), 0
        with open(part, "wb") as file:
            for chunk in chunks:
                if self._stop.is_set():
                    raise Stopped("interrupted")
                size += len(chunk)
                if size > target.bytes:
                    return False
                digest.update(chunk)
                file.write(chunk)
            if size != target.bytes or digest.hexdigest() != target.sha256:
                return False
            file.flush()
            os.fsync(file.fileno())
        return True

    def _write_sidecar(self, target: Target, record: dict[str, Any]) -> Problem | None:
        assert target.sidecar is not None
        state = self._sidecar_state(target)
        if state == "absent":
            body = xmp_sidecar(record) if self._sidecar == "xmp" else json_sidecar(record)
            with self._part() as part:
                with open(part, "wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                self._place(part, target.sidecar, None)
        if state == "differs":
            return _differs(target, target.sidecar, code="sidecar")
        return None

    # -- files -----------------------------------------------------------------------------------

    @contextmanager
    def _part(self) -> Iterator[Path]:
        part = self._target / WORKSHOP / f"{next(self._numbers)}.part"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def _place(self, part: Path, path: str, seconds: float | None) -> None:
        """Give a finished file its name, if nothing has that name. Raises _Differs."""
        final = self._path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        if seconds is not None:
            # Some file systems have no time before 1970 or 1980; the photo matters more.
            with suppress(OSError, OverflowError):
                os.utime(part, (seconds, seconds))
        try:
            os.link(part, final)
        except FileExistsError:
            raise _Differs("another file of that name is there; it was left as it is") from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # FAT and some network drives have no links. Looking first leaves a moment in which
            # another program could make that very file; on Windows, rename itself refuses.
            if os.path.lexists(final):
                raise _Differs("another file of that name is there; it was left as it is") from None
            part.rename(final)
        for folder in (final.parent, *final.parent.parents):
            self._folders.add(folder)
            if folder == self._target:
                break

    def _path(self, relative: str) -> Path:
        return self._target.joinpath(*relative.split("/"))

    def _each(self, items: Iterable[Any], work: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
        """(item, result or exception) in the order of completion, a bounded number at a time."""
        todo = iter(items)
        running: dict[Future[Any], Any] = {}
        with ThreadPoolExecutor(self._threads, thread_name_prefix="restore") as pool:
            try:
                while True:
                    for item in islice(todo, 4 * self._threads - len(running)):
                        running[pool.submit(work, item)] = item
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.exception() or future.result()
            except BaseException:
                # Ctrl-C, or our caller gave up: those under way end at their next chunk.
                self.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def free_bytes(target: Path) -> int:
    """Free space where ``target`` is, or will be."""
    there = target.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def refuse_overlap(location: str, target: Path) -> None:
    """Nothing is restored into the backup itself, nor around it. Raises BadRequest."""
    if location.startswith("s3://"):
        return
    store, into = Path(location).expanduser().resolve(), target.resolve()
    if into == store or store in into.parents or into in store.parents:
        raise BadRequest(f"{target} and the backup {location} lie within each other")


def _chunks_of(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _lock(descriptor: int) -> bool:
    """Whether we have the lock, or there are no locks here."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _make_durable(folder: Path) -> None:
    with suppress(OSError):  # Windows cannot open a folder.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _before(key: str) -> str:
    return key[:-1]


def _problem(target: Target, code: str, message: str) -> Problem:
    return Problem(target.album_key, target.image_key, target.path, code, message)


def _differs(target: Target, path: str, *, code: str = "differs") -> Problem:
    message = "another file of that name is there; it was left as it is"
    return Problem(target.album_key, target.image_key, path, code, message)


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__


__all__ = [
    "Observer",
    "Restorer",
    "Result",
    "Stopped",
    "StoreError",
    "Survey",
    "TargetUnusable",
    "free_bytes",
    "refuse_overlap",
]
