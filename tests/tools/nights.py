"""Nightly runs of one account into one store, for tests."""

from collections.abc import Callable
from itertools import count
from typing import Any

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.report import RunReport
from smugmug_backup.backup.run import Backup, DryRun, Options, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.ports import BackupStore, Overflow, PhotoSource
from tests.tools.clock import FakeClock

_TOKENS = count(1)


class Nights:
    """One account, one store, one clock; each `run` is an invocation."""

    def __init__(
        self,
        source: PhotoSource,
        store: BackupStore,
        clock: FakeClock,
        *,
        options: Options | None = None,
        overflow: Overflow | None = None,
    ) -> None:
        self.source = source
        self.store = store
        self.clock = clock
        self.options = options or Options(concurrency=2)
        self.overflow = overflow
        self.reports: list[RunReport] = []

    def backup(self) -> Backup:
        return Backup(
            source=self.source,
            store=self.store,
            clock=self.clock,
            token=lambda: f"{next(_TOKENS):08x}",
            options=self.options,
            overflow=self.overflow,
        )

    def run(self, deadline: Deadline | None = None, **request: object) -> RunReport:
        """One run now."""
        report = self.backup().run(
            RunRequest(**request),  # type: ignore[arg-type]
            deadline=deadline or Deadline.none(self.clock),
        )
        assert isinstance(report, RunReport)
        self.reports.append(report)
        return report

    def dry_run(self, **request: object) -> DryRun:
        """What a run would do now."""
        plan = self.backup().run(
            RunRequest(dry_run=True, **request),  # type: ignore[arg-type]
            deadline=Deadline.none(self.clock),
        )
        assert isinstance(plan, DryRun)
        return plan

    def next_night(self, **request: object) -> RunReport:
        """One run a day later."""
        self.clock.advance(days=1)
        return self.run(**request)

    def nights_until(self, done: Callable[[RunReport], bool], *, most: int = 40) -> RunReport:
        """Run night by night until ``done``; fails if that takes more than ``most``."""
        for _ in range(most):
            report = self.next_night()
            if done(report):
                return report
        raise AssertionError(f"not reached in {most} nights")

    def manifest(self, album: str) -> Manifest:
        """The newest generation of an album."""
        found = Archive(self.store).newest(album).manifest
        assert found is not None
        return found

    def line(self, album: str, image: str) -> Entry:
        """An image's line in it."""
        return self.manifest(album).entries[image]

    def record(self, album: str, image: str) -> dict[str, Any]:
        """An image's record as its line finds it."""
        record = Archive(self.store).record(album, self.line(album, image))
        assert record is not None
        return record
