"""Wall time against what latency alone would take, and against bare transfers."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.result import Measure, Sizes
from tests.bench.services import (
    BUCKET,
    ROOT,
    SmugMug,
    aws_environment,
    client_of,
    ministack,
    smugmug,
    work,
)


def night(sizes: Sizes) -> Iterator[Measure]:
    """A night without changes over many albums, the ceiling of calls off."""
    with smugmug(albums=sizes.night_albums, images=1) as served, ministack() as endpoint:
        store = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "prefix": "a"}
        first = work(served, store, concurrency=16)
        assert first["status"] == "complete", first
        served.slow(api=sizes.api_latency, photo=sizes.photo_latency)
        done = min(
            (work(served, store, concurrency=sizes.concurrency) for _ in range(sizes.repeat)),
            key=lambda done: done["seconds"],
        )
        calls = done.counts["api_calls"]
        ideal = sizes.api_latency * math.ceil(calls / sizes.concurrency)
        what = f"night of {sizes.night_albums} albums ÷ latency alone"
        each = done["cpu"] / calls * 1e3
        note = f"{done['seconds']:.1f} s of {ideal:.1f} s, CPU {each:.1f} ms a call"
        yield Measure("night", what, done["seconds"] / ideal, "×", 1.15, note=note)


def first(sizes: Sizes) -> Iterator[Measure]:
    """A first backup into S3, against the same transfers by bare boto3 and requests."""
    albums, images = sizes.first_albums, sizes.first_images
    with (
        smugmug(albums=albums, images=images, size=sizes.image_bytes) as served,
        ministack() as endpoint,
    ):
        photos = photos_of(served)  # makes the digests, too, so that neither side waits for them
        served.slow(api=sizes.api_latency, photo=sizes.photo_latency)
        ours, bare, others = [], [], []
        for number in range(sizes.repeat):
            store = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "prefix": f"a{number}"}
            done = work(served, store, concurrency=sizes.concurrency)
            assert done["status"] == "complete", done
            ours.append(done)
            others = others or other_objects(endpoint, f"a{number}/")
            empty(endpoint, f"a{number}/")
            bare.append(bare_transfers(endpoint, photos, others, f"b{number}", sizes.concurrency))
            empty(endpoint, f"b{number}/")
        best = min(ours, key=lambda done: done["seconds"])
        least = min(bare, key=lambda said: said["seconds"])
        note = (
            f"{best['seconds']:.1f} s against {least['seconds']:.1f} s; CPU an image "
            f"{best['cpu'] / len(photos) * 1e3:.1f} ms against "
            f"{least['cpu'] / len(photos) * 1e3:.1f} ms"
        )
        what = f"first backup, {albums} × {images} images ÷ bare boto3 and requests"
        yield Measure("first", what, best["seconds"] / least["seconds"], "×", 1.25, note=note)


def photos_of(served: SmugMug) -> list[tuple[str, str]]:
    """(URL, name) of all photos of the account."""
    return [
        (image["listed"]["OriginalURL"].replace("http://127.0.0.1/", f"{served.url}/"),
         f"{image['key']}/{image['md5']}.jpg")
        for album in served.look("source")["albums"]
        for image in album["images"]
    ]  # fmt: skip


def other_objects(endpoint: str, prefix: str) -> list[int]:
    """The sizes of all that a backup wrote besides originals."""
    pager = client_of(endpoint).get_paginator("list_objects_v2")
    return [
        found["Size"]
        for page in pager.paginate(Bucket=BUCKET, Prefix=prefix)
        for found in page.get("Contents", ())
        if "/originals/" not in found["Key"]
    ]


def empty(endpoint: str, prefix: str) -> None:
    """Delete everything below ``prefix``, so that memory stays free."""
    client = client_of(endpoint)
    while found := client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents"):
        named = [{"Key": each["Key"]} for each in found]
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": named})


def bare_transfers(
    endpoint: str, photos: list[tuple[str, str]], others: list[int], prefix: str, concurrency: int
) -> dict[str, float]:
    """The same downloads and objects by `bare`, in a process of its own."""
    task = {
        "photos": photos,
        "others": others,
        "bucket": BUCKET,
        "prefix": prefix,
        "concurrency": concurrency,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare"],
        cwd=ROOT,
        env={**os.environ, **aws_environment(endpoint)},
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said
