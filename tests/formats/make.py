"""Make the store that is kept of this version: ``python -m tests.formats.make FOLDER``.

A kept store is never made again: what a release has written must be read for ever. This is how
``version-1`` was made, and how that of a next version is begun. It is the same each time.
"""

import sys
from pathlib import Path

from smugmug_backup.errors import PhotoRefused
from smugmug_backup.storage.folder import FolderStore
from tests.proof.damage import Ruin
from tests.proof.world import World


def make(folder: Path) -> None:
    """Three albums over five nights: edited, replaced, gone, without bytes or an MD5; a check."""
    world = World(store=FolderStore(folder))
    source = world.source
    source.album("hT4mWq", "Harbour &amp; Quay 2024", images=5)
    source.album("alps", "Alps \u2014 \u5c71", images=3)
    source.album("gone", "Old things", images=2)
    source.upload("alps", has_url=False, file_name="no_original.jpg")
    source.upload("alps", has_md5=False, file_name="no_md5.jpg")
    source.upload("alps", video="Video1280URL", has_md5=False, file_name="waves.mp4")
    _night(world)
    first, second, third, fourth, _ = source.world["hT4mWq"].images
    source.world["alps"].images.append(fourth)
    source.touch(first, caption="The old quay")
    source.replace(second)
    source.touch(fourth)
    _night(world)
    source.world["hT4mWq"].images.remove(third)
    del source.world["gone"]
    _night(world)
    _night(world)
    Ruin(world).check()
    late = source.upload("hT4mWq", file_name="late.jpg")
    source.errors[f"photo:{late.key}"] = PhotoRefused("404")
    _night(world)


def _night(world: World) -> None:
    assert world.run() is not None
    world.look()
    world.clock.advance(days=1)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
