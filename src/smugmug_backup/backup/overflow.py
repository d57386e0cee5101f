"""What one invocation leaves over: the plan for many, and their outcomes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import damaged, json_line
from smugmug_backup.archive.report import AlbumState, Counts, Failure, Unavailable, account_json
from smugmug_backup.backup.album import Outcome
from smugmug_backup.clock import parse_stamp_or_none, stamp_or_none
from smugmug_backup.errors import AlreadyStored, BadRequest, NotStored
from smugmug_backup.model import Account, Album
from smugmug_backup.ports import BackupStore

BATCH_ALBUMS = 50
BATCH_SECONDS = 300.0
# A child's input may have 256 KiB in Step Functions; the rest is for what wraps the line.
BATCH_BYTES = 160 * 1024
MAX_LINES = 20_000
"""More children than this could end the map with too large an output (`aws.md`)."""

# Seconds of one invocation with eight transfers: a listing, and an original of a few MB.
_LISTING_SECONDS = 0.5
_ORIGINAL_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class PlannedAlbum:
    """An album as it travels to a child: all that it needs to do it, and nothing secret."""

    album: Album
    state: AlbumState
    account: Account

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
            "account": account_json(self.account),
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
                Account(str(data["account"]["nickname"]), str(data["account"]["access"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(
                "an album of the plan is not what a run of this program plans "
                f"({type(error).__name__}); start a backup instead"
            ) from None


def plan_lines(planned: Iterable[PlannedAlbum]) -> Iterator[bytes]:
    """Batches of albums, a JSON object ``{"albums": […]}`` a line: a child's whole work."""
    batch: list[dict[str, Any]] = []
    seconds, size = 0.0, 0
    for each in planned:
        item = each.as_json()
        length = len(json.dumps(item))
        full = (
            len(batch) >= BATCH_ALBUMS
            or seconds + each.seconds > BATCH_SECONDS
            or size + length > BATCH_BYTES
        )
        if batch and full:
            yield json_line({"albums": batch})
            batch, seconds, size = [], 0.0, 0
        batch.append(item)
        seconds, size = seconds + each.seconds, size + length
    if batch:
        yield json_line({"albums": batch})


def albums_in(line: bytes) -> int:
    """How many albums a line of `plan_lines` holds."""
    return len(json.loads(line)["albums"])


def read_plan(store: BackupStore, run: str) -> tuple[PlannedAlbum, ...]:
    """All albums of a plan. Raises BadRequest if there is none, or it is not ours."""
    try:
        body = store.read(keys.plan(run))
    except NotStored:
        raise BadRequest(f"there is no plan of run {run} in this store") from None
    try:
        lines = [json.loads(line)["albums"] for line in body.splitlines() if line]
        if not lines:
            raise ValueError("empty")
    except (KeyError, TypeError, ValueError, RecursionError):
        raise BadRequest(f"{keys.plan(run)} is no plan of this program") from None
    return tuple(PlannedAlbum.from_json(item) for line in lines for item in line)


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
            "notes": list(outcome.notes),
            "counts": asdict(outcome.counts),
            "committed": outcome.committed,
            "left_over": outcome.left_over,
        }
    )
    while True:
        try:
            store.create(keys.outcome(run, album_key, turn), body)
            return
        except AlreadyStored:
            turn += 1


def turns_of(store: BackupStore, run: str, album_key: str) -> tuple[Turn, ...]:
    """All turns of one album so far, in order."""
    found = store.list(f"{keys.WORK}{run}/{album_key}-")
    return tuple(_turns(store, (each.key for each in found)).get(album_key, ()))


def all_turns(store: BackupStore, run: str) -> Mapping[str, Sequence[Turn]]:
    """All turns of all albums of a run, in order."""
    return _turns(store, (each.key for each in store.list(f"{keys.WORK}{run}/")))


def _turns(store: BackupStore, found: Iterable[str]) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = {}
    for key in found:
        parsed = keys.parse_outcome(key)
        if parsed is not None:
            album_key, number = parsed
            turns.setdefault(album_key, []).append(Turn(number, _read_outcome(store, key)))
    return turns


def _read_outcome(store: BackupStore, key: str) -> Outcome:
    try:
        data = json.loads(store.read(key))
        return Outcome(
            state=AlbumState.from_json(data["state"]),
            failures=tuple(Failure(**each) for each in data["failures"]),
            unavailable=None
            if data["unavailable"] is None
            else tuple(Unavailable(**each) for each in data["unavailable"]),
            notes=tuple(data["notes"]),
            counts=Counts(**data["counts"]),
            committed=data["committed"],
            left_over=data["left_over"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(key, error) from None


def merged(turns: Sequence[Turn]) -> Outcome:
    """All turns of one album as one outcome: the last state, the sum of what was done."""
    last = turns[-1].outcome
    counts = Counts()
    for turn in turns:
        counts.add(turn.outcome.counts)
    seen = [t.outcome.unavailable for t in turns if t.outcome.unavailable is not None]
    return Outcome(
        state=last.state,
        failures=last.failures,
        unavailable=seen[-1] if seen else None,
        notes=last.notes,
        counts=counts,
        committed=any(turn.outcome.committed for turn in turns),
        left_over=last.left_over,
    )
