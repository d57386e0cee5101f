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
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TID251 - restored files are written here
from typing import Protocol

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.details import moment_of
from smugmug_backup.errors import Archived, BackupError, NotStored
from smugmug_backup.restore.ahead import Ahead
from smugmug_backup.restore.alone import Alone, Forgotten, Missing, problem_of, said
from smugmug_backup.restore.folder import Differs, Folder, Linked, flush
from smugmug_backup.restore.plan import Plan, Problem, Target
from smugmug_backup.restore.record import Record
from smugmug_backup.restore.sidecars import Sidecars
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
        self._sidecars = Sidecars(self._folder, sidecar)
        self._workers = Workers(threads)
        self._observer = observer
        self._alone = Alone(archive.look, self._folder.try_out, target=str(target))
        self._surveyor = Surveyor(archive, self._folder, self._sidecars, self._workers, self._alone)
        self._records = Ahead(archive, self._workers)
        self._frozen: list[str] = []

    def stop(self) -> None:
        """Begin no more files and leave those under way; from any thread."""
        self._workers.stop()

    def workshop(self) -> AbstractContextManager[None]:
        """What `restore` works in; see `Folder.workshop`. Raises TargetUnusable."""
        return self._folder.workshop()

    def survey(self, plan: Plan) -> Survey:
        """What of ``plan`` is left to do. Raises Stopped."""
        return self._surveyor.survey(plan)

    def look_up(self, survey: Survey, *, each: bool = False) -> None:
        """Take out what must be thawed first; see `Surveyor.look_up`. Raises Stopped, StoreGone."""
        self._surveyor.look_up(survey, each=each)

    def restore(self, survey: Survey) -> Result:
        """Write all that is left to do; what concerns all files ends it early."""
        result = Result(problems=list(survey.problems), thaw=list(survey.thaw))
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
        near = survey.local.get(targets[0].original)
        for target in targets:
            self._workers.check()
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
        except Exception as error:  # noqa: BLE001 - it is this file's problem, the others come
            self._give_up_if_all(error)
            return problem_of(target, error)

    def _give_up_if_all(self, error: Exception) -> None:
        halted = self._alone.concerns_all(error)
        if halted is not None:
            self.stop()  # The others would meet the same.
            raise halted from None

    def _written(self, target: Target, near: Target | None, *, present: bool) -> Problem | None:
        record, why = None, "its record is lost in the backup"
        try:
            record = self._records.of(target)
        except Exception as error:  # noqa: BLE001 - it costs the sidecar and the time, no photo
            if present:
                self._give_up_if_all(error)
            why = problem_of(target, error).message
        if not present:
            self._write(target, near, record)
            self._alone.went_well()
        if target.sidecar is None:
            return None
        if record is None:
            return target.problem("sidecar", f"is there, but without its sidecar: {why}")
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
            return self._filled(part, target, self._workers.chunks_of(self._folder.path(near.path)))
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
            self._sidecars.write(target, record)
        except (Differs, Linked) as error:
            return Problem(target.album_key, target.image_key, path, "sidecar", str(error))
        except OSError as error:
            self._give_up_if_all(error)
            message = f"its sidecar cannot be written: {said(error)}"
            return Problem(target.album_key, target.image_key, path, "sidecar", message)
        return None
