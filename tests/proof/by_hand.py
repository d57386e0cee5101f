"""Does the proof see? Defects put in on purpose, each of which it has to find.

``python -m tests.proof.mutants --by-hand`` tries them all and says which part found each.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from smugmug_backup.archive import chain, records
from smugmug_backup.archive import keys as archive_keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.original import Original
from smugmug_backup.archive.reading import Digest
from smugmug_backup.backup import account_run, compare, dates, listing, survey, tally
from smugmug_backup.backup.belief import Belief
from smugmug_backup.backup.commit import Commit
from smugmug_backup.backup.originals import Originals
from tests.proof.crash import SCENARIOS, sample, try_all
from tests.proof.machine import BackupMachine
from tests.proof.years import live_for

_COMMIT, _FINISHED = Archive.commit, Commit._finished


def _manifest_first() -> Any:
    """Records after the manifest."""
    waiting: list[tuple[str, bytes]] = []

    def write_records(self: Archive, album_key: str, lines: Any) -> Any:
        places = {}
        for file in records.records_files(album_key, lines):
            key = f"{archive_keys.album_records(album_key)}{file.digest}.jsonl"
            waiting.append((key, file.body))
            places.update((image, (key, at)) for image, at in file.places.items())
        return places

    def commit(self: Archive, manifest: Any) -> Any:
        committed = _COMMIT(self, manifest)
        while waiting:
            self.store.create(*waiting.pop())
        return committed

    return mock.patch.multiple(Archive, write_records=write_records, commit=commit)


def _always_believed(self: Any) -> Any:
    """The cursor moves after a listing that is not believed."""
    self._survey.belief = Belief(True)
    return _FINISHED(self)


def _adopted_unread(self: Any, place: Any, line: Any) -> Any:
    there = self._there(place)
    return (Digest().under(there[0]) if there else None), place


MUTANTS: dict[str, Callable[[], Any]] = {
    "overlap of a day": lambda: mock.patch.object(listing, "OVERLAP", timedelta(hours=24)),
    "no second look at images": lambda: mock.patch.object(compare, "SECOND_LOOK", timedelta()),
    "no second look at albums": lambda: mock.patch.object(account_run, "SECOND_LOOK", timedelta()),
    "manifest before records": _manifest_first,
    "no barrier before the manifest": lambda: mock.patch.object(Archive, "settle"),
    "cursor after a broken listing": lambda: mock.patch.object(
        Commit, "_finished", _always_believed
    ),
    "every full listing believed": lambda: mock.patch.object(
        survey, "believe", return_value=Belief(True)
    ),
    "any date is credible": lambda: mock.patch.object(
        dates, "is_credible", lambda answered_at, *, now: answered_at is not None
    ),
    "counts always fit": lambda: mock.patch.object(survey, "count_fits", return_value=True),
    "adopts without reading back": lambda: mock.patch.object(Originals, "_adopt", _adopted_unread),
    "never pending": lambda: mock.patch.object(Original, "waits", return_value=False),
    "listed is done, whatever failed": lambda: mock.patch.object(
        tally.Tally, "miss", return_value=None
    ),
    "order does not matter": lambda: mock.patch.object(compare, "_note_order", return_value=None),
    "no report names another": lambda: mock.patch.object(chain, "heads", return_value=()),
}


def found_by() -> Iterator[tuple[str, str | None]]:
    """Each mutant, and the part of the proof that found it (None: it lives)."""
    for name, mutant in MUTANTS.items():
        part = None
        for part_name, part_of in PARTS.items():
            with mutant():
                try:
                    part_of()
                except AssertionError:
                    part = part_name
                    break
        yield name, part


def _crash() -> None:
    for scenario in SCENARIOS:
        try_all(scenario, sample(scenario, 40))


def _machine() -> None:
    for number in range(1, 6):
        run_state_machine_as_test(
            seed(number)(BackupMachine),
            settings=settings(
                database=None,
                deadline=None,
                max_examples=300,
                stateful_step_count=50,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )


PARTS: dict[str, Callable[[], object]] = {
    "crash points": _crash,
    "years": lambda: live_for(120, seed=1),
    "machine": _machine,
}


def main() -> None:
    """Try all."""
    for name, part in found_by():
        print(f"{name:<36} {part or 'NOT FOUND'}", flush=True)
