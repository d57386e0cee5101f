"""First backups, against the same photos by rclone and by bare requests and boto3."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench import peers
from tests.bench.figures import Kind, Least, Measure, Ran, interleaved
from tests.bench.services import BUCKET, Scene, flush, scene, thrown_away
from tests.bench.sizes import Row, Sizes
from tests.bench.worker import work


@dataclass(frozen=True)
class Latency:
    """Seconds."""

    api: float
    photo: float
    put: float = 0.0

    def named(self) -> str:
        """As the table says it."""
        found = [self.api, self.photo] + ([self.put] if self.put else [])
        return f"{'/'.join(f'{each * 1000:.0f}' for each in found)} ms"


FAR = Latency(0.1, 0.05, 0.03)
NEAR = Latency(0.02, 0.02, 0.02)


@dataclass(frozen=True)
class S3Row:
    """One row of first backups into S3."""

    name: str
    what: str
    kilobytes: int
    limit: float | None
    latency: Latency = FAR
    threads: int = 8
    secure: bool = False

    def __call__(self, sizes: Sizes) -> Iterator[Measure]:
        """Ours and rclone's in turns."""
        with _scene(sizes, self.kilobytes, self.latency, secure=self.secure) as at:
            names = count()
            threads = self.threads

            def ours() -> Ran:
                return backup(at, f"a{next(names)}", threads, self.name if threads == 8 else "")

            def rclone() -> Ran:
                return peers.rclone_to_s3(at, f"r{next(names)}", threads, at.bundle)

            found = interleaved(sizes.runs, {"ours": ours, "rclone": rclone})
            what = f"first S3, {self.what}, {self.latency.named()}: ÷ rclone"
            yield against(self.name, what, found, "rclone", self.limit, len(at.photos))


@dataclass(frozen=True)
class FolderRow:
    """One row of first backups into a folder."""

    name: str
    what: str
    kilobytes: int
    limit: float
    latency: Latency
    durable: bool = True
    large: bool = False
    small: bool = False

    def __call__(self, sizes: Sizes) -> Iterator[Measure]:
        """Ours and rclone's in turns; the Go peer's, too, where it is there."""
        albums, images = sizes.first_albums, sizes.first_images
        if self.large:
            albums, images = sizes.folder_large_albums, sizes.folder_large_images
        if self.small:
            albums, images = sizes.folder_small_albums, sizes.folder_small_images
        with (
            _scene(sizes, self.kilobytes, self.latency, albums, images) as at,
            thrown_away() as kept,
        ):
            threads, names = sizes.concurrency, count()

            def fresh(side: Callable[[Path], Ran]) -> Ran:
                with thrown_away(kept) as folder:
                    return side(folder / f"{next(names)}")

            def ours(folder: Path) -> Ran:
                return backup_to_folder(at, folder, threads, self.name)

            def rclone(folder: Path) -> Ran:
                return peers.rclone_to_folder(at, folder, threads, durable=self.durable)

            sides = {"ours": partial(fresh, ours), "rclone": partial(fresh, rclone)}
            if self.small and sizes.go_peer is not None:
                program = sizes.go_peer

                def go(folder: Path) -> Ran:
                    return peers.go_peer(program, at.served, folder, len(at.photos), at)

                sides["the Go peer"] = partial(fresh, go)
            found = interleaved(sizes.runs, sides)
            peer = "(rclone, `sync`)" if self.durable else "rclone"
            size = f"{len(at.photos):,} of {self.what}" if self.small else self.what
            what = f"first folder, {size}, {self.latency.named()}: ÷ {peer}"
            yield against(self.name, what, found, "rclone", self.limit, len(at.photos))
            if self.small:
                what = f"first folder, {size}: ÷ the Go peer, which asks API v2"
                if "the Go peer" in found:
                    yield against(self.name, what, found, "the Go peer", 1.0, len(at.photos))
                else:
                    yield Measure(self.name, what, None, "×", 1.0, note="see --go-peer")


def cpu_s3(sizes: Sizes) -> Iterator[Measure]:
    """CPU an image into S3, against a script of a few lines that puts as many objects."""
    albums = sizes.first_albums
    with _scene(sizes, 1_000, FAR, albums, sizes.cpu_images) as at:
        names, threads = count(), sizes.concurrency
        prefix = f"o{next(names)}"
        backup(at, prefix, threads)
        others = peers.others_of(at, f"{prefix}/")
        found = interleaved(
            sizes.runs,
            {
                "ours": lambda: backup(at, f"a{next(names)}", threads, "cpu-s3"),
                "bare requests + boto3": lambda: peers.bare(at, f"b{next(names)}", others, threads),
            },
        )
        ours, bare = found["ours"], found["bare requests + boto3"]
        number = len(at.photos)
        yield Measure(
            "cpu-s3",
            "CPU an image, S3, 1 MB: ÷ bare requests + boto3",
            ours.cpu / bare.cpu,
            "×",
            0.70,
            note=f"{_cpu(ours, number)} against {_cpu(bare, number)}; {_servers(ours, 2 * number)}",
            parts=_parts(found, number),
        )


def cpu_folder(sizes: Sizes) -> Iterator[Measure]:
    """CPU an image into a folder."""
    albums, images = sizes.folder_small_albums, sizes.folder_small_images // 2
    with _scene(sizes, 4, NEAR, albums, images) as at, thrown_away() as kept:

        def ours() -> Ran:
            with thrown_away(kept) as folder:
                return backup_to_folder(at, folder / "a", sizes.concurrency, "cpu-folder")

        found = interleaved(sizes.runs, {"ours": ours})
        number = len(at.photos)
        yield Measure(
            "cpu-folder",
            "CPU an image, folder, 4 KB",
            found["ours"].cpu / number * 1e3,
            "ms",
            1.6,
            kind=Kind.SCALED,
            note=_servers(found["ours"], number),
            parts=_parts(found, number),
        )


def gallery(sizes: Sizes) -> Iterator[Measure]:
    """gallery-dl, which takes one photo at a time: told, and no goal."""
    albums = sizes.first_albums
    latency = Latency(FAR.api, FAR.photo)
    with (
        _scene(sizes, 1_000, latency, albums, sizes.gallery_images) as at,
        thrown_away() as kept,
    ):
        names = count()

        def ours() -> Ran:
            return backup_to_folder(
                at, kept / f"a{next(names)}", sizes.concurrency, "gallery", api="v2"
            )

        def theirs() -> Ran:
            return peers.gallery_dl(at, kept / f"g{next(names)}")

        found = interleaved(min(2, sizes.runs), {"ours": ours, "gallery-dl": theirs})
        what = f"first folder, API v2, 1 MB, {latency.named()}: ÷ gallery-dl"
        yield against("gallery", what, found, "gallery-dl", None, len(at.photos))


def backup(at: Scene, prefix: str, threads: int, what: str = "") -> Ran:
    """A first backup into S3. ``what``: its memory counts under this name."""
    store = {"kind": "s3", "endpoint": at.s3.endpoint, "bucket": BUCKET, "prefix": prefix}
    return _whole(
        at,
        work(
            at.served,
            store,
            what=what,
            concurrency=threads,
            bundle=at.bundle,
            servers=lambda: at.cpu,
        ),
    )


def backup_to_folder(
    at: Scene, folder: Path, threads: int, what: str = "", api: str = "1.3.0"
) -> Ran:
    """A first backup into a folder, which is made durable by itself."""
    store = {"kind": "folder", "path": str(folder)}
    ran = work(at.served, store, what=what, api=api, concurrency=threads, servers=lambda: at.cpu)
    flush(folder)
    return _whole(at, ran)


def _whole(at: Scene, ran: Ran) -> Ran:
    stored = ran.said["counts"]["originals_stored"]
    assert ran.said["status"] == "complete" and stored == len(at.photos), ran.said
    return ran


def _scene(
    sizes: Sizes,
    kilobytes: int,
    latency: Latency,
    albums: int = 0,
    images: int = 0,
    *,
    secure: bool = False,
) -> AbstractContextManager[Scene]:
    return scene(
        albums=albums or sizes.first_albums,
        images=images or sizes.first_images,
        size=kilobytes * sizes.kb,
        api=latency.api * sizes.slow,
        photo=latency.photo * sizes.slow,
        put=latency.put * sizes.slow,
        secure=secure,
    )


def against(
    row: str, what: str, found: dict[str, Least], peer: str, limit: float | None, number: int
) -> Measure:
    """Our seconds by a peer's, of so many photos."""
    ours, theirs = found["ours"], found[peer]
    note = (
        f"{ours.seconds:.2f} s ({ours.whole:.2f} with its start) against {theirs.seconds:.2f} s; "
        f"CPU {_cpu(ours, number)} against {_cpu(theirs, number)}; "
        # A photo, and into S3 a put: what else is asked for is little.
        f"{_servers(ours, 2 * number if row.startswith('s3') else number)}"
    )
    return Measure(
        row,
        what,
        ours.seconds / theirs.seconds,
        "×",
        limit,
        note=note,
        parts=_parts(found, number),
    )


def _cpu(side: Least, number: int) -> str:
    return f"{side.cpu / number * 1e3:.1f} ms an image"


def _servers(side: Least, requests: int) -> str:
    return f"the servers {side.servers / requests * 1e3:.2f} ms a request"


def _parts(found: dict[str, Least], number: int) -> dict[str, float]:
    parts: dict[str, float] = {"images": number}
    for name, side in found.items():
        parts[f"{name}: seconds"] = side.seconds
        parts[f"{name}: CPU ms an image"] = side.cpu / number * 1e3
        parts[f"{name}: MiB"] = side.peak_mib
        parts[f"{name}: servers' CPU ms an image"] = side.servers / number * 1e3
    return parts


S3_ROWS: list[S3Row] = [
    S3Row("s3-1m", "1 MB", 1_000, 0.60),
    S3Row("s3-4m", "4 MB", 4_000, 0.95),
    S3Row("s3-4k", "4 KB", 4, 0.50, NEAR),
    S3Row("s3-200k", "200 KB", 200, None),
    S3Row("s3-16", "1 MB, 16 transfers each", 1_000, None, threads=16),
    S3Row("s3-https", "1 MB, over https", 1_000, None, secure=True),
]
FOLDER_ROWS: list[FolderRow] = [
    FolderRow("folder-1m", "1 MB", 1_000, 0.75, Latency(FAR.api, FAR.photo)),
    FolderRow("folder-4m", "4 MB", 4_000, 1.1, Latency(FAR.api, FAR.photo), large=True),
    FolderRow("folder-4k", "4 KB", 4, 0.75, Latency(0.02, 0.02), False, small=True),
]
ROWS: dict[str, Row] = {each.name: each for each in [*S3_ROWS, *FOLDER_ROWS]}
