"""What the archive holds of the account: every album's state, by the reports or the manifests.

========================================  ======================================================
an album                                  its state
========================================  ======================================================
of which a report's entry names the       that entry
newest generation listed
all others                                what its newest manifest says, read whole (`generations`);
                                          it is listed in full at its next turn
of which that cannot be read tonight      the report's entry as it is, or none; it is named in
                                          ``unreadable``, and fails alone
========================================  ======================================================
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.generations import Listed, Newest, newest_state
from smugmug_backup.archive.manifest import Pending, Unavailable, pending, unavailable
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.original import When
from smugmug_backup.archive.report import AlbumState, NextFull, RunReport
from smugmug_backup.errors import BackupError, FormatTooNew, StoreError
from smugmug_backup.model import Account
from smugmug_backup.ports import BackupStore


@dataclass(slots=True)
class Contents:
    """What the archive holds of the account.

    ``albums``: every album's state, live and gone. ``unavailable`` and ``pending``: by album, as
    far as the reports name them. ``account``: whose albums these are, None in an empty store.
    ``damage``: what is wrong with an album's newest manifest, by album. ``newest``: the greatest
    generation listed, by album. ``unreadable``: albums whose newest state cannot be read tonight,
    and why: nothing may be decided of these.
    """

    albums: dict[str, AlbumState]
    unavailable: dict[str, tuple[Unavailable, ...]]
    pending: dict[str, tuple[Pending, ...]]
    account: Account | None
    damage: dict[str, str]
    newest: dict[str, int]
    unreadable: dict[str, BackupError] = field(default_factory=dict)


def read_contents(
    store: BackupStore,
    reports: Reports,
    generations: Mapping[str, int],
    map_: Map,
    *,
    when: When,
    entries: Mapping[str, AlbumState],
    tolerant: bool = False,
) -> Contents:
    """The state of every album that ``entries`` or ``generations`` know; see `Archive.contents`."""
    unseen = generations.unreadable if isinstance(generations, Listed) else {}
    found = Contents({}, {}, {}, reports.account, {}, dict(generations), dict(unseen))
    found.albums = {
        key: state
        for key, state in entries.items()
        if key in unseen or state.generation == generations.get(key, 0)
    }

    def one(key: str) -> tuple[str, Newest | StoreError | FormatTooNew]:
        known = entries.get(key, AlbumState())
        newest = max(known.generation, generations.get(key, 0))
        try:
            stated = {known.generation: known.manifest_sha256}
            return key, newest_state(store, key, newest, stated)
        except (StoreError, FormatTooNew) as error:
            return key, error

    stale = [key for key in {**generations, **entries, **unseen} if key not in found.albums]
    for key, newest in map_(one, [key for key in stale if key not in unseen]):
        if isinstance(newest, Newest):
            _take_up(found, key, newest, entries.get(key, AlbumState()), when)
        else:
            found.unreadable[key] = newest
    for key in found.unreadable:
        # An entry of generation 0 counts for no album that has a manifest.
        known = entries.get(key, AlbumState(next_full=NextFull.STATE_LOST))
        found.albums.setdefault(key, known)
    # Last: what a report names holds for an entry that is carried on unread, too.
    for report in reversed(reports.counting):
        found.unavailable.update(by_album(report.unavailable, report, found.albums))
        found.pending.update(by_album(report.pending, report, found.albums))
    if tolerant:
        found.damage |= {key: str(error) for key, error in found.unreadable.items()}
    elif found.account is None and found.unreadable:
        raise next(iter(found.unreadable.values()))
    return found


def _take_up(found: Contents, key: str, newest: Newest, known: AlbumState, when: When) -> None:
    """The state of an album that its newest manifest tells, not a report."""
    manifest = newest.manifest
    if manifest is not None:
        found.account = _wider(found.account, manifest.header.account)
        if newest.damage is None and manifest.sha256 == known.manifest_sha256:
            # It lies under a numbered name, which no listing counts: the entry is right.
            found.albums[key] = known
            return
    reason = NextFull.STATE_LOST
    if newest.damage is not None:
        reason = NextFull.MANIFEST_DAMAGED
        found.damage[key] = newest.damage
    state = AlbumState(title=known.title, path=known.path, next_full=reason)
    if manifest is not None:
        state = AlbumState.of(manifest, reason=reason, when=when)
        found.unavailable[key] = unavailable(manifest)
        found.pending[key] = pending(manifest, when)
    if newest.damage is not None:
        same = known.generation == newest.generation
        stated = known.manifest_sha256 if same else None
        state = replace(
            state,
            generation=newest.generation,
            manifest_sha256=stated,
            album_fingerprint=state.album_fingerprint or known.album_fingerprint,
            missing_since=known.missing_since or state.missing_since,
            deleted_at=known.deleted_at or state.deleted_at,
        )
    found.albums[key] = replace(state, tried_at=known.tried_at, listed_at=known.listed_at)


_Named = TypeVar("_Named", Unavailable, Pending)


def by_album(
    named: Iterable[_Named], report: RunReport, states: Mapping[str, AlbumState]
) -> dict[str, tuple[_Named, ...]]:
    """What a report names, by album, of those albums whose entry in ``states`` is its own."""
    found: dict[str, list[_Named]] = {}
    for each in named:
        key = each.album_key
        if key in states and report.albums.get(key) == states[key]:
            found.setdefault(key, []).append(each)
    return {key: tuple(listed) for key, listed in found.items()}


def _wider(one: Account | None, other: Account) -> Account:
    if one is None or (one.access != "owner" and other.access == "owner"):
        return other
    return one
