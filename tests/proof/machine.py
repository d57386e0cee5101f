"""Everything that can happen to an account and its backup, in any order."""

import random
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from smugmug_backup.backup.account import ACCOUNT
from smugmug_backup.errors import (
    AccessRefused,
    LoginLost,
    MalformedAnswer,
    PhotoError,
    PhotoRefused,
    SourceUnavailable,
)
from smugmug_backup.model import Album, Listing
from tests.proof.world import Limits, World
from tests.tools.fake_source import FakeImage, FakeSource
from tests.tools.faults import LOST, Fault, Points
from tests.tools.invariants import absences, cursors, newest

LATEST = 40
"""So many hours after an edit its album's listings may show it at last."""


class Model:
    """What the backup must hold in the end, told in the owner's words.

    ``albums``: what is in each album, as caption and bytes. ``seen``: everything that was there
    when a healthy night had listed all in full; it must never leave the backup.
    """

    def __init__(self) -> None:
        self.albums: dict[str, dict[str, tuple[str, str]]] = {}
        self.seen: set[tuple[str, str]] = set()

    def put(self, album: str, image: FakeImage) -> None:
        self.albums[album][image.key] = (image.caption, image.md5)

    def changed(self, image: FakeImage) -> None:
        for images in self.albums.values():
            if image.key in images:
                images[image.key] = (image.caption, image.md5)

    def healthy(self) -> None:
        self.seen |= {(album, key) for album, images in self.albums.items() for key in images}

    def differs(self, world: World) -> list[str]:
        """How the backup differs from what the owner did."""
        found = []
        manifests = newest(world.history)
        for album, images in self.albums.items():
            lines = manifests[album].images
            live = {
                key: line
                for key, line in lines.items()
                if line["missing_since"] is None and line["deleted_at"] is None
            }
            if live.keys() != images.keys():
                found.append(f"{album} has {sorted(live)} instead of {sorted(images)}")
            for key, (caption, md5) in images.items():
                if key in live and live[key]["original"]["md5"] not in (None, md5):
                    found.append(f"{album}/{key} has other bytes")
                if key not in live:
                    continue
                offset, length = live[key]["record_at"]
                record = world.store.read_part(live[key]["record"], offset, length)
                if f'"Caption":"{caption}"'.encode() not in record:
                    found.append(f"{album}/{key} is not called {caption!r}")
        found += [
            f"{album}/{key} was there once and left no line"
            for album, key in self.seen
            if key not in manifests[album].images
        ]
        return found


class LyingSource(FakeSource):
    """A source some of whose answers are broken, in ways that can be told."""

    lie: tuple[str, str] | None = None
    lied = False

    def albums(self, **more: Any) -> tuple[Album, ...]:
        shown = super().albums(**more)
        if self.lie and self.lie[1] == "no albums":
            self.lied = True
            return ()
        return shown

    def images(self, album: Album, **more: Any) -> Listing:
        listing = super().images(album, **more)
        if self.lie is None or self.lie[0] != album.key:
            return listing
        images, lie = listing.images, self.lie[1]
        if lie == "no albums" or not images:
            return listing
        if lie == "twice":
            # No lie: it is taken once.
            return listing._replace(images=(*images, *images[:1]))
        if lie in ("cut off", "overlapping pages") and not (listing.full and len(images) > 1):
            return listing
        self.lied = True
        if lie == "overlapping pages":
            return listing._replace(images=(*images[:-1], images[0]))
        if lie == "no date":
            return listing._replace(answered_at=None)
        if lie == "years off":
            return listing._replace(answered_at=self.clock.now() + timedelta(days=400))
        # Neither its own count nor the album's.
        return listing._replace(images=images[:-1], image_count=len(images) + 7)


LIES = ("twice", "overlapping pages", "no date", "years off", "cut off", "no albums")
ERRORS = (
    SourceUnavailable("503"),
    MalformedAnswer("HTML"),
    AccessRefused("private"),
    LoginLost("token"),
)
CAPTIONS = st.sampled_from(["quay", "waves", "gulls", "nets"])
LATE = st.sampled_from([0, 0, 0, 7, 26, LATEST])
INDEX = st.integers(0, 7)


class BackupMachine(RuleBasedStateMachine):
    """See the module. Whatever happens, `look` finds nothing; in the end all is there."""

    @initialize(zone=st.sampled_from([0, -8, 8]), inclusive=st.booleans(), subtle=st.booleans())
    def begin(self, zone: int, inclusive: bool, subtle: bool) -> None:
        """``subtle``: there may be changes that filter and count both hide, so that only a full
        listing finds them."""
        self.world = World()
        self.source = LyingSource(self.world.clock)
        self.world.source = self.source
        self.source.zone, self.source.inclusive = timedelta(hours=zone), inclusive
        self.model = Model()
        self.subtle = subtle
        self.albums = 0
        self.new_album()
        self.upload(0, "quay", 0, "photo")

    # -- the owner -------------------------------------------------------------------------------

    def pick(self, index: int) -> str:
        albums = list(self.source.world)
        return albums[index % len(albums)]

    def image(self, index: int) -> FakeImage | None:
        images = [i for album in self.source.world.values() for i in album.images]
        return images[index % len(images)] if images else None

    def late(self, hours: int) -> Any:
        return self.world.clock.now() + timedelta(hours=hours) if hours else None

    @rule()
    def new_album(self) -> None:
        if self.albums < 7:
            self.albums += 1
            key = "ABCDEFG"[self.albums - 1]
            self.source.album(key)
            self.model.albums[key] = {}

    @rule(
        album=INDEX,
        caption=CAPTIONS,
        late=LATE,
        kind=st.sampled_from(["photo", "photo", "no md5", "no url", "video"]),
    )
    def upload(self, album: int, caption: str, late: int, kind: str) -> None:
        key = self.pick(album)
        image = self.source.upload(
            key,
            caption=caption,
            visible_at=self.late(late),
            has_md5=kind != "no md5",
            has_url=kind != "no url",
            video="" if kind == "video" else None,
        )
        self.model.put(key, image)

    @rule(index=INDEX, caption=CAPTIONS, late=LATE)
    def edit(self, index: int, caption: str, late: int) -> None:
        image = self.image(index)
        if image is not None and not self.waiting(image):
            self.source.touch(image, caption=caption, visible_at=self.late(late))
            self.model.changed(image)

    @rule(index=INDEX, late=LATE)
    def replace_image(self, index: int, late: int) -> None:
        image = self.image(index)
        if image is not None and not self.waiting(image):
            self.source.touch(image, visible_at=self.late(late))
            self.source.replace(image)
            self.model.changed(image)

    @rule(index=INDEX)
    def finish_video(self, index: int) -> None:
        image = self.image(index)
        if image is not None and image.video is not None and not self.waiting(image):
            better = {"": "Video640URL", "Video640URL": "Video1280URL"}
            self.source.touch(image, video=better.get(image.video, image.video))

    def waiting(self, image: FakeImage) -> bool:
        return image.visible_at is not None and image.visible_at > self.world.clock.now()

    @rule(index=INDEX)
    def delete(self, index: int) -> None:
        image = self.image(index)
        for album in self.source.world.values():
            if image in album.images:
                album.images.remove(image)
                self.model.albums[album.key].pop(image.key, None)

    @rule(index=INDEX, to=INDEX, moves=st.booleans(), dated=st.booleans())
    def move_or_collect(self, index: int, to: int, moves: bool, dated: bool) -> None:
        image, target = self.image(index), self.pick(to)
        if image is None or image in self.source.world[target].images:
            return
        if not self.subtle and (self.waiting(image) or not dated):
            return
        if moves:
            home = next(a for a in self.source.world.values() if image in a.images)
            home.images.remove(image)
            self.model.albums[home.key].pop(image.key, None)
        self.source.world[target].images.append(image)
        if dated and not self.waiting(image):
            self.source.touch(image)
        if not image.hidden:
            self.model.put(target, image)

    @rule(album=INDEX, seed=st.integers(0, 99))
    def reorder(self, album: int, seed: int) -> None:
        random.Random(seed).shuffle(self.source.world[self.pick(album)].images)

    @rule(index=INDEX)
    def hide(self, index: int) -> None:
        image = self.image(index)
        if image is None or not self.subtle:
            return
        image.hidden = not image.hidden
        for album in self.source.world.values():
            if image in album.images:
                if image.hidden:
                    self.model.albums[album.key].pop(image.key, None)
                else:
                    self.model.put(album.key, image)

    @rule(album=INDEX)
    def drop_album(self, album: int) -> None:
        key = self.pick(album)
        if key != "A":
            del self.source.world[key], self.model.albums[key]
            self.model.seen = {each for each in self.model.seen if each[0] != key}

    @rule(album=INDEX, title=CAPTIONS)
    def rename(self, album: int, title: str) -> None:
        fake = self.source.world[self.pick(album)]
        fake.title, fake.updated = title, self.world.clock.now()

    @rule()
    def switch_api(self) -> None:
        """The other API tells the same of each image, in records of its own."""
        if not self.subtle:
            return
        names = {"smugmug-1.3.0": "smugmug-v2", "smugmug-v2": "smugmug-1.3.0"}
        self.source.name = names[self.source.name]

    # -- the weather -----------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 9, 20, 24, 24, 50]))
    def time_passes(self, hours: int) -> None:
        self.world.clock.advance(hours=hours)

    @rule(hours=st.sampled_from([0, 0, 1, -1, 11, 13, -13, 30]))
    def clock_jumps(self, hours: int) -> None:
        self.world.machine.skew = timedelta(hours=hours)

    @rule(index=INDEX, how=st.sampled_from(["error", "refused", "wrong bytes", "well"]))
    def photo_fails(self, index: int, how: str) -> None:
        image = self.image(index)
        if image is None:
            return
        self.source.errors.pop(f"photo:{image.key}", None)
        self.source.bodies.pop(image.key, None)
        if how == "error":
            self.source.errors[f"photo:{image.key}"] = PhotoError("reset")
        if how == "refused":
            self.source.errors[f"photo:{image.key}"] = PhotoRefused("404")
        if how == "wrong bytes" and image.has_md5 and image.video is None:
            self.source.bodies[image.key] = image.body[:-1] + b"?"

    # -- runs ------------------------------------------------------------------------------------

    def run(self, points: Points | None = None, **how: Any) -> Any:
        report = self.world.run(points, **how)
        self.world.look()
        return report

    @rule()
    def night(self) -> None:
        self.run(accept_shrink=frozenset({ACCOUNT}))

    @rule(number=st.integers(1, 70), fault=st.sampled_from(Fault), retry=st.booleans())
    def faulty_night(self, number: int, fault: Fault, retry: bool) -> None:
        trigger = f"t{self.world.tokens}"
        self.run(self.world.points({number: fault}), trigger=trigger)
        if retry:
            self.world.clock.advance(seconds=60)
            self.run(trigger=trigger)

    @rule(seed=st.integers(0, 999))
    def stormy_night(self, seed: int) -> None:
        dice = random.Random(seed)
        self.run(self.world.points(lambda _: dice.choice(LOST) if dice.random() < 0.1 else None))

    @rule(ticks=st.integers(6, 60), every=st.integers(1, 4), overflow=st.booleans())
    def short_night(self, ticks: int, every: int, overflow: bool) -> None:
        self.run(limits=Limits(ticks=ticks, overflow=overflow, commit_every=every))

    @rule(
        ticks=st.integers(10, 40),
        number=st.integers(1, 150),
        fault=st.sampled_from(Fault),
    )
    def faulty_overflow(self, ticks: int, number: int, fault: Fault) -> None:
        limits = Limits(ticks=ticks, overflow=True, commit_every=2)
        self.run(self.world.points({number: fault}), limits=limits)

    @rule(number=st.integers(1, 60), second=st.integers(1, 60))
    def runs_at_once(self, number: int, second: int) -> None:
        """A second whole run in the midst of one, and a third in the midst of that."""
        depth = 0

        def points_of(moments: list[int]) -> Points:
            def tick() -> None:
                nonlocal depth
                self.world.clock.advance(seconds=1)
                if depth < len(moments) and len(points.log) == moments[depth]:
                    depth += 1
                    self.world.run(points_of(moments))

            points = self.world.points()
            points.tick = tick
            return points

        self.run(points_of([number, second]))

    @rule(album=INDEX, error=st.sampled_from(ERRORS))
    def failing_listing(self, album: int, error: Exception) -> None:
        key = self.pick(album)
        self.source.errors[f"images:{key}"] = error
        self.source.lie = None
        self.unmoved(key)
        self.source.errors.pop(f"images:{key}")

    @rule(album=INDEX, lie=st.sampled_from(LIES))
    def lying_night(self, album: int, lie: str) -> None:
        key = self.pick(album)
        self.source.lie = (key, lie)
        self.unmoved(key)
        self.source.lie = None

    def unmoved(self, key: str) -> None:
        """I9, for the album ``key``: a run after whose answers it must stand where it stood."""
        self.source.lied = self.source.lie is None
        before = absences(self.world.history)
        returned = (key, "*") in before
        cursor = self.cursor(key)
        self.run(accept_shrink=frozenset({ACCOUNT}))
        if not self.source.lied:
            return
        dated = self.source.lie is not None and self.source.lie[1] in ("no date", "years off")
        mine = {each for each in absences(self.world.history) - before if each[0] == key}
        assert dated or returned or not mine, f"I9: {mine} by a broken answer"
        assert self.cursor(key) <= cursor, f"I9: the cursor of {key} moved"

    def cursor(self, key: str) -> int:
        return cursors(self.world.history).get(key, 0)

    # -- the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        self.source.errors.clear()
        self.source.bodies.clear()
        self.source.lie = None
        world.machine.skew = timedelta()
        world.clock.advance(hours=LATEST)
        for album in self.source.world.values():
            for image in album.images:
                if image.video == "":
                    self.source.touch(image, video="Video640URL")
        for _ in range(3):
            world.clock.advance(days=1)
            self.run(accept_shrink=frozenset({ACCOUNT}))
        if not self.subtle:
            world.look(exact=True)
        for days in (31, 1, 1):
            world.clock.advance(days=days)
            self.run(accept_shrink=frozenset({ACCOUNT}))
        world.look(exact=True)
        differs = self.model.differs(world)
        assert not differs, differs
        world.clock.advance(days=1)
        report = world.run()
        assert report is not None and report.status == "complete", report
        world.look(exact=True)
        written = [key for key in world.history.written if not key.startswith("runs/")]
        assert not written, f"I4: nothing changed, and yet {written} were written"
