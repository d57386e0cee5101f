"""A worker's batch: some albums of another run's plan."""

from concurrent.futures import Executor
from dataclasses import replace

from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.report import AlbumState, NextFull
from smugmug_backup.backup import overflow as handover
from smugmug_backup.backup.account import Binding, check_binding
from smugmug_backup.backup.album import AlbumWork
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.findings import Findings
from smugmug_backup.backup.originals import Originals
from smugmug_backup.backup.overflow import PlannedAlbum, PlannedBatch
from smugmug_backup.backup.session import Parts, Session
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError, BadRequest


class Batch(Session):
    """One child's turn."""

    def __init__(
        self,
        parts: Parts,
        run: str,
        deadline: Deadline,
        albums_pool: Executor,
        transfers: Executor,
    ) -> None:
        super().__init__(parts, deadline, albums_pool, transfers)
        self._run = run

    def work(self, planned: PlannedBatch) -> bool:
        """See `Backup.work`."""
        if not handover.has_plan(self.archive.store, self._run):
            raise BadRequest(f"there is no plan of run {self._run} in this store")
        # What was the owner's view when it was planned may be a lesser one by now.
        account = self.ask_account()
        check_binding(Binding(planned.account), account)
        context = self.context(
            planned.account,
            self._run,
            self.date(),
            accepted=planned.accept_shrink,
            findings=Findings.of_check(self._check(planned), None).albums,
        )
        work = AlbumWork(context, Originals(context))

        def one(each: PlannedAlbum) -> tuple[bool, bool]:
            return self._one(work, context, each)

        results = list(self.albums_pool.map(one, planned.albums))
        progress = any(moved for moved, _ in results)
        return progress and any(left for _, left in results)

    def _check(self, planned: PlannedBatch) -> CheckReport | None:
        return self.archive.check_report(planned.check) if planned.check else None

    def _one(self, work: AlbumWork, context: Context, planned: PlannedAlbum) -> tuple[bool, bool]:
        """(did this turn achieve anything, is there anything left) of one album."""
        key = planned.album.key
        turns = handover.turns_of(self.archive.store, self._run, key)
        if turns and not turns[-1].outcome.left_over:
            return False, False
        state = turns[-1].outcome.state if turns else planned.state
        unreadable: BackupError | None = None
        try:
            state = self._newest(key, state, context)
        except BackupError as error:
            unreadable = error
        outcome = work.back_up(planned.album, state, unreadable=unreadable)
        if self.parts.observer is not None:
            self.parts.observer.album_done(planned.album, outcome)
        outcome = replace(outcome, clock_doubted=context.date.doubted)
        if context.alone.halted is not None and outcome.halted:
            raise context.alone.halted
        if outcome.left_over and not outcome.committed:
            return False, True
        number = turns[-1].number + 1 if turns else 1
        handover.store_outcome(self.archive.store, self._run, key, outcome, turn=number)
        return True, outcome.left_over

    def _newest(self, key: str, state: AlbumState, context: Context) -> AlbumState:
        """The state to begin from: that of the plan, unless another run has committed since."""
        listed = self.archive.generations_of(key)
        if (listed[-1] if listed else 0) <= state.generation:
            return state
        stated = {state.generation: state.manifest_sha256}
        newest = self.archive.sound_from(key, listed, stated)
        if newest.manifest is None:
            return replace(state, generation=newest.generation)
        found = AlbumState.of(newest.manifest, reason=NextFull.STATE_LOST, when=context.when())
        return replace(found, generation=newest.generation, tried_at=state.tried_at)
