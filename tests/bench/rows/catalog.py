"""A catalog of a great account on a local folder: made, brought up to date, searched."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Kind, Measure
from tests.bench.services import ROOT
from tests.bench.sizes import Sizes

_MAKE = """
import sys
from pathlib import Path
from smugmug_backup.archive.archive import Archive
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.tools import large_archive
folder, albums, images, change = sys.argv[1], *map(int, sys.argv[2:])
if change:
    store = open_store(Location.parse(folder))
    archive = Archive(store)
    large_archive.change(archive, 0)
else:
    plain = large_archive.Plain(Path(folder))
    large_archive.write_large_archive(plain, albums=albums, images=images)
"""

_CATALOG = """
import json, resource, sys, time
from pathlib import Path
from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog.search import Days, Query, search
from smugmug_backup.cli.catalogs import open_catalog
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
archive = Archive(open_store(Location.parse(sys.argv[1])))
begun = time.perf_counter()
with open_catalog(archive, Path(sys.argv[2]), cached=False) as catalog:
    took = time.perf_counter() - begun
    queries = [
        Query(words=("harbour", "version")),
        Query(words=("harbour",), past=True),
        Query(words=("elan",), taken=Days.parse("2010..2011")),
        Query(words=("DSC_000010007",)),
    ]
    slowest = 0.0
    for query in queries:
        begun = time.perf_counter()
        found = len(list(search(catalog.db, query, most=200)))
        slowest = max(slowest, time.perf_counter() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    read = catalog.updated.albums
print(json.dumps({"seconds": took, "search": slowest, "peak": peak, "albums": read}))
"""


def row(sizes: Sizes) -> Iterator[Measure]:
    """First build, a second call with one changed album, and the slowest of four searches."""
    albums = sizes.account_albums
    images = sizes.account_images // albums
    with tempfile.TemporaryDirectory(prefix="bench-catalog-") as scratch:
        folder, file = Path(scratch) / "photos", Path(scratch) / "photos.sqlite"
        _python(_MAKE, folder, albums, images, 0)
        first = json.loads(_python(_CATALOG, folder, file))
        assert first["albums"] == albums, first
        _python(_MAKE, folder, albums, images, 1)
        second = json.loads(_python(_CATALOG, folder, file))
        assert second["albums"] == 1, second
    size = f"{albums * images:,} images in {albums:,} albums, a folder"
    scaled = {"kind": Kind.SCALED}
    yield Measure("catalog", "first build", first["seconds"], "s", 60, note=size, **scaled)
    yield Measure("catalog", "its memory", first["peak"], "MiB", 200, kind=Kind.QUIET)
    yield Measure("catalog", "one changed album", second["seconds"], "s", 2, **scaled)
    search = max(first["search"], second["search"]) * 1e3
    yield Measure("catalog", "the slowest search", search, "ms", 50, **scaled)


def _python(program: str, *words: object) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src{os.pathsep}{ROOT}"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
