"""Backups: one run of the whole account, or of chosen albums; and the overflow of one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.account_run import AccountRun
from smugmug_backup.backup.context import Options
from smugmug_backup.backup.request import DryRun, RunRequest
from smugmug_backup.backup.session import Observer, Parts
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.ports import BackupStore, Overflow, PhotoSource

if TYPE_CHECKING:
    from smugmug_backup.backup.overflow import PlannedBatch

__all__ = ["Backup", "DryRun", "Observer", "Options", "RunRequest"]


@dataclass(frozen=True, slots=True)
class Backup:
    """The backup of one account into one store.

    ``token`` gives 8 random hex digits for a new run id. Without ``overflow``, what an invocation
    leaves over waits for the next one.
    """

    source: PhotoSource
    store: BackupStore
    clock: Clock
    token: Callable[[], str]
    options: Options = Options()  # noqa: RUF009 - it is frozen
    overflow: Overflow | None = None
    observer: Observer | None = None

    def run(self, request: RunRequest, *, deadline: Deadline) -> RunReport | DryRun:
        """Back up the account, or the chosen albums, and store the report.

        Returns the report, whatever its status; a dry run raises what a report would tell. Raises
        RunRefused if the store belongs to another account or view, BadRequest for albums that the
        account does not have (both before anything is written), and StoreError, FormatTooNew or
        EarlierForm if the store cannot be read or written.
        """
        with self._pools() as pools:
            return AccountRun(self._parts(), request, deadline, *pools).run()

    def work(self, run: str, planned: "PlannedBatch", *, deadline: Deadline) -> bool:
        """Do a batch of another run's plan; each outcome is stored under ``work/``.

        Returns whether it made progress and something is left, so that another turn pays. Raises
        BadRequest if the store holds no plan of that run, RunRefused if the source shows another
        account, or less of it, than the plan was made for.
        """
        from smugmug_backup.backup.batch import Batch

        with self._pools() as pools:
            return Batch(self._parts(), run, deadline, *pools).work(planned)

    def finish(self, run: str, *, deadline: Deadline) -> RunReport:
        """Close a run's overflow: store a report made from its plan and outcomes.

        Raises BadRequest if there is no plan, or none of ours.
        """
        from smugmug_backup.backup.finish import Finish

        with self._pools() as pools:
            return Finish(self._parts(), run, deadline, *pools).finish()

    def _parts(self) -> Parts:
        return Parts(
            self.source,
            Archive(self.store),
            self.clock,
            self.options,
            self.token(),
            self.overflow,
            self.observer,
        )

    @contextmanager
    def _pools(self) -> Iterator[Sequence[Executor]]:
        options = self.options
        with (
            ThreadPoolExecutor(options.threads, thread_name_prefix="transfer") as transfers,
            ThreadPoolExecutor(options.concurrency, thread_name_prefix="album") as albums,
        ):
            try:
                yield albums, transfers
            finally:
                albums.shutdown(wait=False, cancel_futures=True)
                transfers.shutdown(wait=False, cancel_futures=True)
