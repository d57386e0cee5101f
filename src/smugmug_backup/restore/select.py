"""Choose what to restore: which albums, each at which generation."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Header, Manifest, Original, header_of
from smugmug_backup.archive.state import load_manifest, load_report, newest_generations
from smugmug_backup.errors import BadRequest, NotABackup, NotStored
from smugmug_backup.ports import BackupStore
from smugmug_backup.restore.names import identity, safe_name
from smugmug_backup.restore.plan import Chosen, Problem


@dataclass(slots=True)
class Selection:
    """The headers of all albums as of the moment asked for; those that cannot be read."""

    headers: dict[str, Header] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def survey(store: BackupStore, executor: Executor, *, as_of: str | None = None) -> Selection:
    """Every album's header: the newest, or as of a day (``2026-03-01``) or a run id.

    As of a day counts what was committed before its end, in UTC. Raises BadRequest.
    """
    newest = newest_generations(store, executor)
    before: datetime | None = None
    if as_of is not None and keys.is_run_id(as_of):
        newest = _generations_of_run(store, as_of)
    elif as_of is not None:
        before = _end_of(as_of)
    found = Selection()

    def one(item: tuple[str, int]) -> Header | Problem | None:
        key, generation = item
        try:
            return _header_before(store, key, generation, before)
        except NotABackup as error:
            return Problem(key, None, key, "damaged", str(error))

    for item in executor.map(one, sorted(newest.items())):
        if isinstance(item, Header):
            found.headers[item.album_key] = item
        elif item is not None:
            found.problems.append(item)
    if as_of is not None and not found.headers and not found.problems:
        raise BadRequest(f"the backup holds nothing as of {as_of}")
    return found


def choose(
    store: BackupStore, executor: Executor, headers: Iterable[Header]
) -> tuple[list[Chosen], list[Problem]]:
    """Read the manifests behind ``headers``."""

    def one(header: Header) -> Chosen | Problem:
        try:
            manifest = load_manifest(store, header.album_key, header.generation)
            return Chosen(manifest, _older(store, manifest))
        except NotABackup as error:
            return Problem(header.album_key, None, header.album_key, "damaged", str(error))

    chosen: list[Chosen] = []
    problems: list[Problem] = []
    for each in executor.map(one, headers):
        if isinstance(each, Chosen):
            chosen.append(each)
        else:
            problems.append(each)
    return chosen, problems


def find_albums(names: Iterable[str], titles: Mapping[str, Sequence[str]]) -> list[str]:
    """The keys of the albums that ``names`` mean, each a key, a title, or folders and title with
    ``/`` between (case does not matter).

    ``titles`` are all albums by key: their folders, the title last. Raises BadRequest for a name
    that means none, or several.
    """
    found: list[str] = []
    known: dict[str, list[str]] = {}
    for key, parts in sorted(titles.items()):
        for name in {_plain(parts[-1]), _plain("/".join(parts))}:
            known.setdefault(name, []).append(key)
    for name in names:
        if name in titles:
            found.append(name)
            continue
        hits = known.get(_plain(name), [])
        if len(hits) > 1:
            raise BadRequest(
                f"several albums are called {name}; name one by its key: {', '.join(hits)}"
            )
        if not hits:
            close = difflib.get_close_matches(_plain(name), known, n=3)
            near = dict.fromkeys(
                safe_name(titles[known[each][0]][-1], limit=60, fallback="?") for each in close
            )
            question = f"; is it one of these: {', '.join(near)}?" if near else ""
            raise BadRequest(f"no album has the key or title {name}{question}")
        found += hits
    return list(dict.fromkeys(found))


def _plain(title: str) -> str:
    return identity(safe_name(title, limit=500, fallback=""))


def _generations_of_run(store: BackupStore, run: str) -> dict[str, int]:
    try:
        report = load_report(store, run)
    except NotStored:
        raise BadRequest(f"the backup has no report of a run {run}") from None
    return {key: state.generation for key, state in report.albums.items() if state.generation}


def _end_of(day: str) -> datetime:
    try:
        midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        return midnight + timedelta(days=1)
    except (ValueError, OverflowError):
        raise BadRequest(f"{day} is neither a day such as 2026-03-01 nor a run id") from None


def _header_before(
    store: BackupStore, key: str, generation: int, before: datetime | None
) -> Header | None:
    """The newest header that was written before ``before``; None if there was none yet."""
    for number in range(generation, 0, -1):
        header = _header(store, key, number)
        if before is None or header.written_at < before:
            return header
    return None


def _header(store: BackupStore, album_key: str, generation: int) -> Header:
    """Reads no more than the first line: a manifest may be long."""
    key = keys.manifest(album_key, generation)
    begun = b""
    try:
        with store.open(key) as chunks:
            for chunk in chunks:
                begun += chunk
                if b"\n" in chunk:
                    break
    except NotStored:
        raise NotABackup(f"{key} is not there") from None
    header = header_of(begun, key=key)
    if header.album_key != album_key or header.generation != generation:
        raise NotABackup(f"{key} is the manifest of something else")
    return header


def _older(store: BackupStore, manifest: Manifest) -> dict[str, Original]:
    """What was stored before the replacements that are pending."""
    wanted = {
        key: entry.original.previous
        for key, entry in manifest.entries.items()
        if not entry.original.stored and entry.original.previous
    }
    found: dict[str, Original] = {}
    generation = manifest.header.generation
    while wanted and generation > 1:
        generation -= 1
        try:
            entries = load_manifest(store, manifest.header.album_key, generation).entries
        except NotABackup:
            continue
        for key, previous in list(wanted.items()):
            entry = entries.get(key)
            if entry is not None and entry.original.stored and entry.original.key == previous:
                found[key] = entry.original
                del wanted[key]
    return found
