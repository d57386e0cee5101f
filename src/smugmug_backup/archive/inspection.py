"""Files of the store held to all that the format says of them, which is more than readers need.

Whoever only reads a backup is patient with what it does not know; a check is not. What is wrong is
said in words by NotABackup; a newer format raises FormatTooNew, and is no damage.
"""

import json
from collections.abc import Iterable, MutableMapping
from typing import Any

from smugmug_backup.archive import keys, schemas
from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.encoding import (
    Unreadable,
    canonical_json,
    fingerprint,
    known_format,
    sha256,
)
from smugmug_backup.archive.manifest import (
    ADDED,
    FORMAT,
    VERSION,
    Entry,
    Header,
    Manifest,
    live_count,
)
from smugmug_backup.archive.original import StoredBytes
from smugmug_backup.archive.records import MOST, lines_in, parse_line, records_header
from smugmug_backup.archive.report import RunReport
from smugmug_backup.errors import NotABackup


def inspect_manifest(
    body: bytes, *, key: str, lines: MutableMapping[bytes, Entry] | None = None
) -> Manifest:
    """The manifest in ``body``, of which ``key`` is the name, plain or numbered.

    ``lines``: those of another generation of its album that were inspected already; they become
    those of this one. Most lines of a generation are the same as before.
    """
    header = _header(body, key)
    if not body.endswith(b"\n"):
        raise NotABackup(f"{key}: its last line is not whole: it was cut off")
    entries: dict[str, Entry] = {}
    last = ""
    inspected = dict(lines or {})
    if lines is not None:
        lines.clear()
    bare = body[:-1].split(b"\n")[1:]
    for number, line in enumerate(bare, 2):
        try:
            entry = inspected.get(line) or _entry(line, header.album_key)
            if entry.image_key <= last:
                raise _Wrong(f"{entry.image_key} is not in its order")
        except Unreadable as error:
            raise NotABackup(f"{key}: line {number}: {_said(error)}") from None
        last = entry.image_key
        entries[last] = entry
        if lines is not None:
            lines[line] = entry
    live = live_count(entries.values())
    if (len(bare), live) != (header.line_count, header.image_count):
        raise NotABackup(
            f"{key}: it says {header.image_count} images in {header.line_count} lines, "
            f"there are {live} in {len(bare)}"
        )
    return Manifest(header, entries, sha256(body))


def _header(body: bytes, key: str) -> Header:
    try:
        data = json.loads(body.split(b"\n", 1)[0])
        known_format(data, FORMAT, VERSION, key=key, added=ADDED)
        _hold(data, "manifest-header")
        header = Header.from_json(data)
        if keys.manifest(header.album_key, header.generation) != keys.plain(key)[0]:
            raise _Wrong(f"it is generation {header.generation} of album {header.album_key}")
        if header.previous is not None and header.previous.generation >= header.generation:
            raise _Wrong("previous is no earlier generation")
    except Unreadable as error:
        raise NotABackup(f"{key}: line 1: {_said(error)}") from None
    return header


def _entry(line: bytes, album_key: str) -> Entry:
    data = json.loads(line)
    _hold(data, "manifest-line")
    entry = Entry.from_json(data)
    if entry.record is not None:
        parsed = keys.parse_records(keys.plain(entry.record)[0])
        if parsed is None or parsed[0] != album_key:
            raise _Wrong("record is no records file of this album")
    original = entry.original
    for stored in (original.content, original.previous):
        if stored is not None:
            _hold_original(entry.image_key, stored)
    if original.verified and original.md5 != original.source_md5:
        raise _Wrong("original.verified, but md5 and source_md5 differ")
    return entry


def _hold_original(image_key: str, stored: StoredBytes) -> None:
    parsed = keys.parse_original(keys.plain(stored.key)[0])
    if parsed is None or parsed[0] != image_key:
        raise _Wrong("original is another image's")
    if not parsed[1].startswith("rev-") and parsed[1] != stored.md5:
        raise _Wrong("original is not named by its md5")


def inspect_report(body: bytes, *, key: str) -> RunReport:
    """The run report in ``body``, of which ``key`` is the name, plain or numbered."""
    report = RunReport.from_bytes(body, key=key)
    _inspect(body, "run-report", key, named=report.key)
    return report


def inspect_check_report(body: bytes, *, key: str) -> CheckReport:
    """The check report in ``body``, of which ``key`` is the name, plain or numbered."""
    report = CheckReport.from_bytes(body, key=key)
    _inspect(body, "check-report", key, named=report.key)
    return report


def _inspect(body: bytes, schema: str, key: str, *, named: str) -> None:
    try:
        _hold(json.loads(body), schema)
        if keys.plain(key)[0] != named:
            raise _Wrong(f"it says that it is {named}")
    except Unreadable as error:
        raise NotABackup(f"{key}: {_said(error)}") from None


def forgotten_keys(body: bytes, *, key: str) -> tuple[str, ...]:
    """The keys that were deleted, by a file of ``forgotten/``."""
    try:
        data = json.loads(body)
        known_format(data, "smugmug-backup/forgotten", 1, key=key)
        _hold(data, "forgotten")
        return tuple(data["keys"])
    except Unreadable as error:
        raise NotABackup(f"{key}: {_said(error)}") from None


def inspect_records(body: bytes, *, key: str, entries: Iterable[Entry] = ()) -> None:
    """Hold a records file to its own name, to the format, and to the lines that name it."""
    parsed = keys.parse_records(keys.plain(key)[0])
    if parsed is None or not sha256(body).startswith(parsed[1]):
        raise NotABackup(f"{key}: its bytes are not those that its name stands for")
    offsets: dict[int, str] = {}
    last = ""
    for number, (offset, line) in enumerate(lines_in(body, key=key), 2):
        try:
            data = json.loads(line)
            _hold(data, "record-line")
            if canonical_json(data) != line:
                raise _Wrong("it is no canonical JSON")
            if data["image_key"] <= last:
                raise _Wrong(f"{data['image_key']} is not in its order")
        except Unreadable as error:
            raise NotABackup(f"{key}: line {number}: {_said(error)}") from None
        last = data["image_key"]
        offsets[offset] = last
    if not (body.startswith(records_header(parsed[0])) and body.endswith(b"\n")):
        raise NotABackup(f"{key}: its first or last line is not what the format says")
    if not 1 <= len(offsets) <= MOST or body.count(b"\n") != len(offsets) + 1:
        raise NotABackup(f"{key}: its lines are more or fewer than the format allows")
    for entry in entries:
        if not holds_record(body, entry):
            raise NotABackup(f"{key}: it does not hold the record of image {entry.image_key}")


def holds_record(body: bytes, entry: Entry) -> bool:
    """Whether the bytes of a records file hold the record of a line, where the line says."""
    offset, length = entry.record_at or (0, 0)
    line = body[offset : offset + length]
    record = parse_line(line) if fingerprint(line) == entry.fingerprint else None
    return record is not None and record["image_key"] == entry.image_key


def _hold(data: Any, schema: str) -> None:
    wrong = schemas.checker(schema)(data)
    if wrong is not None:
        raise _Wrong(wrong)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, _Wrong) else f"not readable ({type(error).__name__})"


class _Wrong(ValueError):
    """What is wrong, in our own words."""
