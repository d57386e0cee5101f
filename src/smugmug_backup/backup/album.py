"""One album, one run: the unit of work, ``(album, state) → outcome``."""

from dataclasses import replace

from smugmug_backup.archive.changes import News, What
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.report import AlbumState, Counts, Failure, NextFull
from smugmug_backup.backup import mend
from smugmug_backup.backup.commit import Commit, notes_of
from smugmug_backup.backup.compare import Changes
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.findings import mended as mended_findings
from smugmug_backup.backup.listing import new_cursor
from smugmug_backup.backup.originals import Originals
from smugmug_backup.backup.outcome import Forecast, Outcome
from smugmug_backup.backup.survey import Survey, survey
from smugmug_backup.errors import BackupError, Code, CommitConflict, OutOfTime
from smugmug_backup.model import Album

_STARTS_OVER = 3


class AlbumWork:
    """Backs up albums one by one; shared by the threads of one run."""

    def __init__(self, context: Context, originals: Originals) -> None:
        self._context = context
        self._originals = originals

    def back_up(
        self, album: Album, state: AlbumState, *, unreadable: BackupError | None = None
    ) -> Outcome:
        """List ``album``, fetch what is needed and commit.

        ``unreadable``: why its newest state cannot be read tonight; then it is left as it is.
        Never raises: whatever goes wrong is this album's failure, or that of the run as a whole,
        after which the other albums are not tried (`Outcome.halted`).
        """
        alone = self._context.alone
        if not state.generation:
            # No manifest names it yet: the report does.
            state = replace(state, title=album.title, path=album.path)
        if alone.halted is not None:
            return Outcome(state, halted=True)
        if self._context.deadline.passed:
            return Outcome(state, left_over=True)
        tried = self._tried(state)
        if not state.generation:
            # Should it fail, the report at least says what it is called.
            tried = replace(tried, title=album.title, path=album.path)
        try:
            if unreadable is not None:
                raise unreadable
            return self._contained(album, tried)
        except OutOfTime:
            return Outcome(state, left_over=True)
        except BackupError as error:
            if alone.concerns_all(error):
                return Outcome(state, halted=True)
            failure = Failure.of(error, album_key=album.key)
        except Exception as error:  # noqa: BLE001 - a defect of ours fails one album, not the night
            failure = self._defect(album, error)
        return Outcome(tried, failures=(failure,))

    def _defect(self, album: Album, error: Exception) -> Failure:
        """Its text is not ours and may hold anything, so only its kind is told."""
        if self._context.listener is not None:
            self._context.listener.defect(album, error)
        message = f"a defect in this program ({type(error).__name__}); please report it"
        return Failure(album.key, None, Code.DEFECT, message)

    def _tried(self, state: AlbumState) -> AlbumState:
        return replace(state, tried_at=self._context.now() or state.tried_at)

    def _contained(self, album: Album, state: AlbumState) -> Outcome:
        current = state
        for _ in range(_STARTS_OVER):
            try:
                return self._once(album, current)
            except CommitConflict:
                # Another run won this generation: what it wrote is where we begin now.
                current = self._newest_state(album.key, state)
        raise CommitConflict("other runs committed this album three times meanwhile")

    def _once(self, album: Album, state: AlbumState) -> Outcome:
        found = survey(self._context, album, state)
        if found.changes is None:
            return Outcome(
                self._moved_on(state, found), notes=notes_of(album.key, found), listed=True
            )
        return Commit(self._context, self._originals, album, state, found, found.changes).run()

    def _moved_on(self, state: AlbumState, found: Survey) -> AlbumState:
        cursor = new_cursor(state.cursor, found.dated)
        return replace(state, cursor=cursor, listed_at=found.dated or state.listed_at)

    def _newest_state(self, album_key: str, state: AlbumState) -> AlbumState:
        newest = self._context.archive.newest(album_key)
        reason = NextFull.COMMITTED_MEANWHILE
        if newest.manifest is None:
            return replace(state, generation=newest.generation, next_full=reason)
        found = AlbumState.of(newest.manifest, reason=reason, when=self._context.when())
        return replace(found, generation=newest.generation, tried_at=state.tried_at)

    def forecast(
        self, album: Album, state: AlbumState, *, unreadable: BackupError | None = None
    ) -> Forecast:
        """Say what `back_up` would do; write nothing."""
        try:
            if unreadable is not None:
                raise unreadable
            found = survey(self._context, album, state)
        except BackupError as error:
            return Forecast(album.key, album.title, error=str(error))
        changes = found.changes or Changes(entries={})
        return Forecast(
            album_key=album.key,
            title=album.title,
            full_listing=found.choice.reason if found.full else None,
            new=changes.new,
            changed=changes.changed,
            missing=changes.missing,
            originals=len(changes.wanted),
            bytes=sum(each.image.offer.size or 0 for each in changes.wanted.values()),
        )

    def bury(self, album_key: str, state: AlbumState) -> Outcome:
        """Commit the last generation of an album that has left: the same lines, ``deleted_at``."""
        return self._unlisted(album_key, state, burying=True)

    def mend_gone(self, album_key: str, state: AlbumState) -> Outcome:
        """Mend an album that has left, without a listing: a next generation of it."""
        return self._unlisted(album_key, state, burying=False)

    def _unlisted(self, album_key: str, state: AlbumState, *, burying: bool) -> Outcome:
        context = self._context
        if context.alone.halted is not None:
            return Outcome(state, halted=True)
        if context.deadline.passed:
            return Outcome(state, left_over=True)
        tried = self._tried(state)
        try:
            return self._next_generation(album_key, tried, burying=burying)
        except OutOfTime:
            return Outcome(state, left_over=True)
        except CommitConflict:
            # Another run committed it, or saw it again; the next run looks.
            return Outcome(state)
        except BackupError as error:
            if context.alone.concerns_all(error):
                return Outcome(state, halted=True)
            failure = Failure.of(error, album_key=album_key)
        except Exception as error:  # noqa: BLE001 - as above
            album = Album(album_key, 0, state.title, state.path, None, {}, ())
            failure = self._defect(album, error)
        return Outcome(tried, failures=(failure,))

    def _next_generation(self, album_key: str, state: AlbumState, *, burying: bool) -> Outcome:
        context = self._context
        newest = context.archive.newest(album_key, state.generation, state.manifest_sha256)
        known = newest.manifest
        mended = mend.mend(context, album_key, newest)
        entries = mended.entries
        places = context.archive.write_records(album_key, mended.records)
        for key, (record, at) in places.items():
            entries[key] = replace(entries[key], record=record, record_at=at)
        if not burying:
            entries = mend.without_source(entries)
        findings = context.findings.get(album_key, ())
        same = known is not None and entries == known.entries and newest.damage is None
        if not burying and same:
            return Outcome(
                state,
                failures=tuple(mended.failures),
                left_over=mended.left,
                mended=() if mended.failures else mended_findings(findings, known, mended.past),
            )
        now = context.now()
        before = known.header if known else mend.header_of_lost(context, album_key, state)
        if before.full_listing_at is None:
            entries = mend.without_order(entries)
        header = replace(
            before,
            generation=newest.generation + 1,
            previous=known.named if known else None,
            run_id=context.run_id,
            written_at=context.clock.now(),
            account=context.account,
            deleted_at=now if burying else before.deleted_at or state.deleted_at,
        )
        committed = context.archive.commit(Manifest(header, entries))
        after = replace(state.committed(committed, context.when()), next_full=None)
        if known is None:
            after = replace(after, cursor=0, full_listing_at=header.full_listing_at)
        counts = Counts(
            albums_changed=1,
            deleted=int(burying),
            repaired=mended.repaired + (newest.damage is not None),
        )
        failures = list(mended.failures)
        if newest.damage is not None:
            failures.append(mend.damage_failure(album_key, newest.damage))
        return Outcome(
            after,
            failures=tuple(failures),
            unavailable=(),
            pending=(),
            counts=counts,
            committed=True,
            left_over=mended.left,
            mended=mended_findings(findings, committed, mended.past),
            news=News({album_key: {What.ALBUM_LEFT: after.image_count}}) if burying else News(),
        )
