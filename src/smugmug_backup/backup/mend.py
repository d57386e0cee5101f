"""Mending: what a check found damaged is made whole again, or named until it is.

A finding is no proof: before a line is changed, the object itself is read. It is damaged if it is
not there, or if two reads give bytes without the line's SHA-256; what cannot be read tonight is a
failure of the night. Nothing is overwritten: good bytes get their own name, or the next number.

=========================  =======================================================================
damaged                    what becomes of it
=========================  =======================================================================
an original                the line waits for it again (``damaged``, ``previous`` names what was)
of a line that has left    unavailable at once: SmugMug has the image no more
an original found sound    the line says stored again, under the name where its bytes lie
a records file             lines that still have their fingerprint are copied into a new one; of
                           the others, live images are recorded anew, the rest has no record
the newest manifest        what parses and is proved by its record comes over from it; bytes
                           that such a line names, only if they are there
an original that its       the line says ``forgotten``; the same of each line behind a damaged
owner had deleted          newest manifest, whatever the generation before it says
all manifests              the same from each of them, the newest first; what is known of an album
                           that has left is the record of it that its report proves, else none
=========================  =======================================================================

Mending takes at most half of the time that is left. What it did not come to is taken up by the next
run, which begins elsewhere: what was found so far is committed, so that an album with more damage
than one invocation can read is mended in several.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from smugmug_backup.archive import keys, original, reading
from smugmug_backup.archive.archive import Newest
from smugmug_backup.archive.check_report import Finding
from smugmug_backup.archive.encoding import canonical_json
from smugmug_backup.archive.manifest import Entry, Header
from smugmug_backup.archive.original import Original, Reason, Status, StoredBytes
from smugmug_backup.archive.report import AlbumState, Failure
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.findings import passed_over
from smugmug_backup.backup.forgotten import forgotten_line
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    Archived,
    BackupError,
    Code,
    NotABackup,
    NotStored,
    StoreError,
)
from smugmug_backup.model import Kind


@dataclass(slots=True)
class Mended:
    """The known lines, mended; ``records``: record lines to write again, by image key.

    ``repaired``: findings that are mended by what is committed now. ``past``: the keys of those
    whose object was read and is sound. ``failures``: what could not be looked at tonight; ``left``:
    there is more than the time was enough for.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    repaired: int = 0
    past: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    left: bool = False


class _Time:
    """Half of what is left of an invocation's time."""

    def __init__(self, deadline: Deadline) -> None:
        now = deadline.clock.monotonic()
        self._deadline = deadline
        self._until = now + (deadline.stops_taking - now) / 2

    @property
    def passed(self) -> bool:
        return self._deadline.passed or self._deadline.clock.monotonic() >= self._until


def mend(context: Context, album_key: str, newest: Newest) -> Mended:
    """Mend the lines of an album's newest sound manifest, as far as findings ask for it."""
    mended, time = Mended(), _Time(context.deadline)
    if newest.manifest is not None:
        mended.entries = dict(newest.manifest.entries)
        for entry in newest.manifest.entries.values():
            if not _names_its_own(entry):
                # A letter that a disk changed where nothing states the manifest's SHA-256.
                mended.entries[entry.image_key] = replace(entry, original=_proved(context, entry))
    if newest.damage is not None:
        _take_over(context, album_key, newest, mended, time)
        _forget(context, mended)
    findings = context.findings.get(album_key, ())
    asked = {keys.plain(finding.key)[0] for finding in findings}
    if asked:
        # Bytes that were fetched again lie under another number, and no finding is of these.
        _originals(context, album_key, {each.key for each in findings}, mended, time)
        _records(context, album_key, asked, mended, time)
    return mended


def _take_over(
    context: Context, album_key: str, newest: Newest, mended: Mended, time: _Time
) -> None:
    """Lines of a damaged newest manifest that an older one lacks: those that parse, and whose
    fingerprint their records file proves. Where no generation is sound, those of all."""
    numbers = [newest.generation]
    if newest.manifest is None:
        numbers = sorted({*context.archive.generations_of(album_key), *numbers}, reverse=True)
    for number in numbers:
        lines = context.archive.whole_lines(album_key, number)
        _take_proved(context, album_key, lines, mended, time)


def _take_proved(
    context: Context, album_key: str, lines: Iterable[Entry], mended: Mended, time: _Time
) -> None:
    found = [
        _with_its_own_record(album_key, each)
        for each in lines
        if keys.is_id(each.image_key) and each.image_key not in mended.entries
    ]
    proved = context.archive.records(album_key, found, context.map)
    sure = [entry for entry in found if entry.image_key in proved]

    def one(entry: Entry) -> Original:
        if not time.passed:
            return _proved(context, entry)
        # What nobody had the time to read is looked for again, as what is damaged is.
        known = entry.original.content if _names_its_own(entry) else None
        return _awaited(context, entry, known)

    originals = context.ahead(one, sure)
    for entry, known in zip(sure, originals, strict=True):
        # Where the record lies may be damaged, too; the record itself is proved.
        mended.records[entry.image_key] = canonical_json(proved[entry.image_key])
        entry = replace(entry, record=None, record_at=None, original=known)
        mended.entries[entry.image_key] = entry


def _forget(context: Context, mended: Mended) -> None:
    """What is forgotten stays so, though the generation that said it is damaged."""
    for key, entry in mended.entries.items():
        if key in context.forgotten:
            mended.entries[key] = forgotten_line(entry, context.when())
            mended.records.pop(key, None)


def _with_its_own_record(album_key: str, entry: Entry) -> Entry:
    """Without the place of its record, if that cannot be one: the record is looked for then."""
    parsed = keys.parse_records(keys.plain(entry.record or "")[0])
    right = parsed is not None and parsed[0] == album_key and min(entry.record_at or (0,)) > 0
    return entry if right else replace(entry, record=None, record_at=None)


def _proved(context: Context, entry: Entry) -> Original:
    """What a line of a damaged manifest says of its bytes, as far as they prove it themselves."""
    content = entry.original.content
    if content is not None and _is_of(entry.image_key, content.key):
        found = _read_back(context, content)
        if found is not None:
            named = keys.plain(found.key)[0]
            stated = found.md5 if f"/{found.md5}." in named else None
            return original.found_sound(replace(entry.original, source_md5=stated), found)
    return _awaited(context, entry, None)


def _awaited(context: Context, entry: Entry, previous: StoredBytes | None) -> Original:
    """The line of what is wanted again; ``previous``: bytes that may still turn out to be sound."""
    kind = Kind.ORIGINAL if entry.original.kind == Kind.NONE else entry.original.kind
    line = original.found_damaged(Original(kind, Status.PENDING), context.when())
    line = replace(line, previous=previous)
    return line if entry.live else original.lost_for_good(line)


def _read_back(context: Context, content: StoredBytes) -> StoredBytes | None:
    """What lies there as it is, if its name or the stated SHA-256 proves it."""
    store = context.archive.store
    with suppress(NotStored):
        try:
            found = reading.read_back(store, content.key)
        except Archived:
            return content
        if f"/{found.md5}." in content.key or found.sha256 == content.sha256:
            return found
    name = _sound_name(context, content)
    return None if name is None else reading.read_back(store, name)


def _names_its_own(entry: Entry) -> bool:
    """Whether the key of a line's bytes is of that image, and of their MD5 or a revision."""
    content = entry.original.content
    if content is None:
        return True
    parsed = keys.parse_original(keys.plain(content.key)[0])
    if parsed is None or parsed[0] != entry.image_key:
        return False
    return parsed[1].startswith("rev-") or parsed[1] == content.md5


def _is_of(image_key: str, key: str) -> bool:
    parsed = keys.parse_original(keys.plain(key)[0])
    return parsed is not None and parsed[0] == image_key


def _originals(
    context: Context, album_key: str, asked: set[str], mended: Mended, time: _Time
) -> None:
    def one(entry: Entry) -> tuple[Entry, Failure | None] | None:
        if time.passed:
            return None
        try:
            line = _looked_at(context, entry)
        except BackupError as error:
            return entry, Failure.of(error, album_key=album_key, image_key=entry.image_key)
        if line.reason == Reason.FORGOTTEN:
            entry = replace(entry, record=None, record_at=None)
        return replace(entry, original=line), None

    named = [
        entry
        for entry in mended.entries.values()
        if any(each.key in asked for each in _named(entry.original))
        or entry.original.reason == Reason.DAMAGED
    ]
    ordered = _in_turn(context, named)
    for asked_for, looked in zip(ordered, context.ahead(one, ordered), strict=True):
        if looked is None:
            # What is known to be damaged is fetched without a look, if SmugMug has it.
            mended.left |= asked_for.original.reason != Reason.DAMAGED
            continue
        entry, failure = looked
        before = mended.entries[entry.image_key].original
        mended.entries[entry.image_key] = entry
        mended.repaired += entry.original.stored and before.reason == Reason.DAMAGED
        if failure is None and entry.original.stored and entry.original.key is not None:
            mended.past.add(entry.original.key)
        if failure is not None:
            mended.failures.append(failure)


def _in_turn(context: Context, entries: Sequence[Entry]) -> list[Entry]:
    """What is not yet known to be damaged first; every day begins elsewhere, so that what is cut
    off is not the same each time."""
    day = (context.now() or context.clock.now()).toordinal()
    start = day * 7919 % len(entries) if entries else 0
    turned = [*entries[start:], *entries[:start]]
    return sorted(turned, key=lambda each: each.original.reason == Reason.DAMAGED)


def _named(line: Original) -> Iterable[StoredBytes]:
    return (each for each in (line.content, line.previous) if each is not None)


def _looked_at(context: Context, entry: Entry) -> Original:
    """What the line says after its bytes were looked at."""
    line = entry.original
    if line.reason == Reason.FORGOTTEN:
        return line
    best = line.content or line.previous
    if best is None:
        return line
    # Once is enough for what two reads found damaged before.
    name = _sound_name(context, best, reads=1 if line.reason == Reason.DAMAGED else 2)
    if name is not None:
        if line.stored and name == best.key:
            return line
        if line.stored or line.reason == Reason.DAMAGED:
            return original.found_sound(line, best._replace(key=name))
        return line
    if entry.image_key in context.forgotten:
        return original.forgotten(line, context.when())
    if line.reason != Reason.DAMAGED:
        line = original.found_damaged(line, context.when())
    return line if entry.live else original.lost_for_good(line)


def _sound_name(context: Context, content: StoredBytes, *, reads: int = 2) -> str | None:
    """Where these bytes lie whole; None if ``reads`` found them nowhere. Raises StoreError."""
    for _ in range(reads):
        try:
            name = context.archive.sound_name(content)
        except Archived:
            return content.key  # It cannot be read; nothing says that it is damaged.
        if name is not None:
            return name
    return None


def _records(
    context: Context, album_key: str, asked: set[str], mended: Mended, time: _Time
) -> None:
    """Lines whose records file is damaged: copied where the line itself is whole."""
    by_file: dict[str, list[Entry]] = {}
    for entry in mended.entries.values():
        if entry.record is not None and keys.plain(entry.record)[0] in asked:
            by_file.setdefault(entry.record, []).append(entry)
    for file, hit in by_file.items():
        if time.passed:
            mended.left = True
            return
        try:
            sound = context.archive.is_sound_records(file)
        except StoreError as error:
            mended.failures.append(Failure.of(error, album_key=album_key))
            continue
        if sound:
            mended.past.add(file)
        else:
            _copied(context, album_key, hit, mended, time)


def _copied(
    context: Context, album_key: str, hit: Iterable[Entry], mended: Mended, time: _Time
) -> None:
    """The lines of a damaged records file; those that are left name it still."""
    for entry in hit:
        if time.passed:
            mended.left = True
            return
        try:
            line = context.archive.record_line(album_key, entry)
        except StoreError as error:
            mended.failures.append(
                Failure.of(error, album_key=album_key, image_key=entry.image_key)
            )
            continue
        if line is not None:
            mended.records[entry.image_key] = line
        # Without one it is recorded anew if the listing shows it, else it is lost.
        mended.entries[entry.image_key] = replace(entry, record=None, record_at=None)
    mended.repaired += 1


def header_of_lost(context: Context, album_key: str, state: AlbumState) -> Header:
    """The header for an album that has left and of which no generation is sound.

    Its own record is that of the header whose fingerprint the report states; without one it is
    lost. Its name is the report's; one that nothing proves is still better than none.
    """
    title, path = state.title, state.path
    album: Mapping[str, Any] = {}
    urls: tuple[str, ...] = ()
    listed = state.full_listing_at
    for number in reversed(context.archive.generations_of(album_key)):
        with suppress(NotABackup):
            header = context.archive.header(album_key, number)
            title, path = title or header.title, path or header.path
            listed = listed or header.full_listing_at
            if header.album_fingerprint == state.album_fingerprint:
                album, urls = header.album, header.urls
                break
    return Header(
        album_key=album_key,
        generation=0,
        previous=None,
        run_id=context.run_id,
        written_at=context.clock.now(),
        account=context.account,
        source=context.source.name,
        title=title,
        path=path,
        album=album,
        urls=urls,
        image_count=0,
        line_count=0,
        cursor=0,
        full_listing_at=listed,
        deleted_at=None,
    )


def without_order(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The lines of an album of which no full listing is known: their order is not either."""
    return {key: replace(entry, position=None) for key, entry in entries.items()}


def without_source(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The lines of an album that has left: what is damaged there, SmugMug has no more."""
    return {
        key: replace(entry, original=original.lost_for_good(entry.original))
        if entry.original.reason == Reason.DAMAGED and entry.original.status == Status.PENDING
        else entry
        for key, entry in entries.items()
    }


def passed_over_failures(
    album_key: str, findings: Iterable[Finding], past: Collection[str]
) -> list[Failure]:
    """Damaged manifests that an earlier run has passed over, as they are named in the report."""
    return [
        damage_failure(album_key, f"{key} is damaged; a later generation takes its place")
        for key in passed_over(findings, past)
    ]


def damage_failure(album_key: str, damage: str) -> Failure:
    """A damaged newest manifest, as it is named in the report."""
    return Failure(album_key, None, Code.STORE_DAMAGED, damage)
