"""One run: plan the account, work through its albums, report."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from smugmug_backup.archive import keys
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.archive.report import (
    ALBUM_BACK,
    ALBUM_MISSING,
    COMPLETE,
    CONTINUING,
    INCOMPLETE,
    REFUSED,
    AlbumState,
    Counts,
    Failure,
    RunReport,
    Unavailable,
)
from smugmug_backup.archive.state import (
    STATE_LOST,
    Known,
    Reports,
    known_albums,
    load_header,
    load_report,
    newest_generation,
    newest_generations,
    newest_reports,
    trusted_report_after,
    unverified_since,
)
from smugmug_backup.backup import overflow as handover
from smugmug_backup.backup.account import check_albums, check_binding
from smugmug_backup.backup.album import COMMIT_EVERY, AlbumWork, Forecast, Outcome
from smugmug_backup.backup.compare import SECOND_LOOK
from smugmug_backup.backup.originals import Originals
from smugmug_backup.backup.overflow import PlannedAlbum
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    Answer,
    BackupError,
    BadRequest,
    MalformedAnswer,
    NotABackup,
    NotStored,
    OutOfTime,
    RunRefused,
    SourceError,
)
from smugmug_backup.model import Account, Album
from smugmug_backup.ports import BackupStore, Overflow, PhotoSource

NOT_STARTED = "overflow_not_started"


@dataclass(frozen=True, slots=True)
class Options:
    """How runs work. ``concurrency``: albums, and transfers, at a time."""

    concurrency: int = 8
    full_listing_days: int = 30
    ignore_albums: frozenset[str] = frozenset()
    commit_every: int = COMMIT_EVERY


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for. ``trigger`` is shared by all attempts of one schedule's firing."""

    trigger: str | None = None
    albums: tuple[str, ...] = ()
    full: bool = False
    dry_run: bool = False
    accept_shrink: bool = False


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would do, album by album, and the API calls made to find out."""

    forecasts: tuple[Forecast, ...]
    missing_albums: tuple[str, ...]
    ignored_albums: tuple[str, ...]
    api_calls: int


class Observer(Protocol):
    """Hears what a run does, from many threads; it never fails and never waits long."""

    def planned(self, albums: int) -> None:
        """So many albums are to be done."""

    def album_done(self, album: Album, outcome: Outcome) -> None:
        """One of them is done, or was left."""

    def received(self, size: int) -> None:
        """``size`` more bytes of originals came from the source."""

    def defect(self, album: Album, error: Exception) -> None:
        """An error that nobody raised on purpose; its text may hold secrets."""


class Backup:
    """The backup of one account into one store.

    ``token`` gives 8 random hex digits for a new run id. Without ``overflow``, what an invocation
    leaves over waits for the next one.
    """

    def __init__(
        self,
        *,
        source: PhotoSource,
        store: BackupStore,
        clock: Clock,
        token: Callable[[], str],
        options: Options | None = None,
        overflow: Overflow | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._token = token
        self._options = options or Options()
        self._overflow = overflow
        self._observer = observer

    def run(self, request: RunRequest, *, deadline: Deadline) -> RunReport | DryRun:
        """Back up the account, or the chosen albums, and store the report.

        Returns the report, whatever its status; a dry run raises what a report would tell. Raises
        RunRefused if the store belongs to another account or view, BadRequest for albums that the
        account does not have (both before anything is written), and StoreError or FormatTooNew if
        the store cannot be read or written.
        """
        with self._pools() as (albums_pool, transfers):
            return _Run(self, request, deadline, albums_pool, transfers).run()

    def work(self, run: str, planned: Sequence[PlannedAlbum], *, deadline: Deadline) -> bool:
        """Do a batch of another run's plan; each outcome is stored under ``work/``.

        Returns whether it made progress and something is left, so that another turn pays. Raises
        BadRequest if the store holds no plan of that run.
        """
        if self._store.head(keys.plan(run)) is None:
            raise BadRequest(f"there is no plan of run {run} in this store")
        with self._pools() as (albums_pool, transfers):
            return _Batch(self, run, deadline, albums_pool, transfers).work(planned)

    def finish(self, run: str, *, deadline: Deadline) -> RunReport:
        """Close a run's overflow: store a report made from its plan and outcomes.

        Raises BadRequest if there is no plan, or none of ours.
        """
        with self._pools() as (albums_pool, transfers):
            return _Finish(self, run, deadline, albums_pool, transfers).finish()

    @contextmanager
    def _pools(self) -> Iterator[tuple[Executor, Executor]]:
        size = self._options.concurrency
        with (
            ThreadPoolExecutor(size, thread_name_prefix="transfer") as transfers,
            ThreadPoolExecutor(size, thread_name_prefix="album") as albums,
        ):
            try:
                yield albums, transfers
            finally:
                albums.shutdown(wait=False, cancel_futures=True)
                transfers.shutdown(wait=False, cancel_futures=True)


class _Session:
    """What a run, a batch and a finish have in common: pools, identity, and what was counted."""

    def __init__(
        self, backup: Backup, deadline: Deadline, albums_pool: Executor, transfers: Executor
    ) -> None:
        self.source = backup._source
        self.store = backup._store
        self.clock = backup._clock
        self.options = backup._options
        self.overflow = backup._overflow
        self.observer = backup._observer
        self.deadline = deadline
        self.albums_pool = albums_pool
        self.transfers = transfers
        self.started_at = self.clock.now()
        self.run_id = keys.run_id(self.started_at, backup._token())
        self.originals = Originals(self.source, self.store, progress=self.observer)
        self._began = self.clock.monotonic()
        self._calls = self.source.api_calls
        self._requests = self.store.requests
        self._halted: BackupError | None = None
        self._halt_lock = threading.Lock()

    def album_work(self, account: Account, run_id: str, *, full: bool = False) -> AlbumWork:
        return AlbumWork(
            source=self.source,
            store=self.store,
            originals=self.originals,
            transfers=self.transfers,
            clock=self.clock,
            deadline=self.deadline,
            account=account,
            run_id=run_id,
            full=full,
            full_listing_days=self.options.full_listing_days,
            commit_every=self.options.commit_every,
        )

    def guarded(self, work: AlbumWork, album: Album, state: AlbumState) -> Outcome:
        """One album; after an error that concerns the whole run the others are not tried."""
        if self._halted is not None:
            outcome = Outcome(state, failures=(Failure.of(self._halted, album_key=album.key),))
        elif self.deadline.passed:
            outcome = Outcome(state, left_over=True)
        else:
            outcome = self._contained(work, album, state)
        if outcome.fatal is not None:
            with self._halt_lock:
                self._halted = self._halted or outcome.fatal
        if self.observer is not None:
            self.observer.album_done(album, outcome)
        return outcome

    def _contained(self, work: AlbumWork, album: Album, state: AlbumState) -> Outcome:
        """`AlbumWork.back_up`; a defect of ours fails one album, never the whole night."""
        try:
            return work.back_up(album, state)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this album's alone
            if self.observer is not None:
                self.observer.defect(album, error)
            # Its text is not ours and may hold anything, so only its kind is told.
            message = f"a defect in this program ({type(error).__name__}); please report it"
            return Outcome(state, failures=(Failure(album.key, None, "defect", message),))

    def finished_counts(self, counts: Counts) -> Counts:
        """``counts`` with what only the end knows; the report's own put is among the requests."""
        return replace(
            counts,
            api_calls=counts.api_calls + self.source.api_calls - self._calls,
            s3_requests=counts.s3_requests + self.store.requests - self._requests + 1,
            seconds=round(counts.seconds + self.clock.monotonic() - self._began, 1),
        )


@dataclass(slots=True)
class _Tally:
    """What the report is made from, as it comes together."""

    states: dict[str, AlbumState]
    unavailable: dict[str, tuple[Unavailable, ...]]
    counts: Counts
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    album_notes: dict[str, int] = field(default_factory=dict)
    left_over: bool = False

    def take(self, album_key: str, outcome: Outcome) -> None:
        self.states[album_key] = outcome.state
        if outcome.unavailable is not None:
            self.unavailable[album_key] = outcome.unavailable
        self.counts.add(outcome.counts)
        self.failures += outcome.failures
        self.left_over |= outcome.left_over
        for note in outcome.notes:
            self.album_notes[note] = self.album_notes.get(note, 0) + 1

    def miss(self, album_keys: Iterable[str]) -> None:
        """These albums were not listed, and if no failure says why, this one does."""
        named = {failure.album_key for failure in self.failures}
        if None in named:
            return  # The run as a whole failed.
        for key in album_keys:
            if key not in named:
                self.failures.append(Failure(key, None, "not_done", "not listed in this run"))

    def all_notes(self) -> tuple[str, ...]:
        return (
            *self.notes,
            *(
                f"{note} ({number} albums)" if number > 1 else note
                for note, number in self.album_notes.items()
            ),
        )


def _store_report(
    session: _Session,
    tally: _Tally,
    *,
    account: Account | None,
    base: Reports,
    trigger: str | None,
    attempt_of: str | None,
    part: bool,
    since: datetime,
    chosen: frozenset[str] | None = None,
    refused: bool = False,
) -> RunReport:
    """Write the report. Album by album it takes the entry with the later ``listed_at``: another
    run may have ended meanwhile. Nothing is complete that was not listed ``since`` then."""
    store, ignored = session.store, session.options.ignore_albums
    if not refused and not part:
        newer = trusted_report_after(store, base.trusted)
        if newer is not None:
            _take_later(tally, newer, store)
    live = {key: state for key, state in tally.states.items() if state.live}
    counted = {key: state for key, state in live.items() if key not in ignored}
    judged = counted if chosen is None else {k: s for k, s in counted.items() if k in chosen}
    if not refused and not tally.left_over:
        tally.miss(key for key in sorted(judged) if _earlier(judged[key].listed_at, since))
    counts = tally.counts
    counts.albums = len(live)
    counts.images = sum(state.image_count for state in live.values())
    counts.pending = sum(state.pending for state in counted.values())
    named = [each for key in sorted(counted) for each in tally.unavailable.get(key, ())]
    counts.unavailable = len(named)
    if refused:
        status = REFUSED
    elif tally.left_over:
        status = CONTINUING
    elif tally.failures or any(state.pending for state in judged.values()):
        status = INCOMPLETE
    else:
        status = COMPLETE
    report = RunReport(
        run_id=session.run_id,
        status=status,
        trigger=trigger,
        attempt_of=attempt_of,
        started_at=session.started_at,
        ended_at=session.clock.now(),
        part=part,
        account=account,
        source=session.source.name,
        counts=session.finished_counts(counts),
        failures=tuple(tally.failures),
        unavailable=tuple(named),
        ignored_albums=tuple(sorted(ignored)),
        notes=tally.all_notes(),
        albums=tally.states,
    )
    store.create(report.key, report.to_bytes())
    return report


def _take_later(tally: _Tally, other: RunReport, store: BackupStore) -> None:
    for key, theirs in other.albums.items():
        ours = tally.states.get(key)
        if ours is None or _earlier(ours.listed_at, theirs.listed_at):
            tally.counts.unverified += unverified_since(
                store, key, ours.generation if ours else 0, theirs.generation
            )
            tally.states[key] = theirs
            tally.unavailable[key] = tuple(u for u in other.unavailable if u.album_key == key)


def _earlier(one: datetime | None, other: datetime | None) -> bool:
    return other is not None and (one is None or one < other)


class _Run(_Session):
    def __init__(
        self,
        backup: Backup,
        request: RunRequest,
        deadline: Deadline,
        albums_pool: Executor,
        transfers: Executor,
    ) -> None:
        super().__init__(backup, deadline, albums_pool, transfers)
        self._request = request
        self._reports = Reports(None, None)
        self._attempts: list[RunReport] = []
        self._going: str | None = None
        self._gone_on: frozenset[str] = frozenset()
        self._notes: list[str] = []

    def run(self) -> RunReport | DryRun:
        asked = self.albums_pool.submit(self._ask_source)
        self._reports = newest_reports(self.store, now=self.started_at)
        self._attempts = self._earlier_attempts()
        generations = newest_generations(self.store, self.transfers)
        if not generations:
            self.originals.see_whether_any()
        self._look_at_overflow()
        known = known_albums(
            self.store,
            self.transfers,
            generations=generations,
            report=self._reports.trusted,
            entries=self._entries(),
        )
        try:
            account, albums = asked.result()
        except (SourceError, OutOfTime) as error:
            return self._without_source(known, error)
        check_binding(known.account, account)
        try:
            check_albums(known.albums, albums, accept_shrink=self._request.accept_shrink)
        except RunRefused as error:
            return self._refused(known, account, error)
        chosen = self._chosen(albums)
        if self._request.dry_run:
            return self._dry_run(known, account, albums, chosen)
        if self._reports.trusted is None:
            self._write_readme()
        return self._back_up(known, account, albums, chosen)

    def _ask_source(self) -> tuple[Account, tuple[Album, ...]]:
        account = self.source.account(deadline=self.deadline)
        return account, self.source.albums(deadline=self.deadline)

    def _write_readme(self) -> None:
        # An older version of this program may have written another text; it stays.
        with suppress(AlreadyStored):
            self.store.create(keys.README, README_TEXT.encode())

    # -- an earlier run's overflow ---------------------------------------------------------------

    def _look_at_overflow(self) -> None:
        """Find an execution that is still going, or one that ended without `finish`."""
        if self.overflow is None or self._request.albums:
            return
        recent = self.overflow.recent()
        self._going = next((run for run, going in recent if going), None)
        if self._going is not None:
            plan = handover.read_plan(self.store, self._going)
            self._gone_on = frozenset(each.album.key for each in plan)
            self._notes.append(
                f"the overflow of run {self._going} is still working on "
                f"{len(self._gone_on)} albums; they are left to it"
            )

    def _entries(self) -> Mapping[str, AlbumState]:
        trusted = self._reports.trusted
        if trusted is None:
            return {}
        if self.overflow is None or self._going is not None or trusted.status != CONTINUING:
            return trusted.albums
        ended = next((run for run, going in self.overflow.recent() if not going), None)
        if ended is None or self.store.head(keys.plan(ended)) is None:
            return trusted.albums
        entries = dict(trusted.albums)
        for key, turns in handover.all_turns(self.store, ended).items():
            state = turns[-1].outcome.state
            if key not in entries or _earlier(entries[key].listed_at, state.listed_at):
                entries[key] = state
        self._notes.append(
            f"the overflow of run {ended} ended without a report; this run took up its albums"
        )
        return entries

    # -- ends before any work --------------------------------------------------------------------

    def _without_source(self, known: Known, error: BackupError) -> RunReport:
        if self._request.dry_run:
            raise error
        # What may pass is no answer; all else is one that cannot be believed.
        refused = error.answer is Answer.NEVER or isinstance(error, MalformedAnswer)
        return self._report(self._tally(known, [Failure.of(error)]), known.account, refused=refused)

    def _refused(self, known: Known, account: Account, error: RunRefused) -> RunReport:
        if self._request.dry_run:
            raise error
        return self._report(self._tally(known, [Failure.of(error)]), account, refused=True)

    def _tally(self, known: Known, failures: Iterable[Failure] = ()) -> _Tally:
        return _Tally(
            states=dict(known.albums),
            unavailable=dict(known.unavailable),
            counts=Counts(unverified=known.unverified),
            failures=list(failures),
            notes=self._notes,
        )

    def _dry_run(
        self, known: Known, account: Account, albums: Sequence[Album], chosen: Sequence[Album]
    ) -> DryRun:
        work = self.album_work(account, self.run_id, full=self._request.full)
        forecasts = self.albums_pool.map(
            lambda album: work.forecast(album, known.albums.get(album.key, AlbumState())), chosen
        )
        shown = {album.key for album in albums}
        return DryRun(
            forecasts=tuple(forecasts),
            missing_albums=tuple(
                key for key, state in known.albums.items() if not state.gone and key not in shown
            ),
            ignored_albums=tuple(sorted(self.options.ignore_albums)),
            api_calls=self.source.api_calls - self._calls,
        )

    # -- the work --------------------------------------------------------------------------------

    def _chosen(self, albums: Sequence[Album]) -> list[Album]:
        wanted = set(self._request.albums)
        unknown = wanted - {album.key for album in albums}
        if unknown:
            raise BadRequest(
                f"the account has no album {', '.join(sorted(unknown))}; album keys are the last "
                "column of `smugmug-backup albums`"
            )
        ignored = self.options.ignore_albums
        return [
            album
            for album in albums
            if (album.key in wanted if wanted else album.key not in ignored)
        ]

    def _back_up(
        self, known: Known, account: Account, albums: Sequence[Album], chosen: Sequence[Album]
    ) -> RunReport:
        tally = self._tally(known)
        part = bool(self._request.albums)
        work = self.album_work(account, self.run_id, full=self._request.full)
        if not part:
            self._note_missing_albums(tally, work, {album.key for album in albums})
        done = self._done_by_earlier_attempts(tally.states)
        todo = sorted(
            (each for each in chosen if each.key not in done and each.key not in self._gone_on),
            key=lambda album: _age(tally.states.get(album.key)),
        )
        if self.observer is not None:
            self.observer.planned(len(todo))
        left: list[PlannedAlbum] = []
        before = dict(tally.states)

        def one(album: Album) -> Outcome:
            return self.guarded(work, album, before.get(album.key, AlbumState()))

        for album, outcome in zip(todo, self.albums_pool.map(one, todo), strict=True):
            tally.take(album.key, outcome)
            if outcome.left_over:
                left.append(PlannedAlbum(album, outcome.state, account))
        if left and not part:
            self._hand_over(tally, left)
        tally.left_over |= self._going is not None
        return self._report(tally, account, chosen=frozenset(self._request.albums) or None)

    def _note_missing_albums(self, tally: _Tally, work: AlbumWork, shown: set[str]) -> None:
        """Record what has left the account: missing first, deleted after a second look."""
        for key, state in list(tally.states.items()):
            if state.gone or key in self._gone_on:
                continue
            if key in shown:
                if not state.live:
                    # Even if its listing fails now: the next absence is a new one.
                    tally.states[key] = replace(state, missing_since=None, next_full=ALBUM_BACK)
                continue
            now = self.clock.now()
            if state.missing_since is None:
                tally.counts.missing += 1
                tally.states[key] = replace(state, missing_since=now, next_full=ALBUM_MISSING)
            elif now - state.missing_since >= SECOND_LOOK:
                if state.generation:
                    tally.take(key, work.bury(key, state))
                else:
                    del tally.states[key]

    def _done_by_earlier_attempts(self, states: Mapping[str, AlbumState]) -> set[str]:
        """Albums that an attempt of the same trigger has already listed, with nothing to mend."""
        if not self._attempts or self._request.full:
            return set()
        failed = {failure.album_key for failure in self._attempts[0].failures}
        since = keys.run_start(self._attempts[-1].run_id)
        return {
            key
            for key, state in states.items()
            if state.live
            and state.listed_at is not None
            and state.listed_at >= since
            and not state.pending
            and key not in failed
        }

    def _earlier_attempts(self) -> list[RunReport]:
        """The reports of this trigger's earlier attempts, newest first."""
        found: list[RunReport] = []
        report = self._reports.newest
        while report and report.trigger is not None and report.trigger == self._request.trigger:
            found.append(report)
            try:
                report = load_report(self.store, report.attempt_of) if report.attempt_of else None
            except NotStored:
                break
        return found

    def _hand_over(self, tally: _Tally, left: Sequence[PlannedAlbum]) -> None:
        if self.overflow is None or self._going is not None:
            tally.notes.append(f"time ran out; {len(left)} albums wait for the next run")
            return
        lines = list(handover.plan_lines(left))
        planned, rest = lines[: handover.MAX_LINES], lines[handover.MAX_LINES :]
        try:
            self.store.create(keys.plan(self.run_id), b"".join(planned))
            self.overflow.start(self.run_id)
        except BackupError as error:
            tally.failures.append(
                Failure(None, None, NOT_STARTED, f"the work goes on tomorrow: {error}")
            )
            tally.left_over = False
            return
        waiting = sum(handover.albums_in(line) for line in rest)
        tally.notes.append(f"{len(left) - waiting} albums were handed over to Step Functions")
        if waiting:
            tally.notes.append(
                f"{waiting} albums are more than a plan holds; the next run does them"
            )

    def _report(
        self,
        tally: _Tally,
        account: Account | None,
        *,
        refused: bool = False,
        chosen: frozenset[str] | None = None,
    ) -> RunReport:
        return _store_report(
            self,
            tally,
            account=account,
            base=self._reports,
            trigger=self._request.trigger,
            attempt_of=self._attempts[0].run_id if self._attempts else None,
            part=bool(self._request.albums),
            since=keys.run_start(self._attempts[-1].run_id if self._attempts else self.run_id),
            chosen=chosen,
            refused=refused,
        )


class _Batch(_Session):
    def __init__(
        self,
        backup: Backup,
        run: str,
        deadline: Deadline,
        albums_pool: Executor,
        transfers: Executor,
    ) -> None:
        super().__init__(backup, deadline, albums_pool, transfers)
        self._run = run

    def work(self, planned: Sequence[PlannedAlbum]) -> bool:
        results = list(self.albums_pool.map(self._one, planned))
        progress = any(moved for moved, _ in results)
        return progress and any(left for _, left in results)

    def _one(self, planned: PlannedAlbum) -> tuple[bool, bool]:
        """(did this turn achieve anything, is there anything left) of one album."""
        key = planned.album.key
        turns = handover.turns_of(self.store, self._run, key)
        if turns and not turns[-1].outcome.left_over:
            return False, False
        state = turns[-1].outcome.state if turns else planned.state
        before = state.generation
        generation = newest_generation(self.store, key)
        if generation != state.generation:
            header = load_header(self.store, key, generation)
            state = AlbumState.of_header(header, reason=STATE_LOST)
        outcome = self.guarded(self.album_work(planned.account, self._run), planned.album, state)
        if outcome.left_over and not outcome.committed:
            return False, True
        outcome.counts.unverified += unverified_since(self.store, key, before, generation)
        number = turns[-1].number + 1 if turns else 1
        handover.store_outcome(self.store, self._run, key, outcome, turn=number)
        return True, outcome.left_over


class _Finish(_Session):
    def __init__(
        self,
        backup: Backup,
        run: str,
        deadline: Deadline,
        albums_pool: Executor,
        transfers: Executor,
    ) -> None:
        super().__init__(backup, deadline, albums_pool, transfers)
        self._run = run

    def finish(self) -> RunReport:
        planned = handover.read_plan(self.store, self._run)
        turns = handover.all_turns(self.store, self._run)
        reports = newest_reports(self.store, now=self.started_at)
        try:
            begun = load_report(self.store, self._run)
        except (NotStored, NotABackup):
            begun = None  # The run died after it had handed over.
        base = reports.trusted or begun
        tally = _Tally(
            states=dict(base.albums) if base else {},
            unavailable={},
            counts=Counts(unverified=base.counts.unverified if base else 0),
        )
        for each in base.unavailable if base else ():
            tally.unavailable[each.album_key] = (
                *tally.unavailable.get(each.album_key, ()),
                each,
            )
        if begun is None:
            message = f"run {self._run} ended without a report of what it did not hand over"
            tally.failures.append(Failure(None, None, "not_done", message))
        # What failed before the hand-over was tried again if it is in the plan.
        again = {each_planned.album.key for each_planned in planned}
        tally.failures += (
            each
            for each in (begun.failures if begun else ())
            if each.album_key not in again and each.code != NOT_STARTED
        )
        for each_planned in planned:
            self._take(tally, each_planned, turns.get(each_planned.album.key, ()))
        return _store_report(
            self,
            tally,
            account=planned[0].account if planned else (base.account if base else None),
            base=reports,
            trigger=begun.trigger if begun else None,
            attempt_of=self._run,
            part=False,
            since=keys.run_start(self._first_attempt(begun)),
        )

    def _first_attempt(self, begun: RunReport | None) -> str:
        """The run that the trigger's first attempt was; the run itself if it left no report."""
        first = self._run
        while begun is not None and begun.attempt_of is not None:
            first = begun.attempt_of
            try:
                begun = load_report(self.store, first)
            except (NotStored, NotABackup):
                break
        return first

    def _take(self, tally: _Tally, planned: PlannedAlbum, turns: Sequence[handover.Turn]) -> None:
        key = planned.album.key
        if not turns:
            tally.states.setdefault(key, planned.state)
            tally.failures.append(
                Failure(key, None, "not_done", "no worker brought an outcome of this album")
            )
            return
        outcome = handover.merged(turns)
        if outcome.left_over:
            failure = Failure(key, None, "not_done", "the workers ran out of turns")
            outcome = replace(outcome, failures=(*outcome.failures, failure), left_over=False)
        current = tally.states.get(key)
        counted = current.generation if current is not None else 0
        if counted != planned.state.generation:
            # The base's total is of another generation than the plan's.
            outcome.counts.unverified = unverified_since(
                self.store, key, counted, max(counted, outcome.state.generation)
            )
        if current is None or not _earlier(outcome.state.listed_at, current.listed_at):
            tally.take(key, outcome)
        else:
            # A later run has listed it meanwhile; what was done here counts all the same, and the
            # totals are that run's.
            outcome.counts.unverified = 0
            tally.counts.add(outcome.counts)


def _age(state: AlbumState | None) -> tuple[bool, datetime | None]:
    """Sorts albums: never listed first, then the one listed longest ago."""
    listed = state.listed_at if state else None
    return (listed is not None, listed)
