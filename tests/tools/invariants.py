"""Design section 2 as code: look at a store and a source, and list every promise that is broken.

Nothing in here uses the parsers of the product: the files are read as `store-format.md` tells any
other program to read them. Only the source's own view (`truth`) comes from the fake account.

I1 references resolve and are right        I6 one winner per generation
I2 the source's state is the newest one    I7 changes-listings lead where full ones lead
I3 history grows, and only grows           I8 no secret anywhere
I4 without a change only a report          I9 a broken answer moves no cursor, makes no tombstone
I5 nothing is overwritten or deleted

I1, I3, I5, I6 and I8 are checked at every look; I2 when ``exact`` says that the source had its
chance; I4 by `History.written`; I7 by `same_backup`; I9 by `cursors` and `absences`.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from smugmug_backup.archive.records import image_record
from smugmug_backup.ports import BackupStore
from tests.tools.fake_source import SECRET, FakeSource

SECOND_LOOK = timedelta(hours=20)
PATIENCE = timedelta(days=14)

_ID = r"[A-Za-z0-9_-]{1,64}"
_KINDS = {
    "readme": r"README\.txt",
    "album": rf"albums/({_ID})/([0-9a-f]{{16}})\.json",
    "manifest": rf"manifests/({_ID})/(\d{{8}})\.jsonl",
    "record": rf"records/({_ID})/({_ID})/([0-9a-f]{{16}})\.json",
    "original": rf"originals/({_ID})/([0-9a-f]{{32}}|rev-[0-9a-f]{{16}})"
    r"\.(jpg|png|gif|heic|webp|tif|mp4|mov|bin)",
    "report": r"runs/(\d{4})/(\d\d)/(\d{8}T\d{6}Z-[0-9a-f]{8})\.json",
    "probe": r"work/probe\.txt",
    "plan": r"work/\d{8}T\d{6}Z-[0-9a-f]{8}/plan\.jsonl",
    "outcome": rf"work/\d{{8}}T\d{{6}}Z-[0-9a-f]{{8}}/({_ID})-(\d{{3}})\.json",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}

_HEADER = [
    "format",
    "version",
    "album_key",
    "generation",
    "run_id",
    "written_at",
    "account",
    "source",
    "title",
    "path",
    "record",
    "image_count",
    "cursor",
    "full_listing_at",
    "deleted_at",
]
_LINE = [
    "image_key",
    "image_id",
    "file_name",
    "record",
    "fingerprint",
    "last_updated",
    "position",
    "original",
    "missing_since",
    "deleted_at",
]
_ORIGINAL = [
    "kind",
    "status",
    "key",
    "bytes",
    "sha256",
    "md5",
    "source_md5",
    "verified",
    "reason",
    "pending_since",
    "previous",
]
_REPORT = [
    "format",
    "version",
    "run_id",
    "status",
    "trigger",
    "attempt_of",
    "started_at",
    "ended_at",
    "part",
    "account",
    "source",
    "counts",
    "failures",
    "unavailable",
    "ignored_albums",
    "notes",
    "albums",
]
_COUNTS = [
    "albums",
    "albums_changed",
    "images",
    "new",
    "changed",
    "missing",
    "deleted",
    "pending",
    "unavailable",
    "unverified",
    "originals_stored",
    "bytes_stored",
    "cursor_misses",
    "late_arrivals",
    "api_calls",
    "s3_requests",
    "seconds",
]
_STATE = [
    "generation",
    "cursor",
    "full_listing_at",
    "listed_at",
    "image_count",
    "count_difference",
    "pending",
    "next_full",
    "missing_since",
]
_REASONS = {
    "not_yet",
    "processing",
    "download_failed",
    "md5_mismatch",
    "no_original_url",
    "refused_by_source",
    "too_large",
}
_VOLATILE_ENDINGS = ("URL", "Uri", "Uris")
_VOLATILE = {"Position", "Password", "PasswordHint", "UploadKey", "GuestUploadURL"}
_VOLATILE_IN_ALBUMS = {"ImageCount", "LastUpdated", "ImagesLastUpdated", "Highlight"}


@dataclass
class Lines:
    """A manifest as it stands in the store."""

    header: dict[str, Any]
    images: dict[str, dict[str, Any]]


@dataclass
class History:
    """What earlier looks at a store saw; also spares the second reading of what never changes."""

    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    manifests: dict[str, dict[int, Lines]] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)
    """The keys that are new since the last look (I4)."""
    forgets: bool = False
    """Whether the lines of all but the newest two generations are dropped after each look."""


def violations(
    store: BackupStore,
    truth: FakeSource | None = None,
    *,
    history: History | None = None,
    exact: bool = False,
    bodies: bool = False,
) -> list[str]:
    """All broken promises, as sentences; none is the only good answer.

    ``history``: of the same store, kept between looks. ``exact``: the newest state must be that of
    ``truth``. ``bodies``: read again what earlier looks have read.
    """
    return list(_Look(store, history or History(), bodies).all(truth if exact else None))


class _Look:
    def __init__(self, store: BackupStore, history: History, bodies: bool) -> None:
        self.store = store
        self.seen = history
        self.again = bodies
        self.fresh: dict[str, bytes] = {}

    def all(self, truth: FakeSource | None) -> Iterator[str]:
        yield from self.files()
        for album in {key.split("/")[1] for key in self.fresh if key.startswith("manifests/")}:
            yield from self.history_of(album)
        for run in sorted(self.seen.reports):
            if run not in self.seen.judged:
                self.seen.judged.add(run)
                yield from self.report(self.seen.reports[run])
        if truth is not None:
            yield from self.same_as(truth)
        if self.seen.forgets:
            for generations in self.seen.manifests.values():
                for number in sorted(generations)[:-2]:
                    generations[number].images.clear()

    # -- files, one by one -----------------------------------------------------------------------

    def files(self) -> Iterator[str]:
        seen = self.seen
        keys = [each.key for each in self.store.list("")]
        if keys != sorted(keys) or len(set(keys)) != len(keys):
            yield "the store lists its keys out of order or twice"
        for key in seen.digests.keys() - set(keys):
            yield f"I5: {key} has vanished"
        seen.written = [key for key in keys if key not in seen.digests]
        for key in keys if self.again else seen.written:
            body = self.store.read(key)
            digest = hashlib.sha256(body).hexdigest()
            if seen.digests.setdefault(key, digest) != digest:
                yield f"I5: {key} has other bytes than before"
            if SECRET.encode() in body:
                yield f"I8: {key} holds a secret"
            self.fresh[key] = body
        for key, body in self.fresh.items():
            yield from self.file(key, body)

    def file(self, key: str, body: bytes) -> Iterator[str]:
        for kind, pattern in _PATTERNS.items():
            match = pattern.fullmatch(key)
            if match is None:
                continue
            try:
                yield from getattr(self, f"file_{kind}")(key, body, *match.groups())
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                yield f"format: {key} cannot be read ({error!r})"
            return
        yield f"format: {key} is of no known kind"

    def file_readme(self, key: str, body: bytes) -> Iterator[str]:
        if not body.endswith(b"\n"):
            yield "format: README.txt has no last line end"

    def file_probe(self, key: str, body: bytes) -> Iterator[str]:
        if b"It may be removed" not in body:
            yield f"format: {key} was overwritten"

    def file_plan(self, key: str, body: bytes) -> Iterator[str]:
        for line in _json_lines(body):
            for item in line["albums"]:
                yield from _fields(key, item, ["album", "state", "account"])
                yield from _fields(key, item["state"], _STATE)

    def file_outcome(self, key: str, body: bytes, album: str, turn: str) -> Iterator[str]:
        (outcome,) = _json_lines(body)
        yield from _fields(key, outcome["state"], _STATE)
        yield from _fields(key, outcome["counts"], _COUNTS)

    def file_original(
        self, key: str, body: bytes, image: str, name: str, ext: str
    ) -> Iterator[str]:
        md5 = hashlib.md5(body).hexdigest()
        self.seen.sizes[key] = (len(body), hashlib.sha256(body).hexdigest(), md5)
        if not name.startswith("rev-") and name != md5:
            yield f"I1: {key} does not have the MD5 of its name"

    def file_album(self, key: str, body: bytes, album: str, name: str) -> Iterator[str]:
        fields = ["album", "album_key", "format", "source", "urls", "version"]
        data = yield from _record(key, body, name, fields)
        yield from _volatile(key, data["album"], _VOLATILE | _VOLATILE_IN_ALBUMS)
        if data["format"] != "smugmug-backup/album-record" or data["album_key"] != album:
            yield f"format: {key} is not the album record that its key says"

    def file_record(
        self, key: str, body: bytes, album: str, image: str, name: str
    ) -> Iterator[str]:
        fields = ["album_key", "format", "image", "image_key", "source", "urls", "version"]
        data = yield from _record(key, body, name, fields)
        yield from _volatile(key, data["image"], _VOLATILE)
        if (data["format"], data["album_key"], data["image_key"]) != (
            "smugmug-backup/image-record",
            album,
            image,
        ):
            yield f"format: {key} is not the image record that its key says"

    def file_manifest(self, key: str, body: bytes, album: str, number: str) -> Iterator[str]:
        lines = _json_lines(body)
        header, images = lines[0], lines[1:]
        yield from _fields(key, header, _HEADER)
        if (header["format"], header["version"]) != ("smugmug-backup/manifest", 1):
            yield f"format: {key} is of another format"
        if (header["album_key"], header["generation"]) != (album, int(number)):
            yield f"format: {key} says that it is {header['album_key']}/{header['generation']}"
        for name in ("written_at", "full_listing_at", "deleted_at"):
            _time(header[name])
        if _time(header["written_at"]) is None or not isinstance(header["cursor"], int):
            yield f"format: {key} has a bad header"
        yield from self.refers(key, header["record"], f"albums/{album}/")
        names = [line["image_key"] for line in images]
        if names != sorted(set(names)):
            yield f"format: the lines of {key} are not sorted, or one is there twice"
        live = sum(_live(line) for line in images)
        if header["image_count"] != live:
            yield f"format: {key} counts {header['image_count']} live lines, it has {live}"
        for line in images:
            yield from self.line(key, album, line)
        manifests = self.seen.manifests.setdefault(album, {})
        manifests[int(number)] = Lines(header, {line["image_key"]: line for line in images})

    def line(self, key: str, album: str, line: dict[str, Any]) -> Iterator[str]:
        image, original = line["image_key"], line["original"]
        at = f"{key}, {image}"
        yield from _fields(at, line, _LINE)
        yield from _fields(at, original, _ORIGINAL)
        yield from self.refers(at, line["record"], f"records/{album}/{image}/")
        if not line["record"].endswith(f"/{line['fingerprint']}.json"):
            yield f"I1: {at}: the record is not named by the fingerprint"
        for name in ("image_id", "position"):
            if not isinstance(line[name], int | None):
                yield f"format: {at}: {name} is no integer"
        if line["deleted_at"] is not None and line["missing_since"] is None:
            yield f"I3: {at}: deleted, but never missing"
        since, status, reason = original["pending_since"], original["status"], original["reason"]
        if reason is not None and reason not in _REASONS:
            yield f"format: {at}: unknown reason {reason}"
        if original["kind"] not in ("original", "rendition", "none"):
            yield f"format: {at}: unknown kind {original['kind']}"
        if (original["kind"] == "none") != (reason == "no_original_url"):
            yield f"format: {at}: kind {original['kind']} with reason {reason}"
        where = [original[name] for name in ("key", "bytes", "sha256", "md5")]
        if status == "stored":
            yield from self.stored(at, image, original)
            if (reason == "md5_mismatch") != (since is not None):
                yield f"format: {at}: stored, reason {reason}, pending since {since}"
        elif status in ("pending", "unavailable"):
            if where != [None] * 4 or original["verified"]:
                yield f"format: {at}: {status}, but it names bytes"
            if since is None or reason is None:
                yield f"format: {at}: {status} without since when or why"
            if (status, reason) == ("unavailable", "not_yet"):
                yield f"rule: {at}: not_yet became unavailable"
        else:
            yield f"format: {at}: unknown status {status}"
        if original["previous"] is not None:
            yield from self.refers(at, original["previous"], f"originals/{image}/")
        _time(since)

    def stored(self, at: str, image: str, original: dict[str, Any]) -> Iterator[str]:
        key = original["key"]
        yield from self.refers(at, key, f"originals/{image}/")
        if key not in self.seen.sizes:
            if key in self.seen.digests:
                list(self.file(key, self.store.read(key)))
            else:
                return
        size, sha256, md5 = self.seen.sizes[key]
        if (original["bytes"], original["sha256"], original["md5"]) != (size, sha256, md5):
            yield f"I1: {at}: {key} is not the bytes that its line describes"
        agrees = original["source_md5"] == md5
        if original["verified"] != agrees:
            yield f"I1: {at}: verified is {original['verified']}, the MD5 says otherwise"
        if original["previous"] is not None:
            yield f"format: {at}: stored, with a previous"
        named_by_md5 = f"/{md5}." in key
        if named_by_md5 and original["kind"] != "original":
            yield f"I1: {at}: a {original['kind']} is kept under its MD5"
        if not named_by_md5 and "/rev-" not in key:
            yield f"I1: {at}: {key} is neither its MD5 nor a revision"

    def refers(self, at: str, key: str, prefix: str) -> Iterator[str]:
        if not key.startswith(prefix):
            yield f"I1: {at}: {key} does not begin with {prefix}"
        if key not in self.seen.digests:
            yield f"I1: {at}: {key} is not in the store"

    def file_report(self, key: str, body: bytes, year: str, month: str, run: str) -> Iterator[str]:
        (report,) = _json_lines(body)
        yield from _fields(key, report, _REPORT)
        yield from _fields(key, report["counts"], _COUNTS)
        if (run[:4], run[4:6]) != (year, month) or report["run_id"] != run:
            yield f"format: {key} is the report of {report['run_id']}"
        if report["status"] not in ("complete", "continuing", "incomplete", "refused"):
            yield f"format: {key}: unknown status {report['status']}"
        if list(report["albums"]) != sorted(report["albums"]):
            yield f"format: {key}: its albums are not sorted"
        for album, state in report["albums"].items():
            yield from _fields(f"{key}, {album}", state, _STATE)
        for failure in report["failures"]:
            if failure["code"] == "defect":
                yield f"report: {key}: {failure['message']}"
            yield from _fields(key, failure, ["album_key", "image_key", "code", "message"])
        for each in report["unavailable"]:
            yield from _fields(key, each, ["album_key", "image_key", "reason"])
        self.seen.reports[run] = report

    # -- what only all together tell -------------------------------------------------------------

    def history_of(self, album: str) -> Iterator[str]:
        generations = self.seen.manifests.get(album, {})
        numbers = sorted(generations)
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"I3: album {album} has the generations {numbers}"
            return
        fresh = [n for n in numbers if f"manifests/{album}/{n:08d}.jsonl" in self.fresh]
        for number in fresh:
            at = f"manifests/{album}/{number:08d}"
            new = generations[number]
            old = generations.get(number - 1, Lines({}, {}))
            if new.header["cursor"] < old.header.get("cursor", 0):
                yield f"I3: {at}: the cursor went back"
            for image in old.images.keys() - new.images.keys():
                yield f"I3: {at}: the line of {image} has disappeared"
            for image, line in new.images.items():
                yield from _absence(f"{at}, {image}", old.images.get(image), line)
            yield from self.burial(at, album, old, new)

    def burial(self, at: str, album: str, old: Lines, new: Lines) -> Iterator[str]:
        buried = _time(new.header["deleted_at"])
        if buried is None:
            return
        if new.images != old.images:
            yield f"I3: {at}: the album's last generation has other lines than the one before"
        looks = [
            _time(report["albums"][album]["missing_since"])
            for report in self.seen.reports.values()
            if album in report["albums"]
        ]
        if not any(look is not None and buried - look >= SECOND_LOOK for look in looks):
            yield f"I3: {at}: the album is deleted without a second look"

    def report(self, report: dict[str, Any]) -> Iterator[str]:
        at = f"report {report['run_id']} ({report['status']})"
        if report["status"] == "refused" or report["part"]:
            return
        live = {k: s for k, s in report["albums"].items() if s["missing_since"] is None}
        judged = {k: s for k, s in live.items() if k not in report["ignored_albums"]}
        counts = report["counts"]
        for name, number in (
            ("albums", len(live)),
            ("images", sum(state["image_count"] for state in live.values())),
            ("pending", sum(state["pending"] for state in judged.values())),
            ("unavailable", len(report["unavailable"])),
        ):
            if counts[name] != number:
                yield f"report: {at}: counts {name} {counts[name]}, its parts say {number}"
        for album, state in live.items():
            if state["generation"]:
                yield from self.entry(at, album, state)
        if report["status"] == "complete":
            yield from self.complete(at, report, judged)

    def entry(self, at: str, album: str, state: dict[str, Any]) -> Iterator[str]:
        lines = self.seen.manifests.get(album, {}).get(state["generation"])
        if lines is None:
            yield f"report: {at}: album {album} has no generation {state['generation']}"
            return
        if state["image_count"] != lines.header["image_count"]:
            yield (
                f"report: {at}: album {album} has {state['image_count']} images, "
                f"its manifest {lines.header['image_count']}"
            )
        if state["cursor"] < lines.header["cursor"]:
            yield f"I3: {at}: the cursor of album {album} is behind its manifest's"

    def complete(
        self, at: str, report: dict[str, Any], judged: dict[str, dict[str, Any]]
    ) -> Iterator[str]:
        """Whether ``complete`` is true, computed from the manifests alone."""
        if report["failures"]:
            yield f"complete: {at}: with failures"
        ended, first, begun = _time(report["ended_at"]), report, report["started_at"]
        while first["attempt_of"] is not None:
            run = first["attempt_of"]
            begun = datetime.strptime(run[:16], "%Y%m%dT%H%M%SZ").strftime("%Y-%m-%dT%H:%M:%SZ")
            if run not in self.seen.reports:
                break  # It died before it could report.
            first = self.seen.reports[run]
        unavailable = set()
        unverified = 0
        for album, state in judged.items():
            listed = state["listed_at"]
            if listed is None or listed < begun:
                yield f"complete: {at}: album {album} was last listed at {listed}"
            if state["next_full"] not in (None, "images missing"):
                yield f"complete: {at}: album {album}: {state['next_full']}"
            lines = self.seen.manifests.get(album, {}).get(state["generation"])
            if lines is None:
                yield f"complete: {at}: album {album} has no manifest"
                continue
            for image, line in lines.images.items():
                original = line["original"]
                if not _live(line):
                    continue
                since = _time(original["pending_since"])
                waits = original["status"] == "pending" or (
                    original["status"] == "stored"
                    and since is not None
                    and ended is not None
                    and ended - since < PATIENCE
                )
                if waits:
                    yield f"complete: {at}: {album}/{image} is pending ({original['reason']})"
                if original["status"] == "unavailable":
                    unavailable.add((album, image, original["reason"]))
                unverified += original["status"] == "stored" and not original["verified"]
        named = {(u["album_key"], u["image_key"], u["reason"]) for u in report["unavailable"]}
        if named != unavailable:
            yield f"report: {at}: names as unavailable {sorted(named ^ unavailable)} wrongly"
        # An album that is missing counts until it is buried.
        away = sum(
            _live(line) and line["original"]["status"] == "stored"
            for album, state in report["albums"].items()
            if state["missing_since"] and state["next_full"] and state["generation"]
            for line in self.seen.manifests[album][state["generation"]].images.values()
            if not line["original"]["verified"]
        )
        counted = report["counts"]["unverified"]
        if counted not in (unverified, unverified + away) and not report["ignored_albums"]:
            yield (
                f"report: {at}: counts {counted} unverified originals, "
                f"the manifests have {unverified}"
            )

    def same_as(self, truth: FakeSource) -> Iterator[str]:
        for album, generations in self.seen.manifests.items():
            gone = generations[max(generations)].header["deleted_at"] is not None
            if album not in truth.world and not gone:
                yield f"I2: album {album} has left, its newest generation does not say so"
        for album, fake in truth.world.items():
            generations = self.seen.manifests.get(album, {})
            if not generations:
                yield f"I2: album {album} is not in the store"
                continue
            lines = generations[max(generations)]
            if lines.header["deleted_at"] is not None:
                yield f"I2: album {album} is there, its newest generation says it is deleted"
            if lines.header["title"] != fake.title:
                yield f"I2: album {album} has the title {lines.header['title']!r}"
            live = {key: line for key, line in lines.images.items() if _live(line)}
            shown = {image.key: image for image in truth.visible(album)}
            if live.keys() != shown.keys():
                yield f"I2: album {album}: {sorted(live.keys() ^ shown.keys())} differ"
            for position, (key, image) in enumerate(shown.items(), 1):
                if key not in live:
                    continue
                line, original = live[key], live[key]["original"]
                port = truth._image(fake, image, position)
                record = image_record(album, port, truth.name)
                if line["fingerprint"] != hashlib.sha256(record).hexdigest()[:16]:
                    yield f"I2: {album}/{key} is not as the source shows it"
                if not image.has_url or image.video == "":
                    if original["status"] == "stored" and original["md5"] == image.md5:
                        continue
                elif key in truth.bodies:
                    continue
                elif original["status"] != "stored" or original["md5"] != image.md5:
                    yield f"I2: {album}/{key}: the source's bytes are {original['status']}"


# -- I7, I9 ---------------------------------------------------------------------------------------


def newest(history: History) -> dict[str, Lines]:
    """The newest manifest of each album, as of the last look."""
    return {album: lines[max(lines)] for album, lines in history.manifests.items()}


def same_backup(one: History, other: History) -> Iterator[str]:
    """I7: how two backups of the same account differ in what they say is there now."""
    ours, theirs = newest(one), newest(other)
    for album in sorted(ours.keys() | theirs.keys()):
        if album not in ours or album not in theirs:
            yield f"I7: album {album} is only in one of them"
            continue
        left, right = (
            {
                key: (line["fingerprint"], line["original"]["md5"])
                for key, line in lines.images.items()
                if _live(line)
            }
            for lines in (ours[album], theirs[album])
        )
        for key in sorted(left.keys() | right.keys()):
            if left.get(key) != right.get(key):
                yield f"I7: {album}/{key} differs"


def cursors(history: History) -> dict[str, int]:
    """I9: each album's cursor, as the newest trusted report or a later manifest tells it."""
    trusted = [
        run
        for run, report in history.reports.items()
        if report["status"] != "refused" and not report["part"]
    ]
    albums = history.reports[max(trusted)]["albums"] if trusted else {}
    found = {album: lines.header["cursor"] for album, lines in newest(history).items()}
    for album, state in albums.items():
        found[album] = max(state["cursor"], found.get(album, 0))
    return found


def absences(history: History) -> set[tuple[str, str]]:
    """I9: all that is recorded as missing or deleted (an image, or ``*`` for the album)."""
    found = set()
    for album, lines in newest(history).items():
        found |= {(album, key) for key, line in lines.images.items() if not _live(line)}
        if lines.header["deleted_at"] is not None:
            found.add((album, "*"))
    return found


# -- small things ----------------------------------------------------------------------------------


def _absence(at: str, old: dict[str, Any] | None, new: dict[str, Any]) -> Iterator[str]:
    missing, deleted = _time(new["missing_since"]), _time(new["deleted_at"])
    if missing is None:
        return
    if old is None:
        yield f"I3: {at}: missing at its first line"
        return
    if old["deleted_at"] is not None:
        if new["deleted_at"] != old["deleted_at"]:
            yield f"I3: {at}: deleted twice"
    elif deleted is not None:
        if old["missing_since"] != new["missing_since"]:
            yield f"I3: {at}: deleted without having been missing in the generation before"
        elif deleted - missing < SECOND_LOOK:
            yield f"I3: {at}: deleted after {deleted - missing}"
    elif old["missing_since"] not in (None, new["missing_since"]):
        yield f"I3: {at}: missing since another time than before"


def _record(key: str, body: bytes, name: str, fields: list[str]) -> Any:
    """Check what both kinds of records have in common, and return it (a generator's way)."""
    data = json.loads(body)
    canonical = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if canonical.encode() != body:
        yield f"format: {key} is not canonical JSON"
    if hashlib.sha256(body).hexdigest()[:16] != name:
        yield f"I1: {key} does not hash to its name"
    yield from _fields(key, data, fields)
    if data["urls"] != sorted(data["urls"]):
        yield f"format: {key}: its urls are not sorted"
    return data


def _volatile(key: str, value: Any, names: set[str]) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _volatile(key, each, names)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in names or name.endswith(_VOLATILE_ENDINGS):
                yield f"format: {key} holds the field {name}"
            yield from _volatile(key, each, names)


def _fields(at: str, value: dict[str, Any], names: list[str]) -> Iterator[str]:
    if list(value) != names:
        yield f"format: {at} has the fields {sorted(set(value) ^ set(names)) or 'out of order'}"


def _json_lines(body: bytes) -> list[Any]:
    if not body.endswith(b"\n") or b"\r" in body or body.startswith(b"\xef\xbb\xbf"):
        raise ValueError("line ends")
    return [json.loads(line) for line in body[:-1].split(b"\n")]


def _live(line: dict[str, Any]) -> bool:
    return line["missing_since"] is None and line["deleted_at"] is None


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
