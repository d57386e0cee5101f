"""Does the proof see? Defects put in on purpose, each of which it has to find.

``python -m tests.proof.mutants`` tries them all and says which part found each.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from smugmug_backup.backup import album, compare, listing, originals, run
from smugmug_backup.backup.album import AlbumWork
from smugmug_backup.backup.originals import Originals
from tests.proof.crash import SCENARIOS, sample, try_all
from tests.proof.machine import BackupMachine
from tests.proof.years import live_for


def _manifest_first(self: Any, entries: Any, cursor: int, at: Any) -> None:
    """Records after the manifest."""
    files, self._changes.records = dict(self._changes.records), {}
    _WRITE(self, entries, cursor, at)
    for key, body in files.items():
        self._work._store.create(key, body)


_WRITE = album._Commit._write
_FINISHED = album._Commit._finished


def _always_believed(self: Any) -> Any:
    """The cursor moves after a listing that is not believed."""
    self._survey.believed = True
    return _FINISHED(self)


MUTANTS: dict[str, Callable[[], Any]] = {
    "overlap of a day": lambda: mock.patch.object(listing, "OVERLAP", timedelta(hours=24)),
    "no second look at images": lambda: mock.patch.object(compare, "SECOND_LOOK", timedelta()),
    "no second look at albums": lambda: mock.patch.object(run, "SECOND_LOOK", timedelta()),
    "manifest before records": lambda: mock.patch.object(album._Commit, "_write", _manifest_first),
    "cursor after a broken listing": lambda: mock.patch.object(
        album._Commit, "_finished", _always_believed
    ),
    "every full listing believed": lambda: mock.patch.object(
        album, "is_believed", lambda listing, album: listing.full
    ),
    "any date is credible": lambda: mock.patch.object(
        listing, "is_credible", lambda answered_at, *, now: answered_at is not None
    ),
    "counts always fit": lambda: mock.patch.object(album, "count_fits", return_value=True),
    "adopts without reading back": lambda: mock.patch.object(
        Originals, "_read_back", lambda self, key, name, offer: originals._Digest().under(key)
    ),
    "never pending": lambda: mock.patch.object(originals.Original, "waits", return_value=False),
    "twice in a listing is fine": lambda: mock.patch.object(
        AlbumWork,
        "_list",
        lambda self, album, since: self._source.images(album, since=since, deadline=self._deadline),
    ),
    "listed is done, whatever failed": lambda: mock.patch.object(
        run._Tally, "miss", return_value=None
    ),
    "order does not matter": lambda: mock.patch.object(compare, "_note_order", return_value=None),
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


if __name__ == "__main__":
    main()
