"""Random histories, random damage: what is mended, what is named, and that nothing sound is lost.

A history: a few nights of edits, deletions and faults; then a disk loses its mind over some objects
of any kind; then a check names what the independent reader sees wrong; then healthy nights. Each
may happen twice.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.report import Link
from smugmug_backup.backup.account import ACCOUNT
from tests.proof.world import World
from tests.proof.years import change, some_night
from tests.tools.independent_reader import Reading, look, plain
from tests.tools.invariants import newest, not_of

ALBUMS = 3
HEALING = 4
"""Nights after which all must be right: two of them to see that something is gone."""


@dataclass
class Result:
    """What was lived through."""

    histories: int = 0
    damaged: int = 0
    found: int = 0


@dataclass
class Ruin:
    """A world whose store is damaged."""

    world: World
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def hurt(self) -> set[str]:
        return self.world.hurt

    @property
    def objects(self) -> dict[str, bytes]:
        return self.world.store.objects  # type: ignore[attr-defined]

    def night(self) -> Any:
        """A healthy one."""
        report = self.world.run(accept_shrink=frozenset({ACCOUNT}))
        self.world.look()
        self.world.clock.advance(days=1)
        return report

    # -- damage ----------------------------------------------------------------------------------

    def damage(self) -> None:
        """Hurt one object, or bring a foreign one."""
        if self.dice.random() < 0.2:
            self.bring()
            return
        folder = self.dice.choice(
            [*("originals/", "records/", "manifests/") * 2, "runs/", "checks/", "README"]
        )
        there = [key for key in self.vouched_for() if key.startswith(folder)]
        if not there:
            return
        # Most often what the newest state stands on.
        key = self.dice.choice(there if self.dice.random() < 0.4 else there[-3:])
        self.hurt_it(key)

    def vouched_for(self) -> list[str]:
        """All objects but pages for people, which nothing reads."""
        return sorted(key for key in self.objects if not key.endswith(".html"))

    def hurt_it(self, key: str) -> None:
        body, dice = self.objects[key], self.dice
        place = dice.randrange(len(body)) if body else 0
        flipped = bytes([body[place] ^ 1 << dice.randrange(8)]) if body else b"?"
        lines = body.splitlines(keepends=True)
        self.put(
            key,
            dice.choice(
                [
                    *(body[:place] + flipped + body[place + 1 :], None) * 2,
                    body[:place],
                    b"".join(lines[:-1]),
                    b"",
                    self.objects[dice.choice(self.vouched_for())],
                ]
            ),
        )

    def put(self, key: str, body: bytes | None) -> None:
        """Let ``key`` be ``body``, or nothing. The history takes it for given: whoever changes it
        further is caught."""
        digests = self.world.history.digests
        if body is None:
            self.objects.pop(key, None)
            digests.pop(key, None)
        else:
            self.objects[key] = body
            digests[key] = hashlib.sha256(body).hexdigest()
        self.hurt.add(key)
        # The page of a report that is lost has lost it, too.
        self.hurt.add(key.replace(".json", ".html"))

    def bring(self) -> None:
        """A foreign file: an editor's, a sync tool's, or one under a name that we shall need."""
        number = self.world.source._next + 1
        album = self.dice.choice(sorted(self.world.history.manifests))
        generation = max(self.world.history.manifests[album]) + 1
        body = f"\xff picture {number}".encode()
        key = self.dice.choice(
            [
                "runs/2026/Thumbs.db",
                "originals/Thumbs.db",
                f"records/{keys.directory(album)}/notes.txt",
                keys.records(album, self.dice.randbytes(16).hex()),
                keys.original(f"i{number:06d}", "rev-0123456789abcdef", "jpg"),
                keys.original(f"i{number:06d}", self._next_md5(number), "jpg"),
                keys.manifest(album, generation),
                "photo.jpg",
            ]
        )
        if key not in self.objects:
            self.put(key, body)

    def _next_md5(self, number: int) -> str:
        return hashlib.md5(b"\xff\xd8\xff\xe0" + f"picture {number}".encode()).hexdigest()

    # -- check -----------------------------------------------------------------------------------

    def reading(self, accepted: set[str]) -> Reading:
        now = f"{self.world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        return look(self.world.store, now=now, cache=self.world.history.cache, accepted=accepted)

    def wrong(self) -> list[str]:
        """The damaged keys of which the reader still has something wrong to say."""
        if not self.reading(set()).wrong:
            return []
        found = []
        for key in sorted(self.hurt):
            others = self.hurt - {key}
            if not_of(others, self.reading(others).wrong):
                found.append(key)
        return found

    def check(self) -> CheckReport:
        """Write the report of a check that saw what the independent reader sees."""
        world = self.world
        archive, now = Archive(world.store), world.clock.now()
        findings = [each for key in self.wrong() for each in self.findings(key)]
        reading = self.reading(self.hurt)
        report = CheckReport(
            run_id=keys.run_id(now, world.token()),
            previous=tuple(each.link for each in reversed(archive.check_heads(now=now))),
            started_at=now,
            ended_at=now,
            trigger=None,
            sound=not any(each.open for each in findings),
            history=True,
            of_run=max((run for run, _ in reading.heads), default=None),
            objects=len(reading.files),
            read_objects=len(reading.files),
            read_bytes=sum(file.size for file in reading.files.values()),
            findings=tuple(findings),
            heads=tuple(Link(*head) for head in reading.heads[:-1]),
        )
        archive.write_check(report)
        world.clock.advance(seconds=60)
        return report

    def findings(self, key: str) -> Iterator[Finding]:
        """One for each album that names ``key``, or one of nobody."""
        problem = Wrong.DAMAGED if key in self.objects else Wrong.MISSING
        now = self.world.clock.now()
        owners = dict(self.owners(key)) or {(None, None): Scope.HISTORY}
        for (album, image), scope in owners.items():
            yield Finding(key, album, image, problem, scope, now, "as the reader says")

    def owners(self, key: str) -> Iterator[tuple[tuple[str | None, str | None], Scope]]:
        history = self.world.history
        for album, generations in history.manifests.items():
            current = newest(history).get(album)
            if key.startswith(keys.album_manifests(album)):
                parsed = keys.parse_manifest(key)
                older = parsed is not None and parsed[1] < max(generations)
                yield (album, None), Scope.HISTORY if older else Scope.STATE
            if key.startswith(keys.album_records(album)):
                state = current and any(key == e["record"] for e in current.images.values())
                yield (album, None), Scope.STATE if state else Scope.HISTORY
            for lines in generations.values():
                for image, line in lines.images.items():
                    if key in _named(line):
                        state = current and key in _named(current.images.get(image))
                        yield (album, image), Scope.STATE if state else Scope.HISTORY

    # -- the end ---------------------------------------------------------------------------------

    def heal(self) -> None:
        """Healthy nights, a check, and a night after it; then all is mended, or named."""
        for _ in range(HEALING):
            self.night()
        self.check()
        self.night()
        self.world.look(exact=True)
        self.is_mended_or_named()

    def is_mended_or_named(self) -> None:
        """Fail if something is wrong, and the reports do not say so."""
        reports = self.world.history.reports
        check = reports[max(reports)]["check"]
        told = {
            failure["album_key"]
            for report in reports.values()
            for failure in report["failures"]
            if failure["code"] == "store_damaged"
        }
        for key in self.wrong():
            # The run that passed over a manifest has named it.
            parsed = keys.parse_manifest(key)
            passed_over = parsed is not None and parsed[0] in told
            assert passed_over or check["open"], f"{key} is lost, and nothing says so"
        self.state_is_sound()

    def state_is_sound(self) -> None:
        """Every line of the newest state has its bytes, or says that it has not."""
        report = self.world.history.reports[max(self.world.history.reports)]
        reading = self.reading(self.hurt)
        unavailable = {(e["album_key"], e["image_key"]) for e in report["unavailable"]}
        for album, lines in newest(self.world.history).items():
            for image, line in lines.images.items():
                original = line["original"]
                if original["status"] == "stored":
                    there = [
                        file.sha256
                        for key, file in reading.files.items()
                        if plain(key) == plain(original["key"])
                    ]
                    assert original["sha256"] in there, f"{album}/{image} is called stored"
                elif original["status"] == "unavailable" and lines.header["deleted_at"] is None:
                    gone = line["missing_since"] is not None
                    assert gone or (album, image) in unavailable, f"{album}/{image} is not named"


def _named(line: dict[str, Any] | None) -> list[str]:
    if line is None:
        return []
    original = line["original"]
    previous = original["previous"] or {}
    return [plain(key) and key for key in (original["key"], previous.get("key")) if key]


def live_through(seed: int, result: Result | None = None) -> None:
    """One history; AssertionError names what was broken."""
    dice, result = random.Random(seed), result or Result()
    world = World()
    ruin = Ruin(world, dice)
    for number in range(ALBUMS):
        world.source.album(f"A{number}", images=dice.randrange(1, 4))
    world.source.album("leaves", images=2)
    for round_ in range(dice.choice([1, 1, 2])):
        for number in range(dice.randrange(1, 5)):
            for _ in range(dice.choice([0, 1, 2, 4])):
                change(world, dice, ALBUMS)
            if dice.random() < 0.2:
                world.source.world.pop("leaves", None)
            some_night(world, dice, 100 * round_ + number)
            world.look()
            world.clock.advance(days=1)
        ruin.night()
        for _ in range(dice.choice([1, 1, 2, 3, 5])):
            ruin.damage()
        if dice.random() < 0.3:
            change(world, dice, ALBUMS)
            ruin.night()
        result.found += len(ruin.check().findings)
        for _ in range(dice.choice([0, 0, 1, 3])):
            change(world, dice, ALBUMS)
        ruin.heal()
    result.histories += 1
    result.damaged += len(ruin.hurt)
