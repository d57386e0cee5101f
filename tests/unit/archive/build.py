"""A store made by hand, file by file, for the tests of what its files mean."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.manifest import Entry, Header, Manifest
from smugmug_backup.archive.original import Original, Reason, Status, When
from smugmug_backup.archive.report import AlbumState, Counts, RunReport
from smugmug_backup.model import Account, Kind
from tests.tools.memory_store import MemoryStore

NOW = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
WHEN = When(NOW)
OWNER = Account("larkfield", "owner")
HASH = "0123456789abcdef" * 4
MD5 = "0123456789abcdef" * 2


def day(number, hours=0):
    """The night with that number; the first is 1, negative ones lie before."""
    return NOW + timedelta(days=number - 1, hours=hours)


WAITS = Original(
    Kind.ORIGINAL,
    Status.PENDING,
    reason=Reason.PROCESSING,
    reason_since=day(1),
    pending_since=day(1),
)
"""What a line says of bytes that SmugMug has not ready yet."""


def run_id(number, token=0):
    """The id of that night's run."""
    return f"{day(number):%Y%m%dT%H%M%SZ}-{token:08x}"


def entry(key="pW7dQkN", **fields):
    """A line; without more, of an image whose bytes are stored and verified."""
    return Entry(
        **{
            "image_key": key,
            "image_id": 1,
            "file_name": "quay.jpg",
            "record": None,
            "record_at": None,
            "fingerprint": "0123456789abcdef",
            "last_updated": "2024-08-10 21:03:19",
            "position": 1,
            "original": stored(),
            **fields,
        }
    )


def stored(**fields):
    """What a line says of bytes that are there."""
    return Original(
        **{
            "kind": Kind.ORIGINAL,
            "status": Status.STORED,
            "key": f"originals/pW7dQkN=52/{MD5}.jpg",
            "bytes": 10,
            "sha256": HASH,
            "md5": MD5,
            "source_md5": MD5,
            "verified": True,
            **fields,
        }
    )


def manifest(album="hT4mWq", generation=1, /, *lines, **header):
    """A generation that is not written yet."""
    whole = Header(
        **{
            "album_key": album,
            "generation": generation,
            "previous": None,
            "run_id": run_id(generation),
            "written_at": day(generation),
            "account": OWNER,
            "source": "smugmug-1.3.0",
            "title": "Harbour 2024",
            "path": ("Travel", "Coast"),
            "album": {"Key": album},
            "urls": ("URL",),
            "image_count": 0,
            "line_count": 0,
            "cursor": 0,
            "full_listing_at": None,
            "deleted_at": None,
            **header,
        }
    )
    return Manifest(whole, {each.image_key: each for each in lines}).counted()


def report(number, *previous, token=0, albums=None, **fields):
    """A complete run of the whole account in that night."""
    return RunReport(
        **{
            "run_id": run_id(number, token),
            "status": "complete",
            "trigger": None,
            "attempt_of": None,
            "started_at": day(number),
            "ended_at": day(number, 1),
            "dated_at": day(number),
            "part": False,
            "account": OWNER,
            "source": "smugmug-1.3.0",
            "counts": Counts(),
            "previous": tuple(each.link for each in previous),
            "albums": albums or {},
            **fields,
        }
    )


def check(number, *previous, **fields):
    """A check of that night that found nothing."""
    run = f"{day(number, 3):%Y%m%dT%H%M%SZ}-00000000"
    return CheckReport(
        **{
            "run_id": run,
            "previous": tuple(each.link for each in previous),
            "started_at": day(number, 3),
            "ended_at": day(number, 4),
            "trigger": None,
            "sound": True,
            "history": False,
            "of_run": run_id(number),
            "objects": 1,
            "read_objects": 1,
            "read_bytes": 1,
            **fields,
        }
    )


def finding(key="README.txt", **fields):
    """Something that a check saw wrong."""
    return Finding(
        **{
            "key": key,
            "album_key": None,
            "image_key": None,
            "problem": Wrong.DAMAGED,
            "scope": Scope.STATE,
            "since": NOW,
            "message": "it is damaged",
            **fields,
        }
    )


class Store:
    """An archive in memory, and what was written into it."""

    def __init__(self):
        self.store = MemoryStore()
        self.archive = Archive(self.store)

    def generations(self, album="hT4mWq", last=1, **more):
        """The generations 1 to ``last`` of an album, each of an image more; the newest."""
        found = None
        for number in range(1, last + 1):
            lines = [entry(f"i{each}") for each in range(number)]
            found = self.commit(manifest(album, number, *lines, **more), found)
        return found

    def commit(self, new, previous=None):
        """Write a generation that was made from ``previous``."""
        header = replace(new.header, previous=previous.named if previous else None)
        return self.archive.commit(replace(new, header=header))

    def report(self, number, *previous, **fields):
        return self.archive.write_report(report(number, *previous, **fields))

    def check(self, number, *previous, **fields):
        return self.archive.write_check(check(number, *previous, **fields))

    def reports(self, number=1000):
        """The reports as a reader sees them in that night."""
        return self.archive.reports(now=day(number))

    def damage(self, key, body=b"{}\n"):
        assert key in self.store.objects
        self.store.objects[key] = body

    def reads(self, act):
        """The keys that ``act`` reads."""
        before = len(self.store.log)
        act()
        return [key for operation, key in self.store.log[before:] if operation == "get"]


def state(of, **fields):
    """The entry that a report has of the generation ``of``."""
    return replace(AlbumState().committed(of, WHEN), **fields)
