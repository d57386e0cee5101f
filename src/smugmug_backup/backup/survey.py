"""The first half of an album's work: which listing, what it shows, how that differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smugmug_backup.archive.archive import Newest
from smugmug_backup.archive.check_report import Scope
from smugmug_backup.archive.manifest import Entry, Manifest, album_fingerprint, live_count
from smugmug_backup.archive.original import When
from smugmug_backup.archive.replaced import Record
from smugmug_backup.archive.report import AlbumState, NextFull
from smugmug_backup.backup import mend
from smugmug_backup.backup.belief import Belief, Shown, believe, keys_digest
from smugmug_backup.backup.compare import Changes, Comparison, compare, once_each
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.listing import Choice, choose_listing, count_fits
from smugmug_backup.backup.mend import Mended
from smugmug_backup.errors import OutOfTime
from smugmug_backup.model import Album, Image, Listing


@dataclass(slots=True)
class Survey:
    """A listing, compared.

    ``dated``: the answer's date, None if nothing may be decided by it; ``when``: the instant that
    is recorded. ``newest``: what it was compared with. ``changes`` is None if there was no need to
    read the manifest, ``belief`` for a listing of changes.
    """

    choice: Choice
    full: bool
    listed: int
    dated: datetime | None
    when: When
    belief: Belief | None
    newest: Newest
    mended: Mended
    changes: Changes | None = None

    @property
    def known(self) -> Manifest | None:
        """The manifest that the listing was compared with."""
        return self.newest.manifest

    @property
    def believed(self) -> bool:
        """A full listing that shows all there is."""
        return self.belief is not None and self.belief.believed


def survey(context: Context, album: Album, state: AlbumState) -> Survey:
    """List ``album`` and compare. Raises SourceError, StoreError, OutOfTime."""
    return _Surveying(context, album, state).run()


class _Surveying:
    def __init__(self, context: Context, album: Album, state: AlbumState) -> None:
        self._context = context
        self._album = album
        self._state = state
        self._newest: Newest | None = None
        self._mended = Mended()

    def run(self) -> Survey:
        context, state = self._context, self._state
        findings = context.findings.get(self._album.key, ())
        # What only older generations name, no listing brings back.
        mending = any(finding.scope == Scope.STATE for finding in findings)
        choice = choose_listing(
            state,
            now=context.now() or context.clock.now(),
            album_key=self._album.key,
            days=context.options.full_listing_days,
            asked=context.full,
        )
        if mending and choice.since is not None:
            choice = Choice(None, NextFull.MENDING)
        if choice.since is None:
            return self._in_full(choice, self._list(None))
        listing = self._list(choice.since)
        if listing.full:
            choice = Choice(None, "the source lists changes only in full")
            return self._in_full(choice, listing)
        found = self._of_changes(choice, listing)
        if found is not None:
            return found
        return self._in_full(Choice(None, "number of images differs"), self._list(None))

    def _of_changes(self, choice: Choice, listing: Listing) -> Survey | None:
        """What a listing of changes says; None if it cannot be all."""
        state = self._state
        images, contradicted = once_each(listing.images, self._context.source.name)
        same_album = album_fingerprint(self._album.data) == state.album_fingerprint
        if not images and same_album:
            changes, live = None, state.image_count
        else:
            changes = self._compare(images, listing, believed=False)
            changes.contradicted = contradicted
            live = live_count(changes.entries.values())
        if self._damaged or not count_fits(live, self._album, state):
            return None
        return self._surveyed(choice, listing, images, None, changes)

    def _in_full(self, choice: Choice, listing: Listing) -> Survey:
        context, album = self._context, self._album
        images, contradicted = once_each(listing.images, context.source.name)
        shown = self._shown(images, listing)
        belief = believe(
            shown,
            self._state,
            accepted=album.key in context.accepted,
            now=context.dated(listing.answered_at),
        )
        changes = self._compare(images, listing, believed=belief.believed)
        changes.contradicted = contradicted
        return self._surveyed(choice, listing, images, belief, changes)

    def _shown(self, images: Sequence[Image], listing: Listing) -> Shown:
        keys = {image.key for image in images}
        live = [entry.image_key for entry in self._known.values() if entry.live]
        return Shown(
            length=len(images),
            own_count=listing.image_count,
            count=self._album.image_count,
            live=len(live),
            lost=sum(key not in keys for key in live),
            keys=keys_digest(keys),
        )

    def _surveyed(
        self,
        choice: Choice,
        listing: Listing,
        images: Sequence[Image],
        belief: Belief | None,
        changes: Changes | None,
    ) -> Survey:
        state = self._state
        return Survey(
            choice=choice,
            full=listing.full,
            listed=len(images),
            dated=self._context.dated(listing.answered_at),
            when=self._context.when(listing.answered_at),
            belief=belief,
            newest=self._newest or Newest(None, state.generation),
            mended=self._mended,
            changes=changes,
        )

    def _list(self, since: int | None) -> Listing:
        context = self._context
        if context.deadline.passed:
            raise OutOfTime("no time left to list this album")
        return context.source.images(self._album, since=since, deadline=context.deadline)

    @property
    def _damaged(self) -> bool:
        return self._newest is not None and self._newest.damage is not None

    @property
    def _known(self) -> dict[str, Entry]:
        """The lines known so far, mended; read once."""
        if self._newest is None:
            state, context = self._state, self._context
            self._newest = Newest(None, 0)
            if state.generation:
                self._newest = context.archive.newest(
                    self._album.key, state.generation, state.manifest_sha256
                )
            self._mended = mend.mend(context, self._album.key, self._newest)
            if self._newest.manifest is None:
                self._mended.entries = mend.without_order(self._mended.entries)
        return self._mended.entries

    def _compare(self, images: Sequence[Image], listing: Listing, *, believed: bool) -> Changes:
        context, album = self._context, self._album
        dated = context.dated(listing.answered_at)
        comparison = Comparison(
            known=self._known,
            full=listing.full,
            believed=believed,
            cursor=self._state.cursor,
            source=context.source.name,
            when=context.when(listing.answered_at),
            dated=dated,
            forgotten=context.forgotten,
            album_key=album.key,
        )

        def read_records(entries: Sequence[Entry]) -> dict[str, Record]:
            found = context.archive.records(album.key, entries, context.map)
            return dict(found)

        return compare(images, comparison, read_records=read_records)
