"""Requests: what a first backup and a night without changes ask of SmugMug and of S3.

CI asserts the same formulas with a store in memory (``tests/rules/test_requests.py``).
"""

from collections.abc import Iterator

from tests.bench.result import Measure, Sizes
from tests.bench.services import BUCKET, ministack, smugmug, work

ALBUMS, IMAGES = 12, 10


def row(sizes: Sizes) -> Iterator[Measure]:
    """A first backup and the night after it, in S3."""
    with smugmug(albums=ALBUMS, images=IMAGES) as served, ministack() as endpoint:
        store = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "prefix": "a"}
        first = work(served, store, concurrency=sizes.concurrency)
        calls = served.calls()
        images = ALBUMS * IMAGES
        puts = images + images + ALBUMS + ALBUMS + 3
        asked = first["operations"]
        yield Measure("requests", "first: API calls", calls["api"], "", 2 + ALBUMS, exact=True)
        yield Measure("requests", "first: downloads", calls["photos"], "", images, exact=True)
        yield Measure("requests", "first: S3 PUT", asked["PutObject"], "", puts, exact=True)
        yield Measure("requests", "first: S3 HEAD", asked.get("HeadObject", 0), "", 0, exact=True)
        served.forget()
        night = work(served, store, concurrency=sizes.concurrency)
        assert night["status"] == "complete", night
        calls, asked = served.calls(), night["operations"]
        yield Measure("requests", "night: API calls", calls["api"], "", 2 + ALBUMS, exact=True)
        yield Measure("requests", "night: downloads", calls["photos"], "", 0, exact=True)
        yield Measure("requests", "night: S3 PUT", asked["PutObject"], "", 1, exact=True)
        yield Measure("requests", "night: S3 GET", asked["GetObject"], "", 1, exact=True)
        yield Measure("requests", "night: S3 LIST", asked["ListObjectsV2"], "", 1 + 2)
        yield Measure("requests", "night: S3 HEAD", asked.get("HeadObject", 0), "", 0, exact=True)
