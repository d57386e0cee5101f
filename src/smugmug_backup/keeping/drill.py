"""The fire drill: a random sample is restored to nowhere, and compared with what SmugMug serves.

A backup that nobody has ever restored is a hope. So a few images, spread over years and albums, are
found as somebody would find them who has nothing but the seal: the report that it proves, the
albums' manifests, the records, the originals, each by its SHA-256. What was read is compared with
the same image, afresh downloaded.

==================================================  ======================  =======
an image of the sample                              outcome                 alarm
==================================================  ======================  =======
the bytes read are those that SmugMug serves        same                    no
SmugMug's listing says that they were replaced      replaced_since          no
its album, or its album's listing, shows it no      gone_since              no
more
SmugMug cannot be asked, does not deliver, or       unavailable_at_source   no
delivers what it does not announce
SmugMug serves other bytes, and nothing says why    differs                 yes
no object has the SHA-256 of its line               damaged                 yes
it is there and cannot be read, twice               unreadable              yes
its manifest or record is not what is stated of it  broken_chain            yes
==================================================  ======================  =======

What was forgotten meanwhile, or lies in an archive class, is no part of the sample: another image
takes its place.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from smugmug_backup.archive.archive import Archive, Map
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong, joined
from smugmug_backup.archive.details import moment_of
from smugmug_backup.archive.drill_report import Drilled, DrillReport, Outcome
from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.original import StoredBytes
from smugmug_backup.archive.reading import Digest
from smugmug_backup.archive.records import parse_line, record_line
from smugmug_backup.archive.replaced import is_replaced
from smugmug_backup.archive.report import AlbumState, RunReport
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import (
    Archived,
    BackupError,
    BadRequest,
    Concerns,
    NotABackup,
    NotStored,
    OutOfTime,
    RunRefused,
    SourceError,
    StoreError,
)
from smugmug_backup.model import Album, Availability, Image, Kind, Offer
from smugmug_backup.ports import PhotoSource
from smugmug_backup.words import DRILL_IMAGES

_LOOKED_AT = 3
"""So many times as many albums, and images, are looked at: a sample of few years is found so."""
_Item = TypeVar("_Item")
_STEPS = 1_000
"""So many reports are gone back from the seal to one that tells the account's state."""

Dice = Callable[[int], int]
"""A random number from 0 up to, and without, the one that it is given."""

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image whose bytes are stored; ``record`` is None if it is not where its line says."""

    album_key: str
    entry: Entry
    content: StoredBytes
    record: Mapping[str, Any] | None
    year: int | None


@dataclass(frozen=True, slots=True)
class Drill:
    """What came of a drill. ``not_written``: why its report could not be stored."""

    report: DrillReport
    check: CheckReport | None = None
    not_written: str | None = None

    @property
    def passed(self) -> bool:
        """Nothing is wrong with the backup, as far as the sample tells."""
        return not self.report.wrong


def spread(candidates: Iterable[Candidate], dice: Dice) -> list[Candidate]:
    """All candidates in an order by which any beginning is spread over years and albums.

    Years take turns, in an order that the dice give; in its turn a year gives an image of the album
    that has given the fewest so far.
    """
    years: dict[int | None, list[Candidate]] = {}
    for each in candidates:
        years.setdefault(each.year, []).append(each)
    turns = shuffled(sorted(years, key=lambda year: (year is None, year)), dice)
    waiting = {year: shuffled(years[year], dice) for year in turns}
    given: Counter[str] = Counter()
    found = []
    while waiting:
        for year in turns:
            if year not in waiting:
                continue
            left = waiting[year]
            picked = min(range(len(left)), key=lambda index: given[left[index].album_key])
            found.append(left.pop(picked))
            given[found[-1].album_key] += 1
            if not left:
                del waiting[year]
    return found


def shuffled(items: Iterable[_Item], dice: Dice) -> list[_Item]:
    """The items in an order that the dice give."""
    found = list(items)
    for last in range(len(found) - 1, 0, -1):
        other = dice(last + 1)
        found[last], found[other] = found[other], found[last]
    return found


def drill(
    archive: Archive,
    source: PhotoSource,
    *,
    clock: Clock,
    token: str,
    dice: Dice,
    deadline: Deadline,
    map_: Map,
    images: int = DRILL_IMAGES,
) -> Drill | None:
    """Drill so many images and store the report, and a check report of what is wrong.

    None if no run has told the account's state yet. Raises StoreError if the store as a whole
    cannot be read, NotABackup if a report on the way from the seal to that state is not what is
    stated of it, RunRefused if the source shows another account, or less of it, than is backed up.
    """
    return _Drilling(archive, source, clock, dice, deadline, map_).run(images, token)


@dataclass(slots=True)
class _Served:
    """What SmugMug shows now of the albums asked for; ``error``: why it cannot be asked at all."""

    albums: Mapping[str, Album]
    error: BackupError | None = None


class _Drilling:
    def __init__(
        self,
        archive: Archive,
        source: PhotoSource,
        clock: Clock,
        dice: Dice,
        deadline: Deadline,
        map_: Map,
    ) -> None:
        self._archive, self._source = archive, source
        self._clock, self._dice, self._deadline = clock, dice, deadline
        self._map = map_
        self._listings: dict[str, Mapping[str, Image] | BackupError] = {}
        self._places: dict[tuple[str, str | None], str | None] = {}
        """Whose chain broke, and at which object."""

    def run(self, images: int, token: str) -> Drill | None:
        started = self._clock.now().replace(microsecond=0)
        found = self._state(started)
        if found is None:
            return None
        seal, state = found
        drilled, candidates = self._candidates(state, images)
        served = self._served(state)
        years: list[int] = []
        read = 0
        waiting = spread(candidates, self._dice)
        while waiting and len(drilled) < images and not self._deadline.passed:
            batch, waiting = waiting[: images - len(drilled)], waiting[images - len(drilled) :]
            self._list({each.album_key for each in batch}, served)
            for each, done in zip(batch, self._each(batch, served), strict=True):
                if done is not None:
                    drilled.append(done)
                    read += each.content.bytes if done.outcome not in _UNREAD else 0
                    years += [each.year] if each.year is not None else []
        report = DrillReport(
            run_id=self._archive.id_after(started, token, self._archive.drills()),
            started_at=started,
            ended_at=max(started, self._clock.now()),
            of_run=state.run_id,
            seal=seal,
            read_bytes=read,
            years=(min(years), max(years)) if years else None,
            images=tuple(drilled),
        )
        return self._written(report, token)

    # -- from the seal ---------------------------------------------------------------------------

    def _state(self, now: datetime) -> tuple[str, RunReport] | None:
        """The seal, and the newest report from it back that tells the account's state."""
        reports = self._archive.reports(now=now)
        heads = self._archive.heads(reports, reports, self._archive.newest_check(now=now))
        ahead = sorted(heads, key=lambda link: link.run_id)
        for _ in range(_STEPS):
            if not ahead:
                break
            link = ahead.pop()
            report = self._archive.inspect_report(link.run_id, link.sha256)
            if report.trusted:
                return heads[-1].sha256, report
            ahead = sorted({*ahead, *report.previous}, key=lambda each: each.run_id)
        return None

    def _candidates(
        self, state: RunReport, images: int
    ) -> tuple[list[Drilled], Iterator[Candidate]]:
        """(albums whose manifest is not what the report states of it, images to choose from)."""
        holding = [
            (key, each)
            for key, each in sorted(state.albums.items())
            if each.live and each.generation and each.bytes
        ]
        looked_at = shuffled(holding, self._dice)[: _LOOKED_AT * images]
        broken: list[Drilled] = []
        entries: list[tuple[str, list[Entry]]] = []
        share = -(-_LOOKED_AT * images // max(1, len(looked_at)))
        for key, lines in self._map(self._lines, looked_at):
            if isinstance(lines, NotABackup):
                broken.append(Drilled(key, None, None, Outcome.BROKEN_CHAIN, str(lines)))
            else:
                entries.append((key, shuffled(lines, self._dice)[:share]))
        found = (
            candidate for several in self._map(self._with_records, entries) for candidate in several
        )
        return broken[:images], found

    def _lines(self, album: tuple[str, AlbumState]) -> tuple[str, list[Entry] | NotABackup]:
        key, state = album
        try:
            manifest = self._archive.manifest(key, state.generation, state.manifest_sha256)
        except NotABackup as error:
            self._places[key, None] = self._archive.key_of(key, state.generation)
            return key, error
        return key, [
            manifest.entries[image]
            for image in sorted(manifest.entries)
            if _is_restorable(manifest.entries[image])
        ]

    def _with_records(self, album: tuple[str, list[Entry]]) -> list[Candidate]:
        key, entries = album
        records = self._archive.records(key, entries, map)
        found = []
        for entry in entries:
            record = records.get(entry.image_key)
            moment = moment_of(record["image"], entry.last_updated) if record else None
            year = moment.year if moment else None
            if entry.original.content is not None:
                found.append(Candidate(key, entry, entry.original.content, record, year))
        return found

    # -- at SmugMug ------------------------------------------------------------------------------

    def _served(self, state: RunReport) -> _Served:
        try:
            account = self._source.account(deadline=self._deadline)
            known = state.account
            names = {
                each.lower() for each in (*state.formerly, *([known.nickname] if known else ()))
            }
            if known is not None and account.nickname.lower() not in names:
                raise RunRefused(
                    f"the source shows the account {account.nickname}, and this is a backup of "
                    f"{known.nickname}"
                )
            if known is not None and known.access == "owner" and account.access != "owner":
                raise RunRefused(
                    "the source shows what is public only, and this is a backup of all that the "
                    "owner sees"
                )
            albums = self._source.albums(deadline=self._deadline)
        except (SourceError, OutOfTime, BadRequest) as error:
            return _Served({}, error)
        return _Served({each.key: each for each in albums})

    def _list(self, album_keys: Iterable[str], served: _Served) -> None:
        wanted = sorted({key for key in album_keys if key in served.albums} - self._listings.keys())

        def one(key: str) -> tuple[str, Mapping[str, Image] | BackupError]:
            album = served.albums[key]
            try:
                listing = self._source.images(album, since=None, deadline=self._deadline)
            except (SourceError, OutOfTime) as error:
                return key, error
            # Of an image that is shown twice the first counts, as in a run.
            return key, {each.key: each for each in reversed(listing.images)}

        self._listings.update(self._map(one, wanted))

    # -- one image -------------------------------------------------------------------------------

    def _each(self, batch: Sequence[Candidate], served: _Served) -> list[Drilled | None]:
        def one(candidate: Candidate) -> Drilled | None:
            if self._deadline.passed:
                return None
            with suppress(OutOfTime):
                return self._one(candidate, served)
            return None

        return list(self._map(one, batch))

    def _one(self, candidate: Candidate, served: _Served) -> Drilled | None:
        entry, album_key, content = candidate.entry, candidate.album_key, candidate.content

        def told(outcome: Outcome, message: str | None = None) -> Drilled:
            return Drilled(album_key, entry.image_key, content.key, outcome, message)

        if candidate.record is None:
            self._places[album_key, entry.image_key] = entry.record
            said = "its record is not where its line says, nor in another file of the album"
            return told(Outcome.BROKEN_CHAIN, said)
        try:
            name = self._read_back(content)
        except Archived:
            return None
        except StoreError as error:
            if error.concerns not in (Concerns.OBJECT, Concerns.MOMENT):
                raise
            return told(Outcome.UNREADABLE, str(error))
        if name is None:
            if self._archive.is_forgotten(content.key):
                return None
            return told(Outcome.DAMAGED, "no object has the SHA-256 that its line states")
        outcome, message = self._compared(candidate, candidate.record, served)
        return told(outcome, message)

    def _read_back(self, content: StoredBytes) -> str | None:
        try:
            return self._archive.sound_name(content)
        except (Archived, NotStored):
            raise
        except StoreError:
            return self._archive.sound_name(content)

    def _compared(
        self,
        candidate: Candidate,
        old: Mapping[str, Any],
        served: _Served,
    ) -> tuple[Outcome, str | None]:
        unavailable = Outcome.UNAVAILABLE_AT_SOURCE
        if served.error is not None:
            return unavailable, str(served.error)
        album = served.albums.get(candidate.album_key)
        listing = self._listings.get(candidate.album_key, {})
        if isinstance(listing, BackupError):
            return unavailable, str(listing)
        image = listing.get(candidate.entry.image_key)
        if album is None or image is None:
            return Outcome.GONE_SINCE, None
        try:
            offer = image.offer
            if offer.availability is Availability.LOOKUP:
                offer = self._source.resolve(album, image, deadline=self._deadline)
            new = parse_line(record_line(image, self._source.name))
            if new is not None and is_replaced(candidate.entry.original, offer, old, new):
                return Outcome.REPLACED_SINCE, None
            if offer.availability is not Availability.READY or offer.kind == Kind.NONE:
                return unavailable, "SmugMug offers no file of it today"
            return self._against(
                offer, candidate.content, same_api=old["source"] == self._source.name
            )
        except SourceError as error:
            return unavailable, str(error)

    def _against(
        self, offer: Offer, content: StoredBytes, *, same_api: bool
    ) -> tuple[Outcome, str | None]:
        """The bytes that SmugMug serves, twice if they are others."""
        for _ in range(2):
            digest = self._download(offer)
            if digest.sha256 == content.sha256:
                return Outcome.SAME, None
        unavailable = Outcome.UNAVAILABLE_AT_SOURCE
        if offer.exact and offer.md5 is not None and digest.md5 != offer.md5:
            return unavailable, "SmugMug delivers other bytes than those whose MD5 it states"
        if offer.kind == Kind.RENDITION and not same_api:
            return unavailable, "SmugMug's other API serves another file of this video"
        return Outcome.DIFFERS, (
            f"SmugMug serves {digest.bytes} bytes with the MD5 {digest.md5}, and nothing says that "
            "they replaced those that are stored"
        )

    def _download(self, offer: Offer) -> Digest:
        digest, buffer = Digest(), memoryview(bytearray(_PIECE))
        with self._source.open(offer, deadline=self._deadline) as stream:
            while count := stream.readinto(buffer):
                digest.update(buffer[:count])
        return digest

    # -- what is left of it ----------------------------------------------------------------------

    def _written(self, report: DrillReport, token: str) -> Drill:
        check = None
        try:
            self._archive.write_drill(report)
            if report.wrong:
                heads = self._archive.check_heads(now=report.ended_at)
                check = self._archive.write_check(
                    _findings(report, self._places, heads, self._archive, token)
                )
        except StoreError as error:
            return Drill(report, check, str(error))
        return Drill(report, check)


def _is_restorable(entry: Entry) -> bool:
    """Its bytes are there and right, as far as its line knows, and its record is not known to be
    lost: of all else reports tell already."""
    original = entry.original
    return entry.live and original.stored and original.reason is None and entry.record is not None


_UNREAD = (Outcome.DAMAGED, Outcome.UNREADABLE, Outcome.BROKEN_CHAIN)
_PROBLEMS = {
    Outcome.DIFFERS: Wrong.DAMAGED,
    Outcome.DAMAGED: Wrong.DAMAGED,
    Outcome.UNREADABLE: Wrong.UNREADABLE,
    Outcome.BROKEN_CHAIN: Wrong.BROKEN_CHAIN,
}


def _findings(
    report: DrillReport,
    places: Mapping[tuple[str, str | None], str | None],
    heads: Sequence[CheckReport],
    archive: Archive,
    token: str,
) -> CheckReport:
    """What is wrong as a check's findings, beside those that are open: the next run looks at each.

    A check reports what it looked at, and a drill looks at a few objects; so it finds nothing past.
    """
    found: dict[tuple[str, str | None], Finding] = {}
    for each in report.wrong:
        key = places.get((each.album_key, each.image_key)) or str(each.key)
        found[key, each.album_key] = Finding(
            key=key,
            album_key=each.album_key,
            image_key=each.image_key,
            problem=_PROBLEMS[each.outcome],
            scope=Scope.STATE,
            since=report.ended_at,
            message=f"fire drill: {each.message or each.outcome}",
        )
    open_before = joined(heads) if heads else None
    if open_before is not None:
        found |= {(each.key, each.album_key): each for each in open_before.findings}
    listed = sorted(each.run_id for each in heads)
    new = CheckReport(
        run_id=archive.id_after(report.started_at, token, listed),
        previous=tuple(sorted((each.link for each in heads), key=lambda link: link.run_id)),
        started_at=report.started_at,
        ended_at=report.ended_at,
        trigger=None,
        sound=False,
        history=False,
        of_run=report.of_run,
        objects=open_before.objects if open_before else len(report.images),
        read_objects=len(report.images),
        read_bytes=report.read_bytes,
        not_checked=("all but the images of a fire drill",),
        findings=tuple(found.values()),
    )
    if open_before is None:
        return new
    return replace(
        new,
        more_findings=open_before.more_findings,
        accepted=open_before.accepted,
        heads=open_before.heads,
    )
