"""Tools that others trust, over the same photos: `rclone` and `gallery-dl`.

They store what they are given; we also list, compare, verify, record and commit.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.result import Measure, Sizes
from tests.bench.rows.wall import empty, photos_of
from tests.bench.services import (
    BUCKET,
    REGION,
    ROOT,
    SmugMug,
    aws_environment,
    ministack,
    smugmug,
    work,
)

BIN = Path(sys.executable).parent
S3 = f":s3,provider=Other,env_auth,force_path_style,region={REGION},no_check_bucket:"


def row(sizes: Sizes) -> Iterator[Measure]:
    """Each peer against us, one after the other, in the same run."""
    albums, images = sizes.first_albums, sizes.first_images
    with (
        smugmug(albums=albums, images=images, size=sizes.image_bytes) as served,
        ministack() as endpoint,
        tempfile.TemporaryDirectory() as kept,
    ):
        folder = Path(kept)
        photos = photos_of(served)
        listed = folder / "photos.csv"
        with listed.open("w", newline="") as file:
            csv.writer(file).writerows(photos)
        served.slow(api=sizes.api_latency, photo=sizes.photo_latency)
        threads = sizes.concurrency
        store = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "prefix": "ours"}
        ours = work(served, store, concurrency=threads)["seconds"]
        empty(endpoint, "ours/")
        named = {**aws_environment(endpoint), "RCLONE_S3_ENDPOINT": endpoint}
        theirs = rclone(listed, f"{S3}{BUCKET}/theirs", threads, named)
        empty(endpoint, "theirs/")
        yield _against("rclone, http → S3", ours, theirs)
        ours = work(served, {"kind": "folder", "path": f"{kept}/a"}, concurrency=threads)["seconds"]
        theirs = rclone(listed, f"{kept}/b", threads, {})
        assert len(list((folder / "b").glob("*/*"))) == len(photos)
        yield _against("rclone, http → folder", ours, theirs)
        store = {"kind": "folder", "path": f"{kept}/c"}
        ours = work(served, store, api="v2", concurrency=threads)["seconds"]
        theirs = gallery_dl(served, folder / "d")
        assert len([each for each in (folder / "d").rglob("*.*") if each.is_file()]) == len(photos)
        yield _against("gallery-dl, API v2 → folder (one at a time)", ours, theirs)


def rclone(listed: Path, to: str, threads: int, environment: Mapping[str, str]) -> float:
    """Seconds that `rclone copyurl` takes for all URLs of a table."""
    command = [str(BIN / "rclone"), "copyurl", "--urls", str(listed), to]
    command += ["--transfers", str(threads), "--config", os.devnull, "--retries", "1", "-q"]
    return _timed(command, environment)


def gallery_dl(served: SmugMug, folder: Path) -> float:
    """Seconds that gallery-dl takes for the whole account."""
    names = ("api_key", "api_secret", "access_token", "access_token_secret")
    options = {name.replace("_", "-"): served.secret[name] for name in names}
    settings = folder.with_suffix(".json")
    settings.write_text(
        json.dumps({"extractor": {"smugmug": options, "base-directory": str(folder)}})
    )
    page = f"https://{served.nickname}.smugmug.com/"
    command = [sys.executable, "-m", "tests.bench.gallery", served.url]
    command += ["--config-ignore", "-c", str(settings), "-q", page]
    return _timed(command, {})


def _timed(command: list[str], environment: Mapping[str, str]) -> float:
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return time.monotonic() - began


def _against(what: str, ours: float, theirs: float) -> Measure:
    note = f"{ours:.1f} s against {theirs:.1f} s"
    return Measure("peers", f"ours ÷ {what}", ours / theirs, "×", note=note)
