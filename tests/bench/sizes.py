"""How large everything is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Measure


@dataclass
class Sizes:
    """The sizes that the goals are stated for. Latencies are seconds: API, photo, put."""

    runs: int = 5
    concurrency: int = 8
    first_albums: int = 20
    first_images: int = 40
    folder_large_albums: int = 10
    folder_large_images: int = 20
    folder_small_albums: int = 20
    folder_small_images: int = 100
    cpu_images: int = 20
    kb: int = 1_000
    night_albums: int = 400
    folder_night_albums: int = 20
    gallery_images: int = 10
    connections: int = 40
    starts: int = 10
    video_bytes: int = 512 * 1024**2
    album_images: int = 1_000
    account_images: int = 100_000
    account_albums: int = 2_000
    overflow_albums: int = 220
    overflow_images: int = 2
    v2_albums: int = 200
    v2_images: int = 10
    kill_images: int = 200
    slow: float = 1.0
    """All latencies times this."""
    go_peer: Path | None = None

    @classmethod
    def quick(cls) -> "Sizes":
        """Whether the rows work: no figure of these is one to judge by."""
        return cls(
            runs=2,
            first_albums=3,
            first_images=8,
            folder_large_albums=2,
            folder_large_images=8,
            folder_small_albums=4,
            folder_small_images=25,
            cpu_images=5,
            night_albums=40,
            gallery_images=2,
            connections=10,
            starts=3,
            video_bytes=32 * 1024**2,
            album_images=100,
            account_images=2_000,
            account_albums=40,
            overflow_albums=60,
            v2_albums=20,
            v2_images=5,
            kill_images=80,
        )


Row = Callable[[Sizes], Iterator[Measure]]
