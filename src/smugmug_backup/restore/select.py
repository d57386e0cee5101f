"""Choose what to restore: which albums, each as it was at a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.history import AsOf, Generations, Moments
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.report import AlbumState
from smugmug_backup.archive.titles import album_name, find_albums
from smugmug_backup.errors import BackupError, BadRequest, FormatTooNew
from smugmug_backup.restore.plan import Placed, Problem


@dataclass(slots=True)
class Selection:
    """``manifests``: of the albums to be restored. ``known``: all albums, for the names of their
    folders depend on each other. ``problems``: what is wrong with the manifests of those wanted.
    ``gone``: the albums that have left SmugMug, or are missing there, as far as that is known."""

    manifests: list[Manifest] = field(default_factory=list)
    known: list[Placed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Told:
    """An album as a report tells of it."""

    album_key: str
    title: str
    path: tuple[str, ...]
    deleted_at: datetime | None


def select(
    archive: Archive,
    map_: Map,
    *,
    albums: Sequence[str] = (),
    as_of: str | None = None,
    deleted: bool = False,
) -> Selection:
    """The albums that ``albums`` mean (see `find_albums`); none: all that have not left SmugMug,
    with ``deleted`` those as well.

    ``as_of``: a day (``2026-03-01``: its end, in UTC), or a run id. An album that cannot be read
    is that album's problem, and one whose newest generation is damaged comes as the one before
    tells it. Raises BadRequest, and StoreError if the store cannot be read at all.
    """
    moments = Moments.of(archive, map_)
    generations = _generations(moments, as_of)
    # Where few are wanted, the others' names are all that is needed of them.
    states = _states(moments) if albums else {}
    told = {
        key: _told(key, states[key])
        for key, generation in generations.items()
        if key in states and states[key].generation == generation
    }
    found = moments.read({key: n for key, n in generations.items() if key not in told})
    if as_of is not None and not told and not found.manifests and not found.problems:
        raise BadRequest(f"the backup holds nothing as of {as_of}")
    known = told | _unread(moments, found) | _headers(found)
    chosen = find_albums(albums, known)
    wanted = moments.read({key: generations[key] for key in chosen if key in told})
    found.manifests |= wanted.manifests
    found.problems |= wanted.problems
    found.errors |= wanted.errors
    known |= _headers(found)
    if not chosen:
        chosen = [key for key in known if deleted or known[key].deleted_at is None]
    return Selection(
        [found.manifests[key] for key in chosen if key in found.manifests],
        list(known.values()),
        [_problem(known[key], found) for key in chosen if key in found.problems],
        _gone(known, _states(moments) if deleted and as_of is None else {}),
    )


def _gone(known: Mapping[str, Placed], states: Mapping[str, AlbumState]) -> frozenset[str]:
    """An album that is missing tonight has no generation that says so; the newest report does."""
    missing = {key for key, state in states.items() if state.missing_since is not None}
    return frozenset(
        key for key, album in known.items() if album.deleted_at is not None or key in missing
    )


def _headers(found: AsOf) -> dict[str, Placed]:
    return {key: manifest.header for key, manifest in found.manifests.items()}


def _unread(moments: Moments, found: AsOf) -> dict[str, Placed]:
    lost = [key for key in found.problems if key not in found.manifests]
    states = _states(moments) if lost else {}
    return {key: _told(key, states.get(key) or AlbumState()) for key in lost}


def _states(moments: Moments) -> Mapping[str, AlbumState]:
    try:
        return moments.told()
    except FormatTooNew:
        raise
    except BackupError:
        return {}  # Their manifests tell, or their keys have to do.


def _told(key: str, state: AlbumState) -> Placed:
    return _Told(key, state.title or key, tuple(state.path), state.deleted_at)


def _generations(moments: Moments, as_of: str | None) -> Generations:
    if as_of is None:
        return moments.latest()
    if keys.is_run_id(as_of):
        return moments.after_run(as_of)
    return moments.at(_end_of(as_of))


def _end_of(day: str) -> datetime:
    """The last moment of ``day``."""
    try:
        midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        return midnight + timedelta(days=1) - timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise BadRequest(f"{day} is neither a day such as 2026-03-01 nor a run id") from None


def _problem(album: Placed, found: AsOf) -> Problem:
    key, name = album.album_key, album_name(album)
    said = found.problems[key]
    manifest = found.manifests.get(key)
    if manifest is None:
        error = found.errors.get(key)
        return Problem(key, None, name, error.code if error else "damaged", said)
    written = manifest.header.written_at
    message = f"{said}; what it held at {written:%Y-%m-%d %H:%M} UTC is restored"
    return Problem(key, None, name, "damaged", message)
