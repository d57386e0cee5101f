"""Years of nightly runs: a seeded stream of edits and faults, and two backups to compare."""

import random
from dataclasses import dataclass

from smugmug_backup.errors import MalformedAnswer, PhotoError, SourceUnavailable
from smugmug_backup.ports import BackupStore
from tests.proof.world import Limits, World
from tests.tools.faults import LOST, Fault, Points
from tests.tools.invariants import same_backup
from tests.tools.memory_store import MemoryStore


@dataclass
class Result:
    """What a simulation did."""

    nights: int = 0
    faults: int = 0
    complete: int = 0
    images: int = 0
    generations: int = 0
    objects: int = 0


def live_for(
    nights: int,
    *,
    seed: int,
    albums: int = 8,
    look_every: int = 10,
    stores: tuple[BackupStore, BackupStore] | None = None,
) -> Result:
    """Let ``nights`` pass; AssertionError names what was broken.

    A second backup of the same account always lists in full and meets no faults: where it leads,
    the first one must lead too (I7). ``stores``: theirs, else two in memory.
    """
    dice = random.Random(seed)
    one, other = stores or (MemoryStore(), MemoryStore())
    world, mirror = World(store=one), World(store=other)
    world.history.forgets = mirror.history.forgets = True
    mirror.clock, mirror.source, mirror.machine = world.clock, world.source, world.machine
    for number in range(albums):
        world.source.album(f"A{number}", images=4)
    result = Result(nights=nights)
    for night in range(nights):
        for _ in range(dice.choice([0, 0, 0, 1, 2, 5])):
            change(world, dice, albums)
        result.faults += some_night(world, dice, night)
        if night % look_every == look_every - 1:
            _settle(world, mirror)
        world.clock.advance(days=1)
    _settle(world, mirror)
    reports = world.history.reports.values()
    result.complete = sum(report["status"] == "complete" for report in reports)
    result.images = sum(len(album.images) for album in world.source.world.values())
    result.generations = sum(len(lines) for lines in world.history.manifests.values())
    result.objects = len(world.history.digests)
    return result


def _settle(world: World, mirror: World) -> None:
    """Two healthy nights; then nothing is missing, and both backups say the same."""
    for _ in range(2):
        world.clock.advance(days=1)
        world.run()
        mirror.run(full=True)
    world.look(exact=True)
    mirror.look(exact=True)
    assert len(world.history.reading.heads) == 1, world.history.reading.heads
    differ = list(same_backup(world.history, mirror.history))
    assert not differ, "\n".join(differ)
    report = world.history.reports[max(world.history.reports)]
    assert report["status"] == "complete", report["failures"]


def change(world: World, dice: random.Random, albums: int) -> None:
    source = world.source
    album = source.world[f"A{dice.randrange(albums)}"]
    what = dice.choice(
        ["upload", "upload", "edit", "edit", "replace", "delete", "collect", "order"]
    )
    if what == "upload" or not album.images:
        source.upload(album.key, has_md5=dice.random() < 0.9)
        return
    image = dice.choice(album.images)
    if what == "edit":
        source.touch(image, caption=f"caption {dice.random()}")
    elif what == "replace":
        source.replace(image)
    elif what == "delete" and len(album.images) > 2:
        album.images.remove(image)
    elif what == "order":
        dice.shuffle(album.images)
    elif what == "collect":
        other = source.world[f"A{dice.randrange(albums)}"]
        if image not in other.images:
            # Dated: what filter and count both hide is found in a month, not in two nights.
            source.touch(image)
            other.images.append(image)


def some_night(world: World, dice: random.Random, night: int) -> int:
    """One night, in one of five with something wrong; Lambda tries again after a failure."""
    trigger = f"nightly {night}"
    if dice.random() > 0.2:
        world.run(trigger=trigger)
        return 0
    points, limits = world.points(), None
    what = dice.choice(["fault", "storm", "album", "photo", "albums", "short"])
    album = dice.choice(list(world.source.world.values()))
    if what == "fault":
        points = world.points({dice.randrange(1, 60): dice.choice(list(Fault))})
    elif what == "storm":
        points = _storm(world, dice)
    elif what == "album":
        world.source.errors[f"images:{album.key}"] = SourceUnavailable("503")
    elif what == "photo" and album.images:
        world.source.errors[f"photo:{dice.choice(album.images).key}"] = PhotoError("reset")
    elif what == "albums":
        world.source.errors["albums"] = MalformedAnswer("HTML")
    elif what == "short":
        limits = Limits(ticks=dice.randrange(8, 40), overflow=dice.random() < 0.5, commit_every=2)
    world.run(points, trigger=trigger, limits=limits)
    if dice.random() < 0.5:
        world.source.errors.clear()
    world.clock.advance(seconds=60)
    world.run(trigger=trigger)
    world.source.errors.clear()
    return 1


def _storm(world: World, dice: random.Random) -> Points:
    return world.points(lambda _: dice.choice(LOST) if dice.random() < 0.1 else None)
