"""What a store states of its own files: each that counts, and the SHA-256 that proves it.

Reports state reports and manifests, manifests state the generation before, originals and, by their
names, records files; reports state README.txt. The newest report, or a generation that a killed run
left, is stated by nobody: it counts as it lies there, if it is sound by itself, and so does what
tells of forgotten images. What nothing names is no part of a backup.

Whoever copies looks backwards, so that all that is named was there before it was looked for:
reports, manifests, ``forgotten/``, and only then what these name.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from smugmug_backup.archive import chain, generations, keys, reading
from smugmug_backup.archive.encoding import sha256 as sha256_of
from smugmug_backup.archive.inspection import forgotten_keys
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.original import Reason, StoredBytes
from smugmug_backup.archive.report import Link, RunReport
from smugmug_backup.errors import (
    EarlierForm,
    FormatTooNew,
    NotABackup,
    NotStored,
    StoreError,
)
from smugmug_backup.model import Account
from smugmug_backup.ports import BackupStore

Generation = tuple[str, int]
"""Album key and number."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A file as it is named. ``sha256``: that of its bytes, or what it begins with, as a records
    file's name has it. ``bytes``: None if nobody says. ``file_name``: what a browser calls it."""

    key: str
    sha256: str
    bytes: int | None = None
    file_name: str | None = None

    def proved_by(self, sha256: str) -> bool:
        """Whether bytes with this SHA-256 are meant."""
        return sha256.startswith(self.sha256)


@dataclass(frozen=True, slots=True)
class StatedReport:
    """A run report: its file, the reports and the generations that it names."""

    file: Stated
    previous: tuple[Link, ...] = ()
    names: tuple[Generation, ...] = ()


@dataclass(slots=True)
class Inventory:
    """All that counts in a store.

    ``reports`` by run id, ``pages`` those that have a page for people; ``manifests``; ``readmes``
    and ``forgotten``; ``records`` and ``originals`` by key and SHA-256, but for what their owner
    had deleted (``gone``: those keys). ``stated``: the SHA-256 of reports and generations that are
    named, whether there or not. ``damaged`` and ``unread``: reports, manifests and tellings of
    forgotten images that cannot be copied, and why. ``awaited``: bytes of which the newest
    manifests say that they were lost. ``account`` and ``formerly``: whose it is, and was called.
    """

    reports: dict[str, StatedReport] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    manifests: dict[Generation, Stated] = field(default_factory=dict)
    readmes: list[Stated] = field(default_factory=list)
    forgotten: list[Stated] = field(default_factory=list)
    records: dict[tuple[str, str], Stated] = field(default_factory=dict)
    originals: dict[tuple[str, str], Stated] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    stated: dict[str | Generation, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    awaited: set[str] = field(default_factory=set)
    account: Account | None = None
    formerly: tuple[str, ...] = ()

    @property
    def unproved(self) -> frozenset[str | Generation]:
        """The reports (run ids) and generations that are there, damaged or not to be read."""
        found: set[str | Generation | None] = set()
        for key in (*self.damaged, *self.unread):
            found |= {keys.parse_report(key), keys.parse_manifest(key)}
        return frozenset(each for each in found if each is not None)

    @property
    def heads(self) -> tuple[Link, ...]:
        """The reports that no other names, by run id: the seal, and whatever stands beside it."""
        named = {link.run_id for each in self.reports.values() for link in each.previous}
        return tuple(
            Link(run, each.file.sha256)
            for run, each in sorted(self.reports.items())
            if run not in named
        )

    def stated_files(self) -> Iterator[tuple[str, str]]:
        """The key and SHA-256 of each report and manifest that another names."""
        for named, sha256 in self.stated.items():
            yield (keys.report(named) if isinstance(named, str) else keys.manifest(*named)), sha256

    def in_order(self) -> list[str]:
        """The reports' run ids, each after those that it names."""
        ordered: dict[str, None] = {}
        for run in sorted(self.reports):
            ahead = [run]
            while ahead:
                here = self.reports[ahead[-1]].previous
                todo = [
                    each.run_id
                    for each in here
                    if each.run_id in self.reports
                    and each.run_id not in ordered
                    and each.run_id not in ahead  # damage could make a ring of them
                ]
                if todo:
                    ahead.append(todo[0])
                else:
                    ordered.setdefault(ahead.pop())
        return list(ordered)


def take_stock(store: BackupStore, map_: Map) -> Inventory:
    """All that counts in ``store``. Every report and every manifest is read.

    Raises FormatTooNew for a manifest of a newer program, and StoreError if the store cannot be
    listed, for nobody knows then what is in it.
    """
    found = Inventory()
    listed = _runs(store, found)
    numbers = generations.all_generations(store)
    for error in numbers.unreadable.values():
        raise error
    _read_reports(store, found, listed, map_)
    known: dict[str, set[int]] = {key: set(each) for key, each in numbers.items()}
    for named in found.stated:
        if isinstance(named, tuple):
            known.setdefault(named[0], set()).add(named[1])

    def one(key: str) -> _Album:
        return _read_album(store, key, known[key], found.stated)

    for album in map_(one, sorted(known)):
        _take_up(found, album)
    _read_forgotten(store, found, map_)
    for key, sha256 in [each for each in found.originals if each[0] in found.gone]:
        del found.originals[key, sha256]
    for key, sha256 in [each for each in found.records if each[0] in found.gone]:
        del found.records[key, sha256]
    return found


def _runs(store: BackupStore, found: Inventory) -> list[str]:
    listed = []
    for each in store.list(keys.RUNS):
        run = keys.parse_report(each.key)
        if run is not None:
            listed.append(run)
        page = keys.parse_page(each.key)
        if page is not None:
            found.pages.add(page)
    return listed


def _read_reports(store: BackupStore, found: Inventory, listed: list[str], map_: Map) -> None:
    """All reports; where one states another SHA-256 of one than it has, it is looked for by it."""
    todo: dict[str, str | None] = dict.fromkeys(listed)
    tried: set[tuple[str, str | None]] = set()
    readmes: dict[str, None] = {}
    accounts: dict[str, Account] = {}

    def one(item: tuple[str, str | None]) -> tuple[str, int, str, RunReport] | Exception:
        run, sha256 = item
        try:
            body = reading.read_stated(store, keys.report(run), sha256)
            return run, len(body), sha256_of(body), chain.parsed_report(body, run)
        except (NotABackup, NotStored, FormatTooNew, EarlierForm, StoreError) as error:
            return error

    while todo:
        asked = sorted(todo.items())
        tried.update(asked)
        for (run, _), answer in zip(asked, map_(one, asked), strict=True):
            key = keys.report(run)
            if isinstance(answer, Exception):
                passing = isinstance(answer, StoreError) and not isinstance(answer, NotStored)
                (found.unread if passing else found.damaged).setdefault(key, str(answer))
                continue
            _, length, sha256, report = answer
            found.damaged.pop(key, None)
            found.unread.pop(key, None)
            names = tuple(
                (album, state.generation)
                for album, state in report.albums.items()
                if state.manifest_sha256
            )
            for album, state in report.albums.items():
                if state.manifest_sha256:
                    found.stated.setdefault((album, state.generation), state.manifest_sha256)
            for link in report.previous:
                found.stated.setdefault(link.run_id, link.sha256)
            if report.account is not None:
                accounts[run] = report.account
            found.formerly = tuple(dict.fromkeys((*found.formerly, *report.formerly)))
            if report.readme_sha256 is not None:
                readmes.setdefault(report.readme_sha256)
            found.reports[run] = StatedReport(
                Stated(key, sha256, length), tuple(report.previous), names
            )
        todo = {}
        for named, sha256 in found.stated.items():
            if isinstance(named, str) and (named, sha256) not in tried:
                here = found.reports.get(named)
                if here is None or here.file.sha256 != sha256:
                    todo[named] = sha256
                    found.reports.pop(named, None)
    found.readmes = [Stated(keys.README, each) for each in readmes]
    if accounts:
        found.account = accounts[max(accounts)]


@dataclass(slots=True)
class _Album:
    key: str
    manifests: dict[Generation, Stated] = field(default_factory=dict)
    stated: dict[Generation, str] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    originals: dict[tuple[str, str], Stated] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    awaited: set[str] = field(default_factory=set)
    account: Account | None = None


def _read_album(
    store: BackupStore,
    key: str,
    numbers: Collection[int],
    stated: Mapping[str | Generation, str],
) -> _Album:
    """The generations of one album, the newest first: each states the one before it."""
    album = _Album(key)
    lines: dict[bytes, Entry] = {}
    ahead = sorted(numbers)
    newest = True
    while ahead:
        number = ahead.pop()
        sha256 = stated.get((key, number)) or album.stated.get((key, number))
        name = keys.manifest(key, number)
        try:
            manifest, size = generations.read_with_length(store, key, number, sha256, lines)
        except NotABackup as error:
            album.damaged[name] = str(error)
            continue
        except StoreError as error:
            album.unread[name] = str(error)
            continue
        album.manifests[key, number] = Stated(name, manifest.sha256 or "", size)
        previous = manifest.header.previous
        if previous is not None:
            album.stated[key, previous.generation] = previous.sha256
            if previous.generation not in numbers and previous.generation < number:
                ahead = sorted({*ahead, previous.generation})
        album.account = album.account or manifest.header.account
        for each in contents_of(manifest):
            # The oldest that names it is that which brought it.
            album.originals[each.key, each.sha256] = each
        album.records.update(
            each.record for each in manifest.entries.values() if each.record is not None
        )
        if newest:
            album.awaited.update(_awaited(manifest))
        newest = False
    return album


def _awaited(manifest: Manifest) -> Iterable[str]:
    for entry in manifest.entries.values():
        if entry.original.reason == Reason.DAMAGED and entry.original.previous is not None:
            yield entry.original.previous.key


def contents_of(manifest: Manifest) -> Iterable[Stated]:
    """The bytes that a manifest names, those before a replacement too."""
    for entry in manifest.entries.values():
        for each in (entry.original.content, entry.original.previous):
            if each is not None:
                yield _original(each, entry.file_name)


def names_any(manifest: Manifest, held: Collection[str]) -> bool:
    """Whether a manifest names one of these keys."""
    return any(each.key in held for each in contents_of(manifest)) or any(
        each.record in held for each in manifest.entries.values()
    )


def _original(content: StoredBytes, file_name: str | None) -> Stated:
    return Stated(content.key, content.sha256, content.bytes, file_name)


def _take_up(found: Inventory, album: _Album) -> None:
    found.manifests |= album.manifests
    found.damaged |= album.damaged
    found.unread |= album.unread
    found.awaited |= album.awaited
    for generation, sha256 in album.stated.items():
        found.stated.setdefault(generation, sha256)
    for key, each in album.originals.items():
        found.originals.setdefault(key, each)
    for record in album.records:
        parsed = keys.parse_records(keys.plain(record)[0])
        if parsed is not None:
            found.records[record, parsed[1]] = Stated(record, parsed[1])
    found.account = found.account or album.account


def _read_forgotten(store: BackupStore, found: Inventory, map_: Map) -> None:
    """Who forgot what. Nothing states these files, so each is held to the format."""

    def one(key: str) -> tuple[str, bytes] | Exception:
        try:
            body = store.read(key)
            forgotten_keys(body, key=key)
            return key, body
        except (NotABackup, StoreError) as error:
            return error

    listed = [
        each.key
        for each in store.list(keys.FORGOTTEN)
        if keys.parse_forgotten(keys.plain(each.key)[0])
    ]
    for key, answer in zip(listed, map_(one, listed), strict=True):
        if isinstance(answer, Exception):
            passing = isinstance(answer, StoreError) and not isinstance(answer, NotStored)
            (found.unread if passing else found.damaged)[key] = str(answer)
            continue
        _, body = answer
        found.forgotten.append(Stated(key, sha256_of(body), len(body)))
        found.gone.update(forgotten_keys(body, key=key))
