"""Every point at which a process can fail: small worlds, one fault in each possible future."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from smugmug_backup.backup import originals
from smugmug_backup.errors import PhotoError
from tests.proof.damage import Ruin
from tests.proof.world import AsksForVideos, Limits, World
from tests.tools.fake_source import JPEG
from tests.tools.faults import Fault, Label, Points, possible

Future = tuple[Label, Fault]
"""What goes wrong in it, and where."""


@dataclass(frozen=True)
class Scenario:
    """A world on the evening before; ``change`` is what happens until the night that fails.

    ``mend`` is what the source does before the nights that must come out right; ``end`` looks once
    more after them.
    """

    name: str
    prepare: Callable[[World], None]
    change: Callable[[World], None] = lambda world: None
    mend: Callable[[World], None] = lambda world: None
    end: Callable[[World], None] = lambda world: None
    limits: Limits = field(default_factory=Limits)
    in_memory: int = originals.IN_MEMORY


def _two_albums(world: World) -> None:
    world.source.album("A", "Harbour", images=2)
    world.source.album("B", images=1)
    world.source.world["B"].images.append(world.source.world["A"].images[0])


def _backed_up(world: World) -> None:
    _two_albums(world)
    _night(world)


def _edits(world: World) -> None:
    source = world.source
    first, second = source.world["A"].images
    source.touch(first, caption="the old quay")
    source.replace(second)
    source.upload("A")
    source.world["B"].images.pop(0)
    source.world["B"].title = "Beach"
    source.album("C", images=1)


def _pending(world: World) -> None:
    _backed_up(world)
    late = world.source.upload("A")
    world.source.upload("A", has_url=False)
    world.source.upload("B", video="", has_md5=False)
    wrong = world.source.upload("B")
    world.source.bodies[wrong.key] = wrong.body[:-1] + b"?"
    world.source.errors[f"photo:{late.key}"] = PhotoError("not today")
    _night(world)


def _pending_mended(world: World) -> None:
    world.source.errors.clear()
    world.source.bodies.clear()
    for image in world.source.world["B"].images:
        if image.video == "":
            world.source.touch(image, video="Video1280URL")


def _videos(world: World) -> None:
    world.source = AsksForVideos(world.clock)
    world.source.album("A")
    for _ in range(3):
        world.source.upload("A", video="Video1280URL", has_md5=False)
    _night(world)


def _other_videos(world: World) -> None:
    """Edits that only a question tells from replacements, and the other way round."""
    first, second, third = world.source.world["A"].images
    world.source.touch(first, caption="waves")
    world.source.touch(second, body=JPEG + second.body[4:][::-1])
    world.source.replace(third)


def _missing(world: World) -> None:
    for key in "DEF":
        world.source.album(key, images=2)
    _backed_up(world)
    world.source.world["A"].images.pop()
    del world.source.world["D"]
    _night(world)


def _come_back(world: World) -> None:
    _missing(world)
    del world.source.world["E"]
    _night(world)
    _night(world)


def _back(world: World) -> None:
    world.source.album("E", images=1)


def _many(world: World) -> None:
    world.source.album("A", images=5)
    world.source.album("B", images=2)


def _damaged(world: World) -> None:
    """A disk has damaged an original, a records file and a newest manifest, and a check saw it.

    The manifest's album has lost an image, so that only the damaged file knows of that.
    """
    _backed_up(world)
    world.source.album("C", images=2)
    _night(world)
    lost = world.source.upload("C")
    _night(world)
    world.source.world["C"].images.remove(lost)
    ruin = Ruin(world)
    (original, *_) = (key for key in ruin.objects if key.startswith("originals/"))
    (records, *_) = (key for key in ruin.objects if key.startswith("records/B"))
    manifest = "manifests/C=1/00000002.jsonl"
    ruin.put(original, b"?" + ruin.objects[original][1:])
    ruin.put(records, None)
    ruin.put(manifest, ruin.objects[manifest][:-40])
    ruin.check()


def _edited_too(world: World) -> None:
    _damaged(world)
    _edits(world)


def _left_too(world: World) -> None:
    """Of what is damaged the source has nothing any more."""
    _damaged(world)
    world.source.world["A"].images.pop(0)
    world.source.world["B"].images.pop()


def _mended_or_named(world: World) -> None:
    """Nothing is lost but what nobody has, and that is named."""
    Ruin(world).is_mended_or_named()


def _night(world: World) -> None:
    world.run()
    world.look()
    world.clock.advance(days=1)


SCENARIOS = (
    Scenario("first run", _two_albums),
    Scenario("edits", _backed_up, _edits),
    Scenario("pending", _pending, mend=_pending_mended),
    Scenario("pending no more", _pending, _pending_mended),
    Scenario("tombstones", _missing),
    Scenario("album comes back", _come_back, _back),
    Scenario("commits on the way", _many, limits=Limits(commit_every=2)),
    Scenario("uploads in parts", _backed_up, _edits, in_memory=8),
    Scenario("deadline", _many, limits=Limits(ticks=24, commit_every=2)),
    Scenario("overflow", _many, limits=Limits(ticks=16, overflow=True, commit_every=2)),
    Scenario("overflow of edits", _backed_up, _edits, limits=Limits(ticks=14, overflow=True)),
    Scenario("videos to ask for", _videos, _other_videos),
    Scenario("unchanged", _backed_up),
    Scenario("mending", _damaged, end=_mended_or_named),
    Scenario("mending and edits", _edited_too, end=_mended_or_named),
    Scenario("mending in vain", _left_too, end=_mended_or_named),
    Scenario(
        "mending on the way",
        _edited_too,
        end=_mended_or_named,
        limits=Limits(ticks=16, overflow=True, commit_every=1),
    ),
)


def evening(scenario: Scenario) -> World:
    """The world before the night that fails."""
    world = World()
    world.source.inclusive = True
    scenario.prepare(world)
    scenario.change(world)
    world.limits = scenario.limits
    return world


def labels(scenario: Scenario) -> list[Label]:
    """All operations of that night, if nothing fails."""
    world = evening(scenario).fork()
    points = world.points()
    with _InMemory(scenario):
        world.run(points, trigger="nightly 1")
    return [each.label for each in points.log]


def futures(scenario: Scenario) -> list[Future]:
    """All single faults of that night."""
    return [(label, fault) for label in labels(scenario) for fault in possible(label[0])]


def try_all(
    scenario: Scenario, chosen: list[Future], folder: Path | None = None, *, keep: bool = False
) -> int:
    """Live through each of ``chosen``; AssertionError names the first that breaks a promise.

    ``keep``: what lies in ``folder`` stays there.
    """
    base = evening(scenario)
    with _InMemory(scenario):
        for number, future in enumerate(chosen):
            world = base.fork()
            if folder is not None:
                world = in_folder(world, folder / str(number))
            try:
                live_through(world, scenario, future)
            except Exception as error:
                raise AssertionError(f"{scenario.name}, {future}: {error}") from error
            if folder is not None and not keep:
                shutil.rmtree(folder / str(number))
    return len(chosen)


def live_through(world: World, scenario: Scenario, future: Future) -> Points:
    """The failing night, Lambda's retry of it, and healthy nights until all must be right."""
    points = world.points(dict([future]))
    world.run(points, trigger="nightly 1")
    world.look()
    world.clock.advance(seconds=60)
    world.run(trigger="nightly 1")
    world.look()
    scenario.mend(world)
    for _ in range(3):
        # The second look at what is missing may come a night later than without the fault.
        world.clock.advance(days=1)
        world.run(limits=Limits(commit_every=scenario.limits.commit_every))
        world.look()
    world.look(exact=True)
    world.clock.advance(days=1)
    report = world.run(limits=Limits())
    assert report is not None and report.status == "complete", report
    world.look(exact=True)
    assert len(world.history.reading.heads) == 1, world.history.reading.heads
    written = [key for key in world.history.written if not key.startswith("runs/")]
    assert not written, f"I4: nothing changed, and yet {written} were written"
    scenario.end(world)
    return points


def in_folder(world: World, folder: Path) -> World:
    """The same world with its store in ``folder``."""
    from smugmug_backup.storage.folder import FolderStore

    folder.parent.mkdir(parents=True, exist_ok=True)
    store = FolderStore(folder)
    for key, body in world.store.objects.items():  # type: ignore[attr-defined]
        store.create(key, body)
    world.store = store
    return world


def sample(scenario: Scenario, size: int, seed: int = 1) -> list[Future]:
    """``size`` of all faults, the same every time."""
    every = futures(scenario)
    return every if len(every) <= size else random.Random(seed).sample(every, size)


class _InMemory:
    """Lets bodies above a few bytes take the way of large ones."""

    def __init__(self, scenario: Scenario) -> None:
        self._size = scenario.in_memory

    def __enter__(self) -> None:
        self._before, originals.IN_MEMORY = originals.IN_MEMORY, self._size

    def __exit__(self, *error: object) -> None:
        originals.IN_MEMORY = self._before
