"""Nights without changes."""

import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench import peers
from tests.bench.figures import Kind, Measure, Ran, interleaved
from tests.bench.services import BUCKET, ROOT, SmugMug, light_s3, smugmug, thrown_away
from tests.bench.sizes import Sizes
from tests.bench.worker import work

PAGE = 500


def night(sizes: Sizes) -> Iterator[Measure]:
    """Over many albums, by API 1.3.0 and into S3, the ceiling of calls off."""
    albums, api, photo = sizes.night_albums, 0.1 * sizes.slow, 0.05 * sizes.slow
    with smugmug(albums=albums, images=1) as served, light_s3() as s3:
        store = {"kind": "s3", "endpoint": s3.endpoint, "bucket": BUCKET, "prefix": "a"}
        first = work(served, store, concurrency=16)
        assert first.said["status"] == "complete", first.said
        served.slow(api=api, photo=photo)

        def ours() -> Ran:
            done = work(
                served,
                store,
                what="night",
                concurrency=sizes.concurrency,
                servers=lambda: served.process.cpu + s3.process.cpu,
            )
            assert done.said["status"] == "complete", done.said
            return done

        done = interleaved(sizes.runs, {"ours": ours})["ours"]
        # Two calls in a row say whose account it is and which albums it has.
        ideal = api * (2 + math.ceil(albums / sizes.concurrency))
        calls = done.said["counts"]["api_calls"]
        note = (
            f"{done.seconds:.2f} s of {ideal:.1f} s; CPU {done.cpu / calls * 1e3:.1f} ms a call; "
            f"the servers {done.servers / calls * 1e3:.1f} ms"
        )
        yield Measure(
            "night",
            f"night, {albums} albums: ÷ latency × (2 + A/{sizes.concurrency})",
            done.seconds / ideal,
            "×",
            1.055,
            kind=Kind.QUIET,
            note=note,
            parts={"ours: seconds": done.seconds, "latency alone: seconds": ideal},
        )


def folder_night(sizes: Sizes) -> Iterator[Measure]:
    """The owner's command into a folder, by API v2: the whole process, its start too."""
    albums = sizes.folder_night_albums
    with smugmug(albums=albums, images=2) as served, thrown_away() as folder:
        environment, command = _command(served, folder)
        peers.timed(command, environment)
        served.slow(api=0.02 * sizes.slow, photo=0.02 * sizes.slow)
        sides = {"ours": lambda: peers.timed(command, environment)}
        done = interleaved(max(sizes.runs, sizes.starts), sides)["ours"]
        yield Measure(
            "folder-night",
            f"folder night, {albums} albums, v2, 20 ms, whole process",
            done.seconds,
            "s",
            0.33,
            kind=Kind.SCALED,
            note=f"`smugmug-backup run FOLDER`; CPU {done.cpu:.2f} s",
        )


def _command(served: SmugMug, folder: Path) -> tuple[dict[str, str], list[str]]:
    secret = folder / "secret.json"
    secret.write_text(json.dumps(served.secret))
    secret.chmod(0o600)
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME")},
        "PYTHONPATH": str(ROOT / "src"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "SMUGMUG_SECRET": f"file:{secret}",
        "SMUGMUG_NICKNAME": served.nickname,
        "SMUGMUG_API": "v2",
        "SMUGMUG_API_URL": served.url,
        "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "smugmug_backup.cli", "run", str(folder / "backup")]
    return environment, command


def v2(sizes: Sizes) -> Iterator[Measure]:
    """A call for each page of albums, and none for an album that stands as it stood."""
    with (
        smugmug(albums=sizes.v2_albums, images=sizes.v2_images) as served,
        thrown_away() as folder,
    ):
        store = {"kind": "table", "path": f"{folder}/store.db"}
        first = work(served, store, api="v2", concurrency=sizes.concurrency)
        assert first.said["status"] == "complete", first.said
        per_album = first.said["counts"]["api_calls"] / sizes.v2_albums
        what = f"first: API calls an album of {sizes.v2_images} images"
        yield Measure("v2", what, per_album, "")
        served.slow(api=0.1 * sizes.slow, photo=0)
        served.forget()
        night = work(served, store, api="v2", concurrency=sizes.concurrency)
        assert night.said["status"] == "complete", night.said
        called = served.calls()["by_what"]
        pages = math.ceil(sizes.v2_albums / PAGE)
        note = f"{night.seconds:.1f} s in all; the login is {called.get('account', 0)} more"
        what = f"night of {sizes.v2_albums} albums: calls for albums"
        yield Measure("v2", what, called.get("albums", 0), "", pages, note=note)
        calls = called.get("images", 0) + called.get("image", 0) + called.get("album", 0)
        yield Measure("v2", "night: calls for unchanged albums", calls, "", 0, exact=True)
