"""A backup to look through: the demo account over four nights, with real pictures."""

from datetime import datetime, timedelta
from pathlib import Path

from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.local_smugmug import LocalSmugMug, World, demo_account
from tests.local_smugmug.pictures import draw_jpeg
from tests.rules.account import OverHttp
from tests.tools.clock import START, FakeClock
from tests.tools.nights import Nights

HOSTILE = (
    "<script>document.title = 'hit'</script><img src=x onerror=\"document.title='hit'\"> "
    "' \" & </textarea> {{ 7 * 7 }} \u202egnp.exe \u05e9\u05dc\u05d5\u05dd " + "long " * 2000
)
"""A caption that tries what captions should not."""


def make_archive(folder: Path, *, hostile: bool = False, start: datetime = START) -> FakeClock:
    """Back the account up into ``folder`` from ``start`` on; the clock as it is afterwards.

    Arrives: a photo. Changes: a caption, the bytes of a photo. Leaves: a photo, an album.
    """
    clock = FakeClock(start)
    world = World(demo_account(), clock=clock.now)
    with LocalSmugMug(world) as smugmug:
        account = OverHttp(smugmug, clock, "v2")
        store = open_store(Location.parse(str(folder)), create=True)
        nights = Nights(account.source(), store, clock)
        nights.run()
        albums = {album.title: album for album in world.account.albums.values()}
        harbour, scans = albums["Harbour 2024"], albums["Scans &amp; Misc"]
        images = {image.file_name: image for image in harbour.images}
        taken = clock.now() - timedelta(days=3)
        clock.advance(hours=10)
        world.upload(
            harbour.key,
            draw_jpeg(41, taken, None),
            file_name="quay_003.jpg",
            caption="The new quay",
            keywords="harbour; dawn",
        )
        world.edit(images["quay_001.jpg"].key, caption="The old quay, at dusk")
        nights.next_night()
        clock.advance(hours=2)
        world.replace(images["quay_002.jpg"].key, draw_jpeg(42, taken, None))
        if hostile:
            world.edit(images["möwe über dem hafen.jpg"].key, caption=HOSTILE)
        world.delete(scans.images[0].key)
        nights.next_night(full=True)
        nights.next_night(full=True)
        world.drop_album(albums["Drafts"].key)
        nights.next_night()
        nights.next_night()
    return clock
