"""Peak memory: of every row so far, of a long video, a large album, a great account."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.figures import Kind, Measure
from tests.bench.rows.first import FAR, backup, backup_to_folder
from tests.bench.services import BUCKET, ROOT, light_s3, scene, smugmug, thrown_away
from tests.bench.sizes import Sizes
from tests.bench.worker import PEAKS, work

WORST = 192


def row(sizes: Sizes) -> Iterator[Measure]:
    """The cases that need most, and the worst of all rows of this benchmark so far."""
    yield from video(sizes)
    yield from album(sizes)
    large_photos(sizes)
    peak, what = max(PEAKS)
    note = f"{what}; of {len(PEAKS)} runs of {len({name for _, name in PEAKS})} rows"
    yield Measure("memory", "memory of the worst row", peak, "MiB", WORST, kind=Kind.QUIET,
                  note=note)  # fmt: skip
    yield from account(sizes)


def large_photos(sizes: Sizes) -> None:
    """4 MB each, into S3 and into a folder: the most that is under way at once."""
    with (
        scene(
            albums=sizes.folder_large_albums,
            images=sizes.folder_large_images,
            size=4_000 * sizes.kb,
            api=FAR.api * sizes.slow,
            photo=FAR.photo * sizes.slow,
            put=FAR.put * sizes.slow,
        ) as at,
        thrown_away() as folder,
    ):
        backup(at, "memory", sizes.concurrency, "4 MB into S3")
        backup_to_folder(at, folder / "a", sizes.concurrency, "4 MB into a folder")


def video(sizes: Sizes) -> Iterator[Measure]:
    """One video through the upload in parts."""
    with smugmug(albums=1, images=0) as served, light_s3() as s3:
        (only,) = served.look("source")["albums"]
        # Its MD5 is left out: the local SmugMug would have to make all the bytes for it.
        served.change(
            "world/upload_video",
            album_key=only["key"],
            size=2 * sizes.video_bytes,
            has_md5=False,
        )
        store = {"kind": "s3", "endpoint": s3.endpoint, "bucket": BUCKET, "prefix": "a"}
        done = work(served, store, what="video", concurrency=1)
        stored = done.said["counts"]["bytes_stored"]
        assert done.said["status"] == "complete" and stored >= sizes.video_bytes, done.said
        rate = stored / done.seconds / 1e6
        note = f"{s3.counts()['UploadPart']} parts, {rate:.0f} MB/s, 1 thread"
        what = f"video of {stored / 1e9:.1f} GB, S3 in parts"
        yield Measure("memory", what, done.peak_mib, "MiB", note=note)


def album(sizes: Sizes) -> Iterator[Measure]:
    """One large album over HTTP."""
    with smugmug(albums=1, images=sizes.album_images) as served, light_s3() as s3:
        store = {"kind": "s3", "endpoint": s3.endpoint, "bucket": BUCKET, "prefix": "a"}
        done = work(served, store, what="large album", concurrency=sizes.concurrency)
        assert done.said["status"] == "complete", done.said
        per_image = done.cpu / sizes.album_images * 1e3
        note = f"CPU {per_image:.1f} ms an image (listing, download, PUT)"
        what = f"album of {sizes.album_images:,} images"
        yield Measure("memory", what, done.peak_mib, "MiB", note=note)


def account(sizes: Sizes) -> Iterator[Measure]:
    """A great account without HTTP, and how time and memory grow towards it.

    The account and the table that it is stored in are in the same process, so the worst row has
    another goal.
    """
    steps = [
        (20, 50),
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
        yield Measure("memory", what, night["peak_mib"], "MiB", note=note)
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
    albums = 8
    images = sizes.kill_images // albums * albums
    with (
        smugmug(albums=albums, images=images // albums, size=100_000) as served,
        tempfile.TemporaryDirectory() as folder,
    ):
        served.slow(api=0, photo=0.05 * sizes.slow)
        store = {"kind": "folder", "path": folder}
        work(served, store, kill_when=lambda: served.calls()["photos"] >= images // 2)
        stored = {path.parent.name for path in Path(folder, "originals").glob("*/*")}
        assert 0 < len(stored) < images, len(stored)
        served.forget()
        done = work(served, store)
        assert done.said["status"] == "complete", done.said
        again = served.calls()["bytes_by_image"]
        wasted = sum(size for image, size in again.items() if image in stored)
        note = f"{len(stored)} of {images} originals were stored when it was killed"
        yield Measure("kill", "bytes downloaded again", wasted, "", 0, exact=True, note=note)
        rest = images - len(stored)
        yield Measure("kill", "downloads of the second run", len(again), "", rest, exact=True)
