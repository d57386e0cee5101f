"""What of a plan is there already, and what of the rest can be fetched now."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from stat import S_ISREG

from smugmug_backup.archive.archive import Archive
from smugmug_backup.errors import BackupError, Code, ListingIncomplete
from smugmug_backup.model import StoredObject
from smugmug_backup.restore.alone import Alone, problem_of
from smugmug_backup.restore.embed import Embedder
from smugmug_backup.restore.folder import Differs, Folder, Linked, differs
from smugmug_backup.restore.plan import Plan, Problem, Target
from smugmug_backup.restore.sidecars import Sidecars, wanted
from smugmug_backup.restore.workers import Stopped, Workers

_MANY = 500
"""From so many originals on, a listing says what lies there, not a question for each."""


@dataclass(slots=True)
class Survey:
    """What of a plan is left to do in a folder that may hold a part already.

    ``done``: files that are there, with their sidecars. ``local``: files that are there, by
    original, to copy from; their sidecars, or the same image in another album, may be missing.
    ``embedded``: the paths of files that are there and hold what SmugMug says of them. ``thaw``:
    the keys of what must be thawed before it can be read.
    """

    todo: list[Target] = field(default_factory=list)
    done: list[Target] = field(default_factory=list)
    local: dict[str, Target] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    embedded: set[str] = field(default_factory=set)
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


@dataclass(frozen=True, slots=True)
class _State:
    """Of one file: whether it is there, with what is said of it in it, with its sidecars."""

    there: bool = False
    embedded: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Looks at the folder and the store; writes nothing."""

    archive: Archive
    folder: Folder
    sidecars: Sidecars
    workers: Workers
    alone: Alone
    embedder: Embedder | None = None

    def survey(self, plan: Plan) -> Survey:
        """Compare the folder with ``plan``: size, then SHA-256. Raises Stopped."""
        found = Survey()
        for target, state in self.workers.each(plan.targets, self._state_of):
            if isinstance(state, Stopped):
                raise state
            if isinstance(state, BaseException):
                found.problems.append(problem_of(target, state, doing="looked at"))
                continue
            if state.embedded:
                found.embedded.add(target.path)
            elif state.there:
                found.local.setdefault(target.original, target)
            if state.there:
                found.present.add(target.path)
            (found.done if state.done else found.todo).append(target)
        order = {target.path: number for number, target in enumerate(plan.targets)}
        found.todo.sort(key=lambda target: order[target.path])
        return found

    def _state_of(self, target: Target) -> "_State":
        """Raises Differs, Linked, OSError, Stopped."""
        self.workers.check()
        there = self.folder.look(target.path)
        if there is None:
            return _State()
        path = self.folder.path(target.path)
        if not S_ISREG(there.st_mode):
            raise differs()
        embedded = False
        if there.st_size != target.bytes or not self._has_bytes(target):
            embedded = target.embed and self.embedder is not None
            if not embedded or self.embedder is None or not self.embedder.holds(path, target):
                raise differs()
        try:
            paths = wanted(target, embedded=embedded)
            done = all(self.sidecars.has(target, each) for each in paths)
        except (Differs, Linked, OSError):
            done = False  # It is told when its sidecar is to be written.
        return _State(there=True, embedded=embedded, done=done)

    def _has_bytes(self, target: Target) -> bool:
        digest = hashlib.sha256()
        for chunk in self.workers.chunks_of(self.folder.path(target.path)):
            digest.update(chunk)
        return digest.hexdigest() == target.sha256

    def look_up(self, survey: Survey, *, each: bool) -> None:
        """Take out of ``survey`` what must be thawed first.

        Of more than 500 originals a listing tells, which knows nothing of the archive tiers of
        Intelligent-Tiering; what lies there is found out when it is fetched, or with ``each``.
        Raises Stopped, StoreGone.
        """
        wanted = list(survey.downloads())
        stored = self._asked(wanted) if each or len(wanted) <= _MANY else self._listed(wanted)
        archived = {key for key, found in stored.items() if found.archived}
        for target in survey.todo:
            if target.original in archived:
                message = "lies in an archive class and must be thawed first"
                survey.problems.append(target.problem(Code.ARCHIVED, message))
        survey.todo = [target for target in survey.todo if target.original not in archived]
        survey.thaw += sorted(archived)

    def _listed(self, wanted: Sequence[str]) -> dict[str, StoredObject]:
        found, keys = {}, set(wanted)
        try:
            for each in self.archive.originals():
                self.workers.check()
                if each.key in keys:
                    found[each.key] = each
        except ListingIncomplete:
            pass  # What it lacks will tell its own trouble.
        return found

    def _asked(self, wanted: Sequence[str]) -> dict[str, StoredObject]:
        found: dict[str, StoredObject] = {}
        halted: BackupError | None = None

        def one(key: str) -> StoredObject | None:
            self.workers.check()
            return self.archive.store.head(key)

        for key, head in self.workers.each(wanted, one):
            if isinstance(head, Stopped):
                if halted is None:
                    raise head
            elif isinstance(head, Exception):
                # One that is refused will tell its own trouble when it is fetched.
                halted = halted or self.alone.concerns_all(head)
                if halted is not None:
                    self.workers.stop()
            elif head is not None:
                found[key] = head
        if halted is not None:
            raise halted
        return found
