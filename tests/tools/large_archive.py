"""A large archive, written without a source and without originals: to measure who only reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.encoding import canonical_json, fingerprint
from smugmug_backup.archive.keys import run_id
from smugmug_backup.archive.manifest import Entry, Header, Manifest
from smugmug_backup.archive.original import Original, Status, When
from smugmug_backup.archive.report import AlbumState, Counts, RunReport, RunStatus
from smugmug_backup.errors import StoreError
from smugmug_backup.model import Account, Kind, StoredObject
from smugmug_backup.ports import BackupStore

START = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
_WORDS = ("harbour", "dusk", "quay", "alps", "winter", "boat", "river", "élan", "山", "lantern")
_ACCOUNT = Account("larkfield", "owner")


class Plain:
    """A folder that is written without any care, and read by nobody here."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, key: str, body: bytes, **more: Any) -> None:
        """Write a file."""
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def list(self, prefix: str, **more: Any) -> Iterator[StoredObject]:
        """There is nothing yet."""
        return iter(())

    def batch(self) -> "Plain":
        """Files as they come."""
        return self

    def barrier(self) -> dict[str, StoreError]:
        """Nothing fails."""
        return {}


def change(archive: Archive, number: int) -> None:
    """Another caption in album ``number``, and the report of the night that brought it."""
    key = f"A{number:05d}"
    newest = archive.manifest(key, 1)
    changed = commit(archive, number, 0, before=newest)
    at = START + timedelta(days=1)
    states = dict(archive.reports(now=at).albums)
    states[key] = AlbumState.of(changed, reason="", when=When(at))
    report(archive, states, at)


def write_large_archive(store: BackupStore | Plain, *, albums: int, images: int) -> None:
    """One night's backup of so many albums with so many images each."""
    archive = Archive(store)
    states = {}
    for number in range(albums):
        manifest = commit(archive, number, images)
        states[manifest.header.album_key] = AlbumState.of(manifest, reason="", when=When(START))
    report(archive, states, START)


def commit(
    archive: Archive, number: int, images: int, *, before: Manifest | None = None
) -> Manifest:
    """The next generation of album ``number``; after the first one, with one caption changed."""
    key = f"A{number:05d}"
    generation = before.header.generation + 1 if before else 1
    lines = {}
    entries = dict(before.entries) if before else {}
    for each in [0] if before else range(images):
        data = _image(number, each, generation)
        lines[data["ImageKey"]] = canonical_json(
            {
                "image": data,
                "image_key": data["ImageKey"],
                "source": "smugmug-v2",
                "urls": ["ArchivedUri"],
            }
        )
    for image_key, (file, at) in archive.write_records(key, lines).items():
        digest = fingerprint(lines[image_key])
        entries[image_key] = Entry(
            image_key=image_key,
            image_id=None,
            file_name=f"DSC_{image_key[1:]}.JPG",
            record=file,
            record_at=at,
            fingerprint=digest,
            last_updated="2026-11-20T00:00:00+00:00",
            position=int(image_key[-4:]),
            original=Original(
                Kind.ORIGINAL,
                Status.STORED,
                key=f"originals/{image_key}/{digest * 2}.jpg",
                bytes=4_000_000,
                sha256=digest * 4,
                md5=digest * 2,
                source_md5=digest * 2,
                verified=True,
            ),
        )
    header = Header(
        album_key=key,
        generation=generation,
        previous=before.named if before else None,
        run_id=run_id(START, "00000001"),
        written_at=START + timedelta(days=generation),
        account=_ACCOUNT,
        source="smugmug-v2",
        title=f"Album {number}",
        path=("Travel", f"Year {number % 20}"),
        album={"AlbumKey": key, "Name": f"Album {number}"},
        urls=(),
        image_count=0,
        line_count=0,
        cursor=0,
        full_listing_at=START,
        deleted_at=None,
    )
    return archive.commit(Manifest(header, entries))


def report(archive: Archive, states: dict[str, AlbumState], at: datetime) -> RunReport:
    """A run report that tells these albums' states."""
    return archive.write_report(
        RunReport(
            run_id=run_id(at, "00000001"),
            status=RunStatus.COMPLETE,
            trigger=None,
            attempt_of=None,
            started_at=at,
            ended_at=at,
            dated_at=at,
            part=False,
            account=_ACCOUNT,
            source="smugmug-v2",
            counts=Counts(),
            albums=states,
        )
    )


def _image(album: int, number: int, generation: int) -> dict[str, Any]:
    words = [_WORDS[(album * 7 + number * k) % len(_WORDS)] for k in (1, 3, 5)]
    key = f"i{album:05d}{number:04d}"
    return {
        "ImageKey": key,
        "Caption": f"{' '.join(words)} {number}, version {generation}",
        "DateTimeOriginal": f"{2005 + album % 20}-0{1 + number % 9}-15T12:00:00+00:00",
        "DateTimeUploaded": "2026-11-20T00:00:00+00:00",
        "FileName": f"DSC_{key[1:]}.JPG",
        "Format": "JPG",
        "IsVideo": number % 50 == 49,
        "KeywordArray": words,
        "Latitude": str(40 + album % 20 + number / 1000),
        "Longitude": str(album % 90 + number / 1000),
        "OriginalHeight": 4000,
        "OriginalWidth": 6000,
        # As much as SmugMug says besides of an image.
        "Rest": {f"Field{each}": "x" * 20 for each in range(40)},
    }
