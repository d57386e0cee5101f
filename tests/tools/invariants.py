"""Every promise that is broken, by a look at a store: what the independent reader sees wrong in
it, and here, what only the account itself and earlier looks can tell.

I2 the source's state is the newest one    I5 nothing is overwritten or deleted
I3 gone after a second look, 20 hours      I7 changes-listings lead where full ones lead
I4 without a change only a report          I9 a broken answer moves no cursor, makes no tombstone

I3 and I5 are checked at every look, as is whether ``complete`` is true; I2 when ``exact`` says
that the source had its chance; I4 by `History.written`; I7 by `same_backup`; I9 by `cursors` and
`absences`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from smugmug_backup.archive.encoding import fingerprint
from smugmug_backup.archive.records import record_line
from smugmug_backup.clock import stamp
from smugmug_backup.ports import BackupStore
from tests.tools import independent_reader
from tests.tools.fake_source import SECRET, FakeSource
from tests.tools.independent_reader import QUIET, Reading

SECOND_LOOK = timedelta(hours=20)
PATIENCE = timedelta(days=14)


@dataclass
class Lines:
    """A manifest as it stands in the store."""

    header: dict[str, Any]
    images: dict[str, dict[str, Any]]


@dataclass
class History:
    """What earlier looks at a store saw; also spares the second judging of what never changes."""

    digests: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, dict[int, Lines]] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    """The newest one."""
    written: list[str] = field(default_factory=list)
    """The keys that are new since the last look (I4)."""
    forgets: bool = False
    """Whether bodies are read again at each look, to save memory."""
    cache: dict[str, Any] = field(default_factory=dict)

    def fork(self) -> "History":
        """An independent copy."""
        manifests = {album: dict(lines) for album, lines in self.manifests.items()}
        cache = dict(self.cache)
        return History(dict(self.digests), manifests, dict(self.reports), self.reading, cache=cache)


def violations(
    store: BackupStore,
    truth: FakeSource | None = None,
    *,
    history: History | None = None,
    exact: bool = False,
    now: datetime | None = None,
    accepted: Collection[str] = (),
) -> list[str]:
    """All broken promises, as sentences; none is the only good answer.

    ``history``: of the same store, kept between looks. ``exact``: the newest state must be that of
    ``truth``. ``accepted``: keys that the test itself has damaged, or brought.
    """
    seen = history or History()
    reading = independent_reader.look(
        store,
        now=None if now is None else stamp(now),
        secrets=[SECRET.encode()],
        cache=seen.cache,
        accepted=accepted,
    )
    told = [text for kind, text in reading.told if kind not in {*QUIET, "future"}]
    found = not_of(accepted, [*reading.wrong, *told])
    found += _kept(seen, reading)
    found += _since_the_last_look(seen)
    if exact and truth is not None:
        found += _same_as(seen, truth)
    if seen.forgets:
        for key, each in seen.cache.items():
            if key:
                seen.cache[key] = (None, each[1])
    return found


def not_of(accepted: Collection[str], sentences: list[str]) -> list[str]:
    """The sentences that do not begin with one of these keys."""
    return [each for each in sentences if each.split(" ")[0].rstrip(":,") not in accepted]


def _kept(seen: History, reading: Reading) -> Iterator[str]:
    """I5; and take the look into the history."""
    files = reading.files
    for key, digest in seen.digests.items():
        if key not in files:
            yield f"I5: {key} has vanished"
        elif files[key].sha256 != digest:
            yield f"I5: {key} has other bytes than before"
    seen.written = [key for key in files if key not in seen.digests]
    seen.digests.update((key, files[key].sha256) for key in seen.written)
    seen.reading = reading


def _since_the_last_look(seen: History) -> Iterator[str]:
    """I3, and the truth of ``complete``, of what is new."""
    files, reports = seen.reading.files, []
    fresh: list[tuple[str, int]] = []
    for key in seen.written:
        file = files[key]
        if file.data is None or independent_reader.plain(key) != key:
            continue
        if file.kind == "manifest":
            header, lines = file.data
            album, number = header["album_key"], header["generation"]
            images = {image: line for image, (line, _) in lines.items()}
            seen.manifests.setdefault(album, {})[number] = Lines(header, images)
            fresh.append((album, number))
        elif file.kind == "report":
            reports.append(file.data)
            seen.reports[file.data["run_id"]] = file.data
    for album, number in fresh:
        yield from _absences(seen, album, number)
    for report in reports:
        yield from (
            f"{report['run_id']}: {failure['message']}"
            for failure in report["failures"]
            if failure["code"] == "defect"
        )
        if report["status"] == "complete" and not report["part"]:
            yield from _complete(seen, report)


def _absences(seen: History, album: str, number: int) -> Iterator[str]:
    generations = seen.manifests[album]
    at, new = f"I3: {album}/{number}", generations[number]
    previous = (new.header["previous"] or {}).get("generation", 0)
    old = generations.get(previous, Lines({"deleted_at": None}, {}))
    for image, line in new.images.items():
        before = old.images.get(image)
        # Without the generation before it, nobody knows how what is gone went.
        if before is not None or previous == number - 1:
            yield from _absence(f"{at}, {image}", before, line)
    buried = _time(new.header["deleted_at"])
    if buried is None or old.header["deleted_at"] is not None:
        return
    mends = any(key.startswith("checks/") for key in seen.digests)
    if new.images != old.images and previous == number - 1 and not mends:
        yield f"{at}: the album's last generation has other lines than the one before"
    looks = [
        _time(report["albums"][album]["missing_since"])
        for report in seen.reports.values()
        if album in report["albums"]
    ]
    if not any(look is not None and buried - look >= SECOND_LOOK for look in looks):
        yield f"{at}: the album is deleted without a second look"


def _absence(at: str, old: dict[str, Any] | None, new: dict[str, Any]) -> Iterator[str]:
    missing, deleted = _time(new["missing_since"]), _time(new["deleted_at"])
    if missing is None:
        if deleted is not None:
            yield f"{at}: deleted, but never missing"
    elif old is None:
        yield f"{at}: missing at its first line"
    elif old["deleted_at"] is not None:
        if new["deleted_at"] != old["deleted_at"]:
            yield f"{at}: deleted twice"
    elif deleted is not None:
        if old["missing_since"] != new["missing_since"]:
            yield f"{at}: deleted without having been missing in the generation before"
        elif deleted - missing < SECOND_LOOK:
            yield f"{at}: deleted after {deleted - missing}"


def _complete(seen: History, report: dict[str, Any]) -> Iterator[str]:
    """Whether every album was listed, and nothing more is waited for."""
    at = f"complete: {report['run_id']}"
    took = _time(report["ended_at"]) - _time(report["started_at"])
    ended = _time(report["dated_at"]) + took
    begun = _begun(seen, report)
    for album, state in report["albums"].items():
        if album in report["ignored_albums"] or not _live(state):
            continue
        listed = _time(state["listed_at"])
        # A listing whose answer had no date to believe is told in the notes.
        undated = any(note.startswith("no credible Date") for note in report["notes"])
        if not undated and (listed is None or listed < begun):
            yield f"{at}: album {album} was last listed at {listed}, not since {begun}"
        if state["next_full"] not in (None, "images missing"):
            yield f"{at}: album {album}: {state['next_full']}"
        lines = seen.manifests.get(album, {}).get(state["generation"])
        if lines is None:
            yield f"{at}: album {album} has no manifest"
            continue
        for image, line in lines.images.items():
            original = line["original"]
            since = _time(original["pending_since"])
            young = since is not None and ended - since < PATIENCE
            waits = original["status"] == "pending" or (original["status"] == "stored" and young)
            if _live(line) and waits:
                yield f"{at}: {album}/{image} is pending ({original['reason']})"


def _begun(seen: History, report: dict[str, Any]) -> datetime:
    """The source's date when the first attempt began, as far as it had one."""
    begun = _time(report["dated_at"])
    while report["attempt_of"] is not None:
        run = report["attempt_of"]
        if run not in seen.reports:
            # It died before it could report: only the machine's clock knows, as far as it does.
            at = datetime.strptime(f"{run[:15]}+0000", "%Y%m%dT%H%M%S%z")
            return at - timedelta(hours=12)
        report = seen.reports[run]
        begun = _time(report["dated_at"]) or begun
    return begun


def _same_as(seen: History, truth: FakeSource) -> Iterator[str]:
    """I2."""
    for album, lines in newest(seen).items():
        if album not in truth.world and lines.header["deleted_at"] is None:
            yield f"I2: album {album} has left, its newest generation does not say so"
    for album, fake in truth.world.items():
        if album not in newest(seen):
            yield f"I2: album {album} is not in the store"
            continue
        lines = newest(seen)[album]
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
            record = record_line(truth._image(fake, image, position), truth.name)
            if line["fingerprint"] != fingerprint(record) or line["record"] is None:
                yield f"I2: {album}/{key} is not as the source shows it"
            there = image.has_url and image.video != "" and key not in truth.bodies
            stored = original["status"] == "stored" and original["md5"] == image.md5
            if there and not stored:
                yield f"I2: {album}/{key}: the source's bytes are {original['status']}"


# -- I7, I9 ----------------------------------------------------------------------------------------


def newest(history: History) -> dict[str, Lines]:
    """The newest manifest of each album, as of the last look."""
    return {album: Lines(*lines) for album, lines in history.reading.newest.items()}


def same_backup(one: History, other: History) -> Iterator[str]:
    """I7: how two backups of the same account differ in what they say is there now."""
    ours, theirs = (
        {
            (album, key): (line["fingerprint"], line["original"]["md5"])
            for album, lines in newest(each).items()
            for key, line in lines.images.items()
            if _live(line)
        }
        for each in (one, other)
    )
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            yield f"I7: {key} differs"


def cursors(history: History) -> dict[str, int]:
    """I9: each album's cursor, as the newest reports that count or a later manifest tell it."""
    found = {album: lines.header["cursor"] for album, lines in newest(history).items()}
    for album, state in history.reading.albums.items():
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


def _live(line: dict[str, Any]) -> bool:
    return line["missing_since"] is None and line["deleted_at"] is None


def _time(text: str | None) -> Any:
    return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
