"""What is counted, and needs no quiet machine: requests, and what is asked of a disk.

The tests assert the same formulas with a store in memory (``tests/rules/test_requests.py``).
"""

from collections.abc import Iterator

from tests.bench.figures import Measure
from tests.bench.services import BUCKET, light_s3, smugmug, thrown_away
from tests.bench.sizes import Sizes
from tests.bench.worker import work

ALBUMS, IMAGES = 12, 10


def requests(sizes: Sizes) -> Iterator[Measure]:
    """A first backup and the night after it, in S3, counted where they arrive."""
    with smugmug(albums=ALBUMS, images=IMAGES) as served, light_s3() as s3:
        store = {"kind": "s3", "endpoint": s3.endpoint, "bucket": BUCKET, "prefix": "a"}
        first = work(served, store, concurrency=sizes.concurrency)
        assert first.said["status"] == "complete", first.said
        calls, asked = served.calls(), s3.counts()
        images = ALBUMS * IMAGES
        note = f"n + 2A + 2, and the page for people; n = {images} images in A = {ALBUMS} albums"
        puts = images + 2 * ALBUMS + 2 + 1
        yield _exact("first: API calls", calls["api"], 2 + ALBUMS)
        yield _exact("first: downloads", calls["photos"], images)
        yield _exact("first: S3 PUT", asked["PutObject"], puts, note)
        yield _exact("first: S3 HEAD", asked.get("HeadObject", 0), 0)
        served.forget()
        s3.forget()
        night = work(served, store, concurrency=sizes.concurrency)
        assert night.said["status"] == "complete", night.said
        calls, asked = served.calls(), s3.counts()
        yield _exact("night: API calls", calls["api"], 2 + ALBUMS)
        yield _exact("night: downloads", calls["photos"], 0)
        yield _exact("night: S3 PUT", asked["PutObject"], 1)
        yield _exact("night: S3 GET", asked["GetObject"], 1)
        lists = "manifests, checks, and twice the reports"
        yield _exact("night: S3 LIST", asked["ListObjectsV2"], 4, lists)
        yield _exact("night: S3 HEAD", asked.get("HeadObject", 0), 0)


def _exact(what: str, value: int, limit: int, note: str = "") -> Measure:
    return Measure("requests", what, value, "", limit, exact=True, note=note)


def flushes(sizes: Sizes) -> Iterator[Measure]:
    """How often a first backup into a folder waits for its disk."""
    albums, images = sizes.folder_small_albums, sizes.folder_small_images
    with smugmug(albums=albums, images=images) as served, thrown_away() as folder:
        store = {"kind": "folder", "path": str(folder / "a")}
        done = work(served, store, concurrency=sizes.concurrency, count_flushes=True)
        assert done.said["status"] == "complete", done.said
        asked = done.said["flushes"]
        told = ", ".join(f"{number:,} {name}" for name, number in sorted(asked.items()))
        note = f"{told}: {images * albums:,} images in {albums} albums"
        value = sum(asked.values()) / (albums * images)
        yield Measure("fsyncs", "fsyncs an image, folder", value, "", 0.25, note=note)
