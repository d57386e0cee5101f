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
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path  # noqa: TID251 - restored files are written here
from typing import Protocol

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.details import moment_of
from smugmug_backup.errors import Archived, BackupError, NotStored
from smugmug_backup.restore.ahead import Ahead
from smugmug_backup.restore.alone import Alone, Forgotten, Missing, problem_of, said
from smugmug_backup.restore.embed import Embedder
from smugmug_backup.restore.folder import Differs, Folder, Linked, flush
from smugmug_backup.restore.plan import Plan, Problem, Target
from smugmug_backup.restore.record import Record
from smugmug_backup.restore.sidecars import Sidecars, wanted
from smugmug_backup.restore.survey import Survey, Surveyor
from smugmug_backup.restore.workers import Stopped, Workers


class _Damaged(BackupError):
    code = "damaged"


class Observer(Protocol):
    """Hears what a restore does, from many threads."""

    def received(self, size: int) -> None:
        """``size`` more bytes were read from the store."""

    def file_done(self, target: Target, problem: Problem | None) -> None:
        """One file is there, or is not."""


@dataclass(slots=True)
class Result:
    """How it went: files written, and what is not there, or not as SmugMug has it, and why.

    ``stopped``: by the owner, or by ``error``, which concerns more than one file. ``thaw``: the
    keys of what must be thawed first. ``embedded``: the paths of files that hold what SmugMug
    says of them, of those that are written or were there.
    """

    written: list[Target] = field(default_factory=list)
    embedded: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    stopped: bool = False
    error: BackupError | None = None
    thaw: list[str] = field(default_factory=list)


class Restorer:
    """Restores into one folder; at most one at a time works there, where the disk has locks.

    ``token``: random, no other restore has the same. ``embedder``: for targets that ask for it.
    """

    def __init__(
        self,
        archive: Archive,
        target: Path,
        *,
        token: str,
        threads: int = 8,
        observer: Observer | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self._archive = archive
        self._folder = Folder(target, token=token)
        self._sidecars = Sidecars(self._folder)
        self._embedder = embedder
        self._workers = Workers(threads)
        self._observer = observer
        self._alone = Alone(archive.look, self._folder.try_out, target=str(target))
        self._surveyor = Surveyor(
            archive, self._folder, self._sidecars, self._workers, self._alone, embedder
        )
        self._records = Ahead(archive, self._workers)
        self._frozen: list[str] = []

    def stop(self) -> None:
        """Begin no more files and leave those under way; from any thread."""
        self._workers.stop()

    def workshop(self) -> AbstractContextManager[None]:
        """What `restore` works in; see `Folder.workshop`. Raises TargetUnusable."""
        return self._folder.workshop()

    def keep(self, name: str, body: bytes) -> str:
        """Write a table, within `workshop`; under which name. Where another one has its name, it
        gets a number: ``albums 2.csv``. Raises Linked, OSError, TargetUnusable."""
        stem, _, extension = name.rpartition(".")
        for number in count(1):
            free = name if number == 1 else f"{stem} {number}.{extension}"
            try:
                self._folder.put(free, body)
            except Differs:
                continue
            return free
        raise AssertionError("there is a next number")

    def survey(self, plan: Plan) -> Survey:
        """What of ``plan`` is left to do. Raises Stopped."""
        return self._surveyor.survey(plan)

    def look_up(self, survey: Survey, *, each: bool = False) -> None:
        """Take out what must be thawed first; see `Surveyor.look_up`. Raises Stopped, StoreGone."""
        self._surveyor.look_up(survey, each=each)

    def restore(self, survey: Survey) -> Result:
        """Write all that is left to do; what concerns all files ends it early."""
        result = Result(problems=list(survey.problems), thaw=list(survey.thaw))
        result.embedded |= survey.embedded
        groups: dict[str, list[Target]] = {}
        for target in survey.todo:
            groups.setdefault(target.original, []).append(target)

        def one(targets: list[Target]) -> None:
            self._restore_group(targets, survey, result)

        for targets, done in self._workers.each(self._records.reading(groups.values()), one):
            if isinstance(done, Stopped) or (done is not None and done is self._alone.halted):
                result.stopped = True
            elif isinstance(done, Exception):
                # Of no file: an observer's, or a defect of ours.
                result.problems.append(problem_of(targets[0], done))
        result.error = self._alone.halted
        result.stopped = result.stopped or result.error is not None
        result.thaw += self._frozen
        for target in (*survey.done, *result.written):
            if target.note is not None:
                result.problems.append(target.problem(*target.note))
        return result

    def _restore_group(self, targets: list[Target], survey: Survey, result: Result) -> None:
        """All files of one original: the first from the store, the others from the first."""
        local = survey.local.get(targets[0].original)
        near = None if local is None else self._folder.path(local.path)
        with ExitStack() as stack:
            for number, target in enumerate(targets, 1):
                self._workers.check()
                spare = None
                if near is None and target.embed and number < len(targets):
                    # What becomes of this file is no original to copy from.
                    spare = self._spare(stack)
                present = target.path in survey.present
                problem = self._restore_one(target, near, spare, result, present=present)
                if near is None and spare is not None:
                    near = spare if spare.stat().st_size == target.bytes else None
                elif near is None and (problem is None or problem.code == "sidecar"):
                    near = None if target.embed else self._folder.path(target.path)
                if problem is None:
                    result.written.append(target)
                else:
                    result.problems.append(problem)
                if self._observer is not None:
                    self._observer.file_done(target, problem)

    def _spare(self, stack: ExitStack) -> Path | None:
        try:
            return stack.enter_context(self._folder.part())
        except (OSError, BackupError):
            return None  # The next one comes from the store, too.

    def _restore_one(
        self,
        target: Target,
        near: Path | None,
        spare: Path | None,
        result: Result,
        *,
        present: bool,
    ) -> Problem | None:
        try:
            return self._written(target, near, spare, result, present=present)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - it is this file's problem, the others come
            self._give_up_if_all(error)
            return problem_of(target, error)

    def _give_up_if_all(self, error: Exception) -> None:
        halted = self._alone.concerns_all(error)
        if halted is not None:
            self.stop()  # The others would meet the same.
            raise halted from None

    def _written(
        self,
        target: Target,
        near: Path | None,
        spare: Path | None,
        result: Result,
        *,
        present: bool,
    ) -> Problem | None:
        record, why = None, "its record is lost in the backup"
        try:
            record = self._records.of(target)
        except Exception as error:  # noqa: BLE001 - it costs the sidecar and the time, no photo
            if present:
                self._give_up_if_all(error)
            why = problem_of(target, error).message
        if not present:
            if self._write(target, near, spare, record):
                result.embedded.add(target.path)
            self._alone.went_well()
        if record is None:
            if not target.described:
                return None
            return target.problem("sidecar", f"is there, but without its sidecar: {why}")
        for path in wanted(target, embedded=target.path in result.embedded):
            problem = self._write_sidecar(target, path, record)
            if problem is not None:
                return problem
        return None

    def _write(
        self, target: Target, near: Path | None, spare: Path | None, record: Record | None
    ) -> bool:
        """Whether it holds what SmugMug says of it."""
        instant = moment_of(record["image"] if record else {}, target.last_updated)
        # Before anything is fetched and paid for.
        self._folder.make_home(target.path)
        with self._folder.part() as part, ExitStack() as stack:
            if near is None or not self._copied(part, target, near):
                self._fetch(part, target)
            if spare is not None:
                shutil.copyfile(part, spare)
            final, embedded = part, False
            if target.embed and self._embedder is not None:
                if record is None or not record["image"].get("DateTimeOriginal"):
                    instant = self._embedder.taken(part) or instant
                copy = stack.enter_context(self._folder.part())
                embedded = record is not None and self._embed(part, copy, target, record)
                final = copy if embedded else part
            seconds = None if instant is None else instant.timestamp()
            self._folder.place(final, target.path, seconds)
        return embedded

    def _embed(self, part: Path, copy: Path, target: Target, record: Record) -> bool:
        assert self._embedder is not None
        shutil.copyfile(part, copy)
        if not self._embedder.embed(copy, target, record):
            return False
        with open(copy, "r+b") as file:
            flush(file.fileno())
        return True

    def _copied(self, part: Path, target: Target, near: Path) -> bool:
        try:
            return self._filled(part, target, self._workers.chunks_of(near))
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
            if self._archive.is_forgotten(target.original):
                raise Forgotten(f"{target.original} was forgotten by its owner: deleted for good")
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
                self._workers.check()
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
            self._sidecars.write(target, path, record)
        except (Differs, Linked) as error:
            return Problem(target.album_key, target.image_key, path, "sidecar", str(error))
        except OSError as error:
            self._give_up_if_all(error)
            message = f"its sidecar cannot be written: {said(error)}"
            return Problem(target.album_key, target.image_key, path, "sidecar", message)
        return None
