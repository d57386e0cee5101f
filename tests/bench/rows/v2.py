"""API v2: what a night without changes costs."""

import math
import tempfile
from collections.abc import Iterator

from tests.bench.result import Measure, Sizes
from tests.bench.services import smugmug, work

PAGE = 500


def row(sizes: Sizes) -> Iterator[Measure]:
    """A call for each page of albums, and none for an album that stands as it stood."""
    with (
        smugmug(albums=sizes.v2_albums, images=sizes.v2_images) as served,
        tempfile.TemporaryDirectory() as folder,
    ):
        store = {"kind": "table", "path": f"{folder}/store.db"}
        first = work(served, store, api="v2", concurrency=sizes.concurrency)
        assert first["status"] == "complete", first
        per_album = first.counts["api_calls"] / sizes.v2_albums
        what = f"first: API calls an album of {sizes.v2_images} images"
        yield Measure("v2", what, per_album, "")
        served.slow(api=sizes.api_latency, photo=sizes.photo_latency)
        served.forget()
        night = work(served, store, api="v2", concurrency=sizes.concurrency)
        assert night["status"] == "complete", night
        called = served.calls()["by_what"]
        pages = math.ceil(sizes.v2_albums / PAGE)
        note = f"{night['seconds']:.1f} s in all; the login is {called.get('account', 0)} more"
        what = f"night of {sizes.v2_albums} albums: calls for albums"
        yield Measure("v2", what, called.get("albums", 0), "", pages, note=note)
        calls = called.get("images", 0) + called.get("image", 0) + called.get("album", 0)
        yield Measure("v2", "night: calls for unchanged albums", calls, "", 0, exact=True)
