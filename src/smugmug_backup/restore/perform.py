"""Write a planned restore: nothing is overwritten, every byte is verified, all can be resumed.

A file is written beside the others under a name of its own, verified, made durable, and only then
given its name, which fails if that name is taken. So a file under its own name is always whole,
wherever the process was killed, and one that is there with the right SHA-256 is not fetched again.

An image in several albums is fetched once and then copied from the first file: copies, not hard
links, because a program that edits one file in place must not change the other albums' too.

What happens to one file is that file's problem, whatever it is; what concerns all ends the work
(`alone`). Either way the result tells what was done.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path  # noqa: TID251 - restored files are written here
from stat import S_ISREG
from typing import Any, Protocol

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.manifest import Entry
from smugmug_backup.errors import Archived, BackupError, Code, ListingIncomplete, NotStored
from smugmug_backup.model import StoredObject
from smugmug_backup.restore.alone import Alone, Missing, TargetUnusable, said
from smugmug_backup.restore.folder import Differs, Folder, Linked, differs, flush
from smugmug_backup.restore.plan import Note, Plan, Problem, Target
from smugmug_backup.restore.record import is_sidecar_of, json_sidecar, moment_of, xmp_sidecar

_CHUNK = 1 << 20
_LARGEST_SIDECAR = 16 << 20
_MANY = 500
"""From so many originals on, a listing says what lies there, not a question for each."""
_AHEAD = 256
"""So many originals' records are looked for together …"""
_OF_ONE_FILE = 8
"""… where so many lie in one file, which is then read once."""

Record = dict[str, Any]


class Stopped(BackupError):
    """The owner interrupted; the same command goes on."""

    code = Code.INTERRUPTED


class _Damaged(BackupError):
    code = "damaged"


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
    ``thaw``: the keys of what must be thawed before it can be read.
    """

    todo: list[Target] = field(default_factory=list)
    done: list[Target] = field(default_factory=list)
    local: dict[str, Target] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    thaw: list[str] = field(default_factory=list)

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
    """How it went: files written, and what is not there, or not as SmugMug has it, and why.

    ``stopped``: by the owner, or by ``error``, which concerns more than one file. ``thaw``: the
    keys of what must be thawed first.
    """

    written: list[Target] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    stopped: bool = False
    error: BackupError | None = None
    thaw: list[str] = field(default_factory=list)


class Restorer:
    """Restores into one folder; at most one at a time works there, where the disk has locks.

    ``token``: random, no other restore has the same.
    """

    def __init__(
        self,
        archive: Archive,
        target: Path,
        *,
        token: str,
        sidecar: str = "json",
        threads: int = 8,
        observer: Observer | None = None,
    ) -> None:
        self._archive = archive
        self._folder = Folder(target, token=token)
        self._sidecar = sidecar
        self._threads = threads
        self._observer = observer
        self._stop = threading.Event()
        self._alone = Alone(archive.look, self._folder.try_out)
        self._records: dict[str, Record | None] = {}
        self._frozen: list[str] = []

    def stop(self) -> None:
        """Begin no more files and leave those under way; from any thread."""
        self._stop.set()

    def workshop(self) -> AbstractContextManager[None]:
        """What `restore` works in; see `Folder.workshop`. Raises TargetUnusable."""
        return self._folder.workshop()

    # -- what is there ---------------------------------------------------------------------------

    def survey(self, plan: Plan) -> Survey:
        """Compare the folder with ``plan``: size, then SHA-256. Raises Stopped."""
        found = Survey()
        for target, state in self._each(plan.targets, self._state_of):
            if isinstance(state, Stopped):
                raise Stopped("interrupted; nothing was written")
            if isinstance(state, BaseException):
                found.problems.append(_problem_of(target, state, doing="looked at"))
                continue
            if state != "absent":
                found.local.setdefault(target.original, target)
                found.present.add(target.path)
            (found.done if state == "done" else found.todo).append(target)
        order = {target.path: number for number, target in enumerate(plan.targets)}
        found.todo.sort(key=lambda target: order[target.path])
        return found

    def _state_of(self, target: Target) -> str:
        """``absent``, ``bare`` (without its sidecar), or ``done``. Raises Differs, Linked, OSError,
        Stopped."""
        self._check_stopped()
        there = self._folder.look(target.path)
        if there is None:
            return "absent"
        if not S_ISREG(there.st_mode) or there.st_size != target.bytes:
            raise differs()
        if self._sha256_of(self._folder.path(target.path)) != target.sha256:
            raise differs()
        try:
            return "done" if self._has_sidecar(target) else "bare"
        except (Differs, Linked, OSError):
            return "bare"  # It is told when its sidecar is to be written.

    def _sha256_of(self, path: Path) -> str:
        digest = hashlib.sha256()
        for chunk in self._chunks_of(path):
            digest.update(chunk)
        return digest.hexdigest()

    def _has_sidecar(self, target: Target) -> bool:
        """Whether it is there, or none is wanted. Raises Differs, Linked, OSError."""
        if target.sidecar is None:
            return True
        there = self._folder.look(target.sidecar)
        if there is None:
            return False
        if not S_ISREG(there.st_mode) or there.st_size > _LARGEST_SIDECAR:
            raise differs()
        body = self._folder.path(target.sidecar).read_bytes()
        if not is_sidecar_of(body, self._sidecar, target.fingerprint):
            raise differs()
        return True

    # -- what is archived ------------------------------------------------------------------------

    def look_up(self, survey: Survey, *, each: bool = False) -> None:
        """Take out of ``survey`` what must be thawed first.

        Of more than 500 originals a listing tells, which knows nothing of the archive tiers of
        Intelligent-Tiering; what lies there is found out when it is fetched, or with ``each``.
        """
        wanted = list(survey.downloads())
        stored = self._asked(wanted) if each or len(wanted) <= _MANY else self._listed(wanted)
        archived = {key for key, found in stored.items() if found.archived}
        for target in survey.todo:
            if target.original in archived:
                message = "lies in an archive class and must be thawed first"
                survey.problems.append(_problem(target, Code.ARCHIVED, message))
        survey.todo = [target for target in survey.todo if target.original not in archived]
        survey.thaw += sorted(archived)

    def _listed(self, wanted: Sequence[str]) -> dict[str, StoredObject]:
        found, keys = {}, set(wanted)
        try:
            for each in self._archive.originals():
                self._check_stopped()
                if each.key in keys:
                    found[each.key] = each
        except ListingIncomplete:
            pass  # What it lacks will tell its own trouble.
        return found

    def _asked(self, wanted: Sequence[str]) -> dict[str, StoredObject]:
        found: dict[str, StoredObject] = {}
        halted: BackupError | None = None

        def one(key: str) -> StoredObject | None:
            self._check_stopped()
            return self._archive.store.head(key)

        for key, head in self._each(wanted, one):
            if isinstance(head, Stopped):
                if halted is None:
                    raise Stopped("interrupted; nothing was written")
            elif isinstance(head, Exception):
                halted = halted or self._alone.concerns_all(head)
                if halted is not None:
                    self.stop()
            elif head is not None:
                found[key] = head
        if halted is not None:
            raise halted
        return found

    # -- the work --------------------------------------------------------------------------------

    def restore(self, survey: Survey) -> Result:
        """Write all that is left to do; what concerns all files ends it early."""
        result = Result(problems=list(survey.problems), thaw=list(survey.thaw))
        groups: dict[str, list[Target]] = {}
        for target in survey.todo:
            groups.setdefault(target.original, []).append(target)

        def one(targets: list[Target]) -> None:
            self._restore_group(targets, survey, result)

        for targets, done in self._each(self._with_records(groups.values(), survey), one):
            if isinstance(done, Stopped) or done is self._alone.halted is not None:
                result.stopped = True
            elif isinstance(done, Exception):
                # Not of any file: an observer's, or a defect of ours.
                result.problems.append(_problem_of(targets[0], done))
        result.error = self._alone.halted
        result.thaw += self._frozen
        result.stopped = result.stopped or result.error is not None
        for target in (*survey.done, *result.written):
            if target.note is not None:
                result.problems.append(_problem(target, *target.note))
        return result

    def _restore_group(self, targets: list[Target], survey: Survey, result: Result) -> None:
        """All files of one original: the first from the store, the others from the first."""
        near = survey.local.get(targets[0].original)
        for target in targets:
            self._check_stopped()
            problem = self._restore_one(target, near, present=target.path in survey.present)
            if near is None and (problem is None or problem.code == "sidecar"):
                near = target
            if problem is None:
                result.written.append(target)
            else:
                result.problems.append(problem)
            if self._observer is not None:
                self._observer.file_done(target, problem)

    def _restore_one(self, target: Target, near: Target | None, *, present: bool) -> Problem | None:
        try:
            return self._written(target, near, present=present)
        except Stopped:
            raise
        except TargetUnusable as error:
            self._alone.halted = self._alone.halted or error
            self.stop()
            raise self._alone.halted from None
        except Exception as error:  # noqa: BLE001 - it is this file's problem, the others come
            self._give_up_if_all(error)
            return _problem_of(target, error)

    def _give_up_if_all(self, error: Exception) -> None:
        halted = self._alone.concerns_all(error)
        if halted is not None:
            self.stop()  # The others would meet the same.
            raise halted from None

    def _written(self, target: Target, near: Target | None, *, present: bool) -> Problem | None:
        record, why = None, "its record is lost in the backup"
        try:
            record = self._record(target)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - it costs the sidecar and the time, no photo
            if present:
                self._give_up_if_all(error)
            why = _problem_of(target, error).message
        if not present:
            self._write(target, near, record)
            self._alone.went_well()
        if target.sidecar is None:
            return None
        if record is None:
            return _problem(target, "sidecar", f"is there, but without its sidecar: {why}")
        return self._write_sidecar(target, target.sidecar, record)

    def _write(self, target: Target, near: Target | None, record: Record | None) -> None:
        instant = moment_of(record["image"] if record else {}, target.last_updated)
        seconds = None if instant is None else instant.timestamp()
        # Before anything is fetched and paid for.
        self._folder.make_home(target.path)
        with self._folder.part() as part:
            if near is None or not self._copied(part, target, near):
                self._fetch(part, target)
            self._folder.place(part, target.path, seconds)

    def _copied(self, part: Path, target: Target, near: Target) -> bool:
        try:
            return self._filled(part, target, self._chunks_of(self._folder.path(near.path)))
        except OSError:
            return False  # It comes from the store.

    def _fetch(self, part: Path, target: Target) -> None:
        """The bytes by the readers' rule: the name that has the SHA-256 counts."""
        seen = False
        for name in self._archive.names_of(target.original):
            try:
                with self._archive.store.open(name) as chunks:
                    seen = True
                    if self._filled(part, target, self._heard(chunks)):
                        return
            except NotStored:
                continue
            except Archived:
                self._frozen.append(name)
                raise
        if not seen:
            raise Missing(f"{target.original} is missing from the backup")
        raise _Damaged(f"{target.original} is damaged in the backup: its SHA-256 is another")

    def _heard(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._observer is not None:
                self._observer.received(len(chunk))
            yield chunk

    def _filled(self, part: Path, target: Target, chunks: Iterable[bytes]) -> bool:
        """Write ``chunks`` durably; whether they are the bytes that the manifest names."""
        digest, size = hashlib.sha256(), 0
        with open(part, "r+b") as file:
            file.truncate()
            for chunk in chunks:
                self._check_stopped()
                size += len(chunk)
                if size > target.bytes:
                    return False
                digest.update(chunk)
                file.write(chunk)
            if size != target.bytes or digest.hexdigest() != target.sha256:
                return False
            file.flush()
            flush(file.fileno())
        return True

    def _write_sidecar(self, target: Target, path: str, record: Record) -> Problem | None:
        try:
            if self._has_sidecar(target):
                return None
            body = xmp_sidecar(record) if self._sidecar == "xmp" else json_sidecar(record)
            with self._folder.part() as part:
                with open(part, "r+b") as file:
                    file.write(body)
                    file.flush()
                    flush(file.fileno())
                self._folder.place(part, path, None)
        except (Differs, Linked) as error:
            return Problem(target.album_key, target.image_key, path, "sidecar", str(error))
        except OSError as error:
            self._give_up_if_all(error)
            message = f"its sidecar cannot be written: {said(error)}"
            return Problem(target.album_key, target.image_key, path, "sidecar", message)
        return None

    # -- records ---------------------------------------------------------------------------------

    def _with_records(
        self, groups: Iterable[list[Target]], survey: Survey
    ) -> Iterator[list[Target]]:
        """The same groups, the records of those that come next read ahead."""
        todo = iter(groups)
        while block := list(islice(todo, _AHEAD)):
            if self._sidecar != "none":
                self._read_ahead([target for group in block for target in group])
            yield from block

    def _read_ahead(self, targets: Iterable[Target]) -> None:
        by_file: dict[tuple[str, str], list[tuple[Target, Entry]]] = {}
        for target in targets:
            entry = target.entry
            if entry is not None and entry.record is not None and target.sidecar is not None:
                by_file.setdefault((target.album_key, entry.record), []).append((target, entry))
        for (album_key, _), wanted in by_file.items():
            if len(wanted) < _OF_ONE_FILE or self._stop.is_set():
                continue
            try:
                found = self._archive.records(album_key, [entry for _, entry in wanted], map)
            except BackupError:
                continue  # Each asks for itself, and tells why it is not there.
            for target, _ in wanted:
                self._records[target.path] = found.get(target.image_key)

    def _record(self, target: Target) -> Record | None:
        """The record; None if it is lost. Raises StoreError."""
        if target.path in self._records:
            return self._records.pop(target.path)
        if target.entry is None:
            return None
        return self._archive.record(target.album_key, target.entry)

    # -- threads ---------------------------------------------------------------------------------

    def _check_stopped(self) -> None:
        if self._stop.is_set():
            raise Stopped("interrupted")

    def _chunks_of(self, path: Path) -> Iterator[bytes]:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                self._check_stopped()
                yield chunk

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


def _problem_of(target: Target, error: BaseException, *, doing: str = "written") -> Problem:
    return _problem(target, *_told(error, doing))


def _told(error: BaseException, doing: str) -> Note:
    if isinstance(error, BackupError):
        return error.code, str(error)
    if isinstance(error, OSError):
        return "file_error", f"cannot be {doing}: {said(error)}"
    # Its text is not told: an exception of an HTTP library may hold a signed URL.
    return Code.DEFECT, f"{type(error).__name__}: this should not happen"


def _problem(target: Target, code: str, message: str) -> Problem:
    return Problem(target.album_key, target.image_key, target.path, code, message)
