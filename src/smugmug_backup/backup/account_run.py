"""One run over the account: plan it, work through its albums, report."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime

from smugmug_backup.archive.archive import Contents
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.changes import What
from smugmug_backup.archive.original import When
from smugmug_backup.archive.report import (
    AlbumState,
    Failure,
    NextFull,
    RunReport,
    RunStatus,
)
from smugmug_backup.backup.account import Binding, check_albums, check_binding, is_bound
from smugmug_backup.backup.album import AlbumWork
from smugmug_backup.backup.api import change_of_api
from smugmug_backup.backup.attempts import Attempts
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.dates import RunDate
from smugmug_backup.backup.departures import departures
from smugmug_backup.backup.earlier import Earlier, look
from smugmug_backup.backup.originals import Originals
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.backup.request import DryRun, RunRequest
from smugmug_backup.backup.session import Parts, Session
from smugmug_backup.backup.tally import Ending, Tally, write_report
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    Answer,
    BackupError,
    BadRequest,
    Code,
    LesserToken,
    MalformedAnswer,
    OutOfTime,
    RunRefused,
    SourceError,
    StoreFull,
)
from smugmug_backup.model import Account, Album

_NAMED = 20


class AccountRun(Session):
    """One run; its report is what is left of it."""

    def __init__(
        self,
        parts: Parts,
        request: RunRequest,
        deadline: Deadline,
        albums_pool: Executor,
        transfers: Executor,
    ) -> None:
        super().__init__(parts, deadline, albums_pool, transfers)
        self._request = request
        self._earlier = Earlier()

    def run(self) -> RunReport | DryRun:
        """See `Backup.run`."""
        asked = self.albums_pool.submit(self._ask_source)
        reports = self.archive.reports(now=self.started_at)
        self.run_id = self.archive.new_run_id(self.started_at, self.parts.token, reports)
        generations = self.archive.newest_generations(self.transfers.map)
        self._look_at_overflow()
        contents = self._take_up(reports, generations)
        try:
            account, albums = asked.result()
        except (SourceError, OutOfTime, LesserToken) as error:
            return self._without_source(contents, error)
        if not is_bound(self._binding, account):
            proved = self.archive.proved_reports(reports, now=self.started_at)
            if proved is not reports:
                contents = self._take_up(proved, generations)
        self._say_the_api()
        return self._with_source(contents, account, albums, bool(generations))

    def _take_up(self, reports: Reports, generations: Mapping[str, int]) -> Contents:
        """What the reports tell, and of albums of which they do not, the manifests."""
        self._reports = reports
        self._notes = [*self._request.notes, *reports.passed_over, *self._earlier.notes]
        self._attempts = Attempts.before(self.archive, reports.newest, self._request.trigger)
        self._check, self._findings = self.checks(reports)
        contents = self.archive.contents(
            reports,
            generations,
            self.transfers.map,
            when=When(self.started_at),
            entries=self._entries(),
        )
        self._binding = Binding(contents.account, reports.formerly)
        self._readme = reports.trusted.readme_sha256 if reports.trusted else None
        return contents

    def _with_source(
        self, contents: Contents, account: Account, albums: Sequence[Album], begun: bool
    ) -> RunReport | DryRun:
        request = self._request
        date = self.date()
        check_binding(
            self._binding,
            account,
            known=contents.albums,
            albums=albums,
            accept_rename=request.accept_rename,
        )
        self._binding = self._binding.after(account)
        try:
            check_albums(contents.albums, albums, accepted=request.accept_shrink)
        except RunRefused as error:
            if request.dry_run:
                raise
            return self._report(self._failed(contents, error), date, refused=True)
        chosen = self._chosen(albums)
        context = self.context(
            account,
            self.run_id,
            date,
            full=request.full,
            accepted=request.accept_shrink,
            findings=self._findings.albums,
        )
        originals = Originals(context)
        if not begun and not originals.see_whether_any():
            context.forgotten.none_yet()
        work = AlbumWork(context, originals)
        if request.dry_run:
            return self._dry_run(contents, work, albums, chosen)
        self._write_readme()
        return self._back_up(contents, context, work, albums, chosen)

    def _ask_source(self) -> tuple[Account, tuple[Album, ...]]:
        return self.ask_account(), self.source.albums(deadline=self.deadline)

    def _say_the_api(self) -> None:
        note = change_of_api(self._reports, self.source.name)
        self._notes += [note] if note else []

    def _write_readme(self) -> None:
        known = None if self._findings.readme else self._readme
        self._readme = self.archive.write_readme(known)
        self._findings.readme_written()

    # -- an earlier run's overflow ---------------------------------------------------------------

    def _look_at_overflow(self) -> None:
        """Find an execution that is still going, or one that ended without `finish`."""
        overflow = self.parts.overflow
        if overflow is None or self._request.albums:
            return
        self._earlier = look(self.archive.store, overflow)

    def _entries(self) -> Mapping[str, AlbumState]:
        entries = self._reports.albums
        trusted, earlier = self._reports.trusted, self._earlier
        if trusted is None or trusted.status != RunStatus.CONTINUING or earlier.ended is None:
            return entries
        from smugmug_backup.backup import overflow as handover

        store, run = self.archive.store, earlier.ended
        if not handover.has_plan(store, run):
            return entries
        self._notes.append(
            f"the overflow of run {run} ended without a report; this run took up its albums"
        )
        turns = handover.all_turns(store, run, self.transfers.map, self.deadline)
        return handover.taken_up(entries, turns)

    # -- ends before any work --------------------------------------------------------------------

    def _without_source(self, contents: Contents, error: BackupError) -> RunReport:
        if self._request.dry_run:
            raise error
        # What may pass is no answer; all else is one that cannot be believed.
        refused = error.answer is Answer.NEVER or isinstance(error, MalformedAnswer)
        if isinstance(error, OutOfTime) and self.deadline.stopped:
            tally = Tally.of(contents, [*self._notes, "the run was interrupted as it began"])
            tally.left_over = True
            return self._report(tally, self.date())
        return self._report(self._failed(contents, error), self.date(), refused=refused)

    def _failed(self, contents: Contents, error: BackupError) -> Tally:
        tally = Tally.of(contents, self._notes)
        tally.halt(error)
        return tally

    def _dry_run(
        self,
        contents: Contents,
        work: AlbumWork,
        albums: Sequence[Album],
        chosen: Sequence[Album],
    ) -> DryRun:
        forecasts = self.albums_pool.map(
            lambda album: work.forecast(
                album,
                contents.albums.get(album.key, AlbumState()),
                unreadable=contents.unreadable.get(album.key),
            ),
            chosen,
        )
        shown = {album.key for album in albums}
        return DryRun(
            forecasts=tuple(forecasts),
            missing_albums=tuple(
                key for key, state in contents.albums.items() if not state.gone and key not in shown
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
        self,
        contents: Contents,
        context: Context,
        work: AlbumWork,
        albums: Sequence[Album],
        chosen: Sequence[Album],
    ) -> RunReport:
        tally = Tally.of(contents, self._notes)
        part = bool(self._request.albums)
        self._doubt(tally, context.date)
        done = () if self._request.full else self._attempts.done(tally.states)
        others = ({*done} - contents.unreadable.keys()) | self._earlier.albums
        todo = sorted(
            (each for each in chosen if each.key not in others),
            key=lambda album: _age(tally.states.get(album.key)),
        )
        if self.parts.observer is not None:
            self.parts.observer.planned(len(todo))
        scarce = context.space.foresee(todo, tally.states)
        if scarce is not None:
            tally.notes.append(scarce)
            if self.parts.observer is not None:
                self.parts.observer.noted(scarce)
        if not part:
            self._note_ignored(tally)
            shown = {album.key for album in albums}
            self._note_missing_albums(tally, context, work, shown, contents.damage)
        before = dict(tally.states)
        left: list[tuple[Album, AlbumState]] = []

        def one(album: Album) -> Outcome:
            state, unreadable = before.get(album.key, AlbumState()), contents.unreadable
            outcome = work.back_up(album, state, unreadable=unreadable.get(album.key))
            if self.parts.observer is not None:
                self.parts.observer.album_done(album, outcome)
            return outcome

        for album, outcome in zip(todo, self.albums_pool.map(one, todo), strict=True):
            self._take(tally, album.key, outcome)
            if outcome.left_over:
                left.append((album, outcome.state))
        halted = context.alone.halted
        if isinstance(halted, StoreFull):
            halted = StoreFull(f"{halted}; {context.space.needed()}")
        if halted is not None:
            tally.halt(halted)
        elif not part:
            self._name_unreadable(tally, contents, {album.key for album in todo})
        if left and not part and not tally.halted:
            self._hand_over(tally, left, context)
        tally.left_over |= self._earlier.going is not None
        tally.find_moved(self.archive, self.transfers.map)
        return self._report(tally, context.date)

    def _note_ignored(self, tally: Tally) -> None:
        """What is damaged of an album that is not listed waits: whoever leaves an album out has
        SmugMug asked nothing about it, and a run over it by its key mends it all the same."""
        waits = sorted(self._findings.albums.keys() & self.options.ignore_albums)
        waits = [key for key in waits if self._findings.albums[key]]
        if waits:
            named = ", ".join(waits[:_NAMED])
            more = f" and {len(waits) - _NAMED} more" if len(waits) > _NAMED else ""
            tally.notes.append(
                f"damage that is not mended, for these albums are ignored: {named}{more}; back "
                "each up once by its key (run --album), or accept the loss (check --accept)"
            )

    def _name_unreadable(self, tally: Tally, contents: Contents, tried: set[str]) -> None:
        """Albums that have left fail alone, too, where their state cannot be read."""
        named = {failure.album_key for failure in tally.failures}
        others = tried | named | self._earlier.albums | self.options.ignore_albums
        tally.failures += (
            Failure.of(error, album_key=key)
            for key, error in sorted(contents.unreadable.items())
            if key not in others
        )

    def _take(self, tally: Tally, album_key: str, outcome: Outcome) -> None:
        tally.take(album_key, outcome)
        self._findings.looked_at(album_key, outcome.mended)

    def _doubt(self, tally: Tally, date: RunDate) -> None:
        if date.doubted:
            message = (
                f"this machine's clock says {self.clock.now():%Y-%m-%d %H:%M} UTC, SmugMug's "
                f"{date.at:%Y-%m-%d %H:%M}: more than 12 hours apart; set the clock right"
            )
            tally.failures.append(Failure(None, None, Code.CLOCK_DOUBTED, message))
        elif date.at is None:
            message = "no answer of SmugMug's had a Date, so no cursor moves and nothing vanishes"
            tally.failures.append(Failure(None, None, Code.NO_DATE, message))

    def _note_missing_albums(
        self,
        tally: Tally,
        context: Context,
        work: AlbumWork,
        shown: set[str],
        damaged: Mapping[str, str],
    ) -> None:
        """Record what has left the account, and mend what had left before; see `departures`."""
        known = {
            key: state for key, state in tally.states.items() if key not in self._earlier.albums
        }
        found = departures(known, shown, damaged={*context.findings, *damaged}, now=context.now())
        for key, state in found.states.items():
            if state is None:
                del tally.states[key]
            else:
                tally.states[key] = state
        tally.counts.missing += len(found.first_missing)
        for key in found.first_missing:
            tally.news.count(key, What.ALBUM_MISSING, known[key].image_count)
        before = dict(tally.states)

        def bury(key: str) -> Outcome:
            return work.bury(key, before[key])

        def mend(key: str) -> Outcome:
            return work.mend_gone(key, before[key])

        left: list[str] = []
        for keys, act in ((found.to_bury, bury), (found.to_mend, mend)):
            for key, outcome in zip(keys, self.albums_pool.map(act, keys), strict=True):
                self._take(tally, key, outcome)
                left += [key] if outcome.left_over else []
        if left:
            named = ", ".join(sorted(left)[:_NAMED])
            more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
            why = self._why_no_more()
            tally.notes.append(f"{why}; albums that have left wait for the next run: {named}{more}")

    def _why_no_more(self) -> str:
        return "the run was interrupted" if self.deadline.stopped else "time ran out"

    def _hand_over(
        self, tally: Tally, left: Sequence[tuple[Album, AlbumState]], context: Context
    ) -> None:
        overflow = self.parts.overflow
        if overflow is None or self._earlier.going is not None:
            wait = f"{len(left)} albums wait" if len(left) > 1 else "1 album waits"
            tally.notes.append(f"{self._why_no_more()}; {wait} for the next run")
            return
        from smugmug_backup.backup import overflow as handover

        planned = [handover.PlannedAlbum(album, state) for album, state in left]
        if context.full:
            reason = NextFull.ASKED_FOR
            planned = [replace(p, state=replace(p.state, next_full=reason)) for p in planned]
        plan = handover.Plan(
            tuple(planned),
            context.account,
            tuple(sorted(context.accepted)),
            self._check.run_id if self._check and self._findings.albums else None,
            self._findings.left(outside={album.key for album, _ in left}),
        )
        try:
            waiting = handover.write_plan(self.archive.store, self.run_id, plan)
            overflow.start(self.run_id)
        except BackupError as error:
            message = f"the work goes on tomorrow: {error}"
            tally.failures.append(Failure(None, None, Code.OVERFLOW_NOT_STARTED, message))
            tally.left_over = False
            tally.halted = True
            return
        tally.notes.append(f"{len(left) - waiting} albums were handed over to Step Functions")
        if waiting:
            tally.notes.append(
                f"{waiting} albums are more than a plan holds; the next run does them"
            )

    def _report(self, tally: Tally, date: RunDate, *, refused: bool = False) -> RunReport:
        ending = Ending(
            run_id=self.run_id,
            trigger=self._request.trigger,
            attempt_of=self._attempts.last,
            started_at=self.started_at,
            date=date,
            binding=self._binding,
            source=self.source.name,
            begun=self._reports,
            check=self._check,
            findings=self._findings,
            readme_sha256=self._readme,
            since=self._attempts.since,
            ignored=self.options.ignore_albums,
            chosen=frozenset(self._request.albums) or None,
            refused=refused,
        )
        return write_report(self.archive, self.clock, tally, ending, finish=self.finished)


def _age(state: AlbumState | None) -> tuple[bool, datetime | None]:
    """Sorts albums: never tried first, then the one whose last attempt is longest ago."""
    tried = state.tried_at if state else None
    return (tried is not None, tried)
