"""Peak memory of a fresh process: a long video, a large album, a great account; and its growth."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.result import Measure, Sizes
from tests.bench.services import BUCKET, ROOT, discarding_s3, smugmug, work

BASE_MIB, THREAD_MIB = 256, 32


def limit(threads: int) -> float:
    """MiB that a process with so many transfer threads may have."""
    return BASE_MIB + THREAD_MIB * threads


def row(sizes: Sizes) -> Iterator[Measure]:
    """All cases."""
    yield from video(sizes)
    yield from album(sizes)
    yield from account(sizes)


def video(sizes: Sizes) -> Iterator[Measure]:
    """One video through the multipart upload into an S3 that keeps nothing."""
    with smugmug(albums=1, images=0) as served, discarding_s3() as endpoint:
        (only,) = served.look("source")["albums"]
        # Its MD5 is left out: the local SmugMug would have to make all the bytes for it.
        served.change(
            "world/upload_video",
            album_key=only["key"],
            size=2 * sizes.video_bytes,
            has_md5=False,
        )
        store = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "prefix": "a"}
        done = work(served, store, concurrency=1)
        stored = done.counts["bytes_stored"]
        assert done["status"] == "complete" and stored >= sizes.video_bytes, done
        rate = stored / done["seconds"] / 1e6
        note = f"{done['operations']['UploadPart']} parts, {rate:.0f} MB/s, 1 thread"
        what = f"video of {stored / 1e9:.1f} GB, S3 multipart (discarded)"
        yield Measure("memory", what, done["peak_mib"], "MiB", limit(1), note=note)


def album(sizes: Sizes) -> Iterator[Measure]:
    """One large album over HTTP."""
    with smugmug(albums=1, images=sizes.album_images) as served, discarding_s3() as endpoint:
        store = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "prefix": "a"}
        done = work(served, store, concurrency=sizes.concurrency)
        assert done["status"] == "complete", done
        per_image = done["cpu"] / sizes.album_images * 1e3
        note = f"CPU {per_image:.1f} ms an image (listing, download, 2 PUT)"
        what = f"album of {sizes.album_images:,} images"
        yield Measure("memory", what, done["peak_mib"], "MiB", limit(sizes.concurrency), note=note)


def account(sizes: Sizes) -> Iterator[Measure]:
    """A great account, and how time and memory grow towards it."""
    steps = [
        (20, 50),
        (200, 50),
        (sizes.account_albums, sizes.account_images // sizes.account_albums),
    ]
    per_image = []
    for albums, images in steps:
        first, night = great_account(albums, images, sizes.concurrency)
        number = albums * images
        per_image.append(first["cpu"] / number * 1e3)
        note = (
            f"{first['before_mib']:.0f} MiB at the start; first backup {per_image[-1]:.2f} ms CPU "
            f"an image, night {night['cpu'] / albums * 1e3:.2f} ms an album"
        )
        what = f"account of {number:,} images in {albums:,} albums (no HTTP)"
        yield Measure("memory", what, night["peak_mib"], "MiB", limit(sizes.concurrency), note=note)
    growth = per_image[-1] / per_image[0]
    what = f"CPU an image, {steps[-1][0] * steps[-1][1]:,} images ÷ 1,000"
    yield Measure("memory", what, growth, "×", 1.5)


def great_account(albums: int, images: int, threads: int) -> list[dict[str, Any]]:
    """Two nights over an account that exists only while it is looked at."""
    command = [sys.executable, "-m", "tests.bench.account", *map(str, (albums, images, threads))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def kill(sizes: Sizes) -> Iterator[Measure]:
    """SIGKILL amid a first backup into a folder; what the next run downloads again."""
    images = sizes.first_albums * sizes.first_images
    with (
        smugmug(albums=sizes.first_albums, images=sizes.first_images, size=100_000) as served,
        tempfile.TemporaryDirectory() as folder,
    ):
        served.slow(api=0, photo=sizes.photo_latency)
        store = {"kind": "folder", "path": folder}
        work(served, store, kill_when=lambda: served.calls()["photos"] >= images // 2)
        stored = {path.parent.name for path in Path(folder, "originals").glob("*/*")}
        assert 0 < len(stored) < images, len(stored)
        served.forget()
        done = work(served, store)
        assert done["status"] == "complete", done
        again = served.calls()["bytes_by_image"]
        wasted = sum(size for image, size in again.items() if image in stored)
        note = f"{len(stored)} of {images} originals were stored when it was killed"
        yield Measure("kill", "bytes downloaded again", wasted, "", 0, exact=True, note=note)
        rest = images - len(stored)
        yield Measure("kill", "downloads of the second run", len(again), "", rest, exact=True)
