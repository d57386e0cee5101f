"""Choose what to restore: which albums, each as it was at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.history import AsOf, Generations, Moments
from smugmug_backup.archive.manifest import Header, Manifest
from smugmug_backup.archive.titles import Titled, album_name, find_albums
from smugmug_backup.errors import BadRequest
from smugmug_backup.restore.plan import Problem


@dataclass(slots=True)
class Selection:
    """``manifests``: of the albums to be restored. ``headers``: of all, for their folders' names
    depend on each other. ``problems``: what is wrong with the manifests of those wanted."""

    manifests: list[Manifest] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Unread:
    """An album of which nothing is known but its key."""

    title: str
    path: tuple[str, ...] = ()


def select(
    archive: Archive,
    map_: Map,
    *,
    albums: Iterable[str] = (),
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
    found = moments.read(_generations(moments, as_of))
    if as_of is not None and not found.manifests and not found.problems:
        raise BadRequest(f"the backup holds nothing as of {as_of}")
    headers = {key: manifest.header for key, manifest in found.manifests.items()}
    titled: dict[str, Titled] = {key: _Unread(key) for key in found.problems}
    chosen = find_albums(albums, titled | headers)
    if not chosen:
        chosen = [
            k for k in titled | headers if deleted or k not in headers or _is_live(headers[k])
        ]
    return Selection(
        [found.manifests[key] for key in chosen if key in found.manifests],
        list(headers.values()),
        [_problem(key, found) for key in chosen if key in found.problems],
    )


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


def _is_live(header: Header) -> bool:
    return header.deleted_at is None


def _problem(key: str, found: AsOf) -> Problem:
    said = found.problems[key]
    manifest = found.manifests.get(key)
    if manifest is None:
        error = found.errors.get(key)
        return Problem(key, None, key, error.code if error else "damaged", said)
    header = manifest.header
    message = f"{said}; what it held at {header.written_at:%Y-%m-%d %H:%M} UTC is restored"
    return Problem(key, None, album_name(header), "damaged", message)
