"""What one invocation leaves over: the plan for many, and their outcomes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Map
from smugmug_backup.archive.changes import News
from smugmug_backup.archive.encoding import Unreadable, json_line
from smugmug_backup.archive.report import (
    AlbumState,
    Counts,
    Failure,
    account_json,
    account_of,
    changes_of,
    pending_json,
    pending_of,
    unavailable_of,
)
from smugmug_backup.archive.report import merged as merged_state
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.clock import Deadline, parse_stamp_or_none, stamp_or_none
from smugmug_backup.errors import AlreadyStored, BadRequest, NotStored, StoreError
from smugmug_backup.model import Account, Album
from smugmug_backup.ports import BackupStore

BATCH_ALBUMS = 50
BATCH_SECONDS = 300.0
# A child's input may have 256 KiB in Step Functions; the rest is for what wraps the line.
BATCH_BYTES = 160 * 1024
MAX_LINES = 20_000
"""Step Functions gathers what all children of a map answer, and dies of more than 256 KiB of it."""

# Seconds of one invocation with eight transfers: a listing, and an original of a few MB.
_LISTING_SECONDS = 0.5
_ORIGINAL_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class PlannedAlbum:
    """An album as it travels to a child: all that it needs to do it, and nothing secret."""

    album: Album
    state: AlbumState

    @property
    def seconds(self) -> float:
        """Expected work."""
        expected = max(0, (self.album.image_count or 0) - self.state.image_count)
        return _LISTING_SECONDS + _ORIGINAL_SECONDS * (expected + self.state.pending)

    def as_json(self) -> dict[str, Any]:
        """The item as it stands in a plan's line."""
        album = self.album
        return {
            "album": {
                "key": album.key,
                "id": album.id,
                "title": album.title,
                "path": list(album.path),
                "image_count": album.image_count,
                "data": dict(album.data),
                "urls": list(album.urls),
                "changed_at": stamp_or_none(album.changed_at),
            },
            "state": self.state.as_json(),
        }

    @classmethod
    def from_json(cls, data: Any) -> "PlannedAlbum":
        """Raises BadRequest for what `as_json` did not make."""
        try:
            album = data["album"]
            if not keys.is_id(album["key"]) or not isinstance(album["data"], dict):
                raise ValueError("no album")
            return cls(
                Album(
                    key=album["key"],
                    id=album["id"],
                    title=str(album["title"]),
                    path=tuple(str(each) for each in album["path"]),
                    image_count=album["image_count"],
                    data=album["data"],
                    urls=tuple(str(each) for each in album["urls"]),
                    changed_at=parse_stamp_or_none(album["changed_at"]),
                ),
                AlbumState.from_json(data["state"]),
            )
        except (KeyError, TypeError, ValueError):
            raise BadRequest(
                "an album of the plan is not what a run of this program plans; "
                "start a backup instead"
            ) from None


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """One line of a plan: a child's whole input.

    ``account``: whose albums these are, as the run that planned saw it. ``check``: the check report
    whose findings are to be mended; ``open_elsewhere``: how many there are outside of the plan;
    None in a plan that an earlier version made.
    """

    albums: tuple[PlannedAlbum, ...]
    account: Account
    accept_shrink: tuple[str, ...] = ()
    check: str | None = None
    open_elsewhere: int | None = 0

    def as_json(self) -> dict[str, Any]:
        """The line."""
        return {
            "albums": [each.as_json() for each in self.albums],
            "account": account_json(self.account),
            "accept_shrink": list(self.accept_shrink),
            "check": self.check,
            "open_elsewhere": self.open_elsewhere,
        }

    @classmethod
    def from_json(cls, data: Any) -> "PlannedBatch":
        """Raises BadRequest for what `as_json` did not make."""
        try:
            if not data["albums"]:
                raise ValueError("empty")
            account = account_of(data["account"])
            check = data["check"]
            if account is None or not (check is None or keys.is_run_id(check)):
                raise ValueError("no account or check")
            return cls(
                tuple(PlannedAlbum.from_json(each) for each in data["albums"]),
                account,
                tuple(str(each) for each in data["accept_shrink"]),
                check,
                data.get("open_elsewhere"),
            )
        except Unreadable:
            raise BadRequest(
                "this is no line of a plan that a run of this program made; start a backup instead"
            ) from None


Plan = PlannedBatch
"""All albums of a plan, as one."""


def plan_lines(plan: Plan) -> Iterator[bytes]:
    """The plan as lines, a JSON object each: a batch of albums is a child's whole work."""
    batch: list[PlannedAlbum] = []
    seconds, size = 0.0, 0
    for each in plan.albums:
        length = len(json.dumps(each.as_json()))
        full = (
            len(batch) >= BATCH_ALBUMS
            or seconds + each.seconds > BATCH_SECONDS
            or size + length > BATCH_BYTES
        )
        if batch and full:
            yield json_line(replace(plan, albums=tuple(batch)).as_json())
            batch, seconds, size = [], 0.0, 0
        batch.append(each)
        seconds, size = seconds + each.seconds, size + length
    if batch:
        yield json_line(replace(plan, albums=tuple(batch)).as_json())


def write_plan(store: BackupStore, run: str, plan: Plan) -> int:
    """Store a plan; returns how many albums it does not hold, because they are too many."""
    lines = list(plan_lines(plan))
    store.create(keys.plan(run), b"".join(lines[:MAX_LINES]))
    return sum(len(json.loads(line)["albums"]) for line in lines[MAX_LINES:])


def has_plan(store: BackupStore, run: str) -> bool:
    """Whether the plan of that run is there."""
    return keys.is_run_id(run) and store.head(keys.plan(run)) is not None


def read_plan(store: BackupStore, run: str) -> Plan:
    """A plan, whole. Raises BadRequest if there is none, or it is not ours."""
    try:
        if not keys.is_run_id(run):
            raise NotStored(run)
        body = store.read(keys.plan(run))
    except NotStored:
        raise BadRequest(f"there is no plan of run {run} in this store") from None
    try:
        lines = [PlannedBatch.from_json(json.loads(line)) for line in body.splitlines() if line]
        albums = tuple(each for line in lines for each in line.albums)
        return replace(lines[0], albums=albums)
    except (BadRequest, IndexError, *Unreadable):
        raise BadRequest(f"{keys.plan(run)} is no plan of this program") from None


@dataclass(frozen=True, slots=True)
class Turn:
    """The outcome of an album's n-th turn, as it is stored for `finish`."""

    number: int
    outcome: Outcome


def store_outcome(
    store: BackupStore, run: str, album_key: str, outcome: Outcome, *, turn: int
) -> None:
    """Write the outcome of turn ``turn``, or of the next free one if another worker had it."""
    body = json_line(
        {
            "state": outcome.state.as_json(),
            "failures": [failure.as_json() for failure in outcome.failures],
            "unavailable": None
            if outcome.unavailable is None
            else [asdict(each) for each in outcome.unavailable],
            "pending": None
            if outcome.pending is None
            else [pending_json(each) for each in outcome.pending],
            "notes": list(outcome.notes),
            "mended": list(outcome.mended),
            "counts": asdict(outcome.counts),
            "changes": outcome.news.as_json() if outcome.news else None,
            "committed": outcome.committed,
            "left_over": outcome.left_over,
            "clock_doubted": outcome.clock_doubted,
        }
    )
    while True:
        try:
            store.create(keys.outcome(run, album_key, turn), body)
            return
        except AlreadyStored:
            turn += 1


def turns_of(store: BackupStore, run: str, album_key: str) -> tuple[Turn, ...]:
    """All turns of one album so far, in order, but for those whose outcome cannot be read."""
    found = [each.key for each in store.list(keys.outcomes(run, album_key))]
    return tuple(_turns(store, found, map).get(album_key, ()))


def all_turns(
    store: BackupStore, run: str, map_: Map, deadline: Deadline
) -> Mapping[str, Sequence[Turn]]:
    """All turns of all albums of a run, in order, as far as there is time to read them; ``map_``
    reads many at a time."""
    found = [each.key for each in store.list(f"{keys.WORK}{run}/")]
    return _turns(store, found, map_, deadline)


def _turns(
    store: BackupStore, found: Sequence[str], map_: Map, deadline: Deadline | None = None
) -> dict[str, list[Turn]]:
    def read(key: str) -> Outcome | None:
        return None if deadline and deadline.passed else _read_outcome(store, key)

    named = [(key, parsed) for key in found if (parsed := keys.parse_outcome(key)) is not None]
    outcomes = map_(read, [key for key, _ in named])
    turns: dict[str, list[Turn]] = {}
    for (_, (album_key, number)), outcome in zip(named, outcomes, strict=True):
        if outcome is None:
            # It only saves work: the manifests tell what was done.
            continue
        turns.setdefault(album_key, []).append(Turn(number, outcome))
    return turns


def _read_outcome(store: BackupStore, key: str) -> Outcome | None:
    with suppress(StoreError, *Unreadable):
        data = json.loads(store.read(key))
        unavailable, pending = data["unavailable"], data["pending"]
        return Outcome(
            state=AlbumState.from_json(data["state"]),
            failures=tuple(Failure.from_json(each) for each in data["failures"]),
            unavailable=None
            if unavailable is None
            else tuple(unavailable_of(each) for each in unavailable),
            pending=None if pending is None else tuple(pending_of(each) for each in pending),
            notes=tuple(data["notes"]),
            mended=tuple(str(each) for each in data.get("mended", ())),
            counts=Counts.from_json(data["counts"]),
            news=changes_of(data),
            committed=data["committed"],
            left_over=data["left_over"],
            clock_doubted=data["clock_doubted"],
            listed=not data["left_over"] and not data["failures"],
        )
    return None


def merged(turns: Sequence[Turn]) -> Outcome:
    """All turns of one album as one outcome: the last state, the sum of what was done."""
    last = turns[-1].outcome
    counts = Counts()
    for turn in turns:
        counts.add(turn.outcome.counts)
    committed = any(turn.outcome.committed for turn in turns)
    counts.albums_changed = int(committed)
    unavailable = [t.outcome.unavailable for t in turns if t.outcome.unavailable is not None]
    pending = [t.outcome.pending for t in turns if t.outcome.pending is not None]
    news = News()
    for turn in turns:
        news.add(turn.outcome.news)
    return replace(
        last,
        news=news,
        unavailable=unavailable[-1] if unavailable else None,
        pending=pending[-1] if pending else None,
        counts=counts,
        committed=committed,
        mended=tuple(key for turn in turns for key in turn.outcome.mended),
    )


def taken_up(
    entries: Mapping[str, AlbumState], turns: Mapping[str, Sequence[Turn]]
) -> dict[str, AlbumState]:
    """The albums' entries after an overflow that nobody closed."""
    found = dict(entries)
    for key, done in turns.items():
        state = done[-1].outcome.state
        found[key] = merged_state(found[key], state) if key in found else state
    return found
