"""What a row of the benchmark has to tell."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One line of the table. ``limit`` None: there is no target, it is only told."""

    row: str
    what: str
    value: float
    unit: str = ""
    limit: float | None = None
    exact: bool = False
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.limit is None:
            return None
        return self.value == self.limit if self.exact else self.value <= self.limit

    @property
    def target(self) -> str:
        if self.limit is None:
            return ""
        return f"{'=' if self.exact else '≤'} {number(self.limit)}"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


@dataclass
class Sizes:
    """How large everything is; quick by default."""

    concurrency: int = 8
    api_latency: float = 0.1
    photo_latency: float = 0.05
    night_albums: int = 400
    first_albums: int = 8
    first_images: int = 25
    image_bytes: int = 1_000_000
    video_bytes: int = 512 * 1024**2
    album_images: int = 1_000
    account_images: int = 100_000
    account_albums: int = 2_000
    overflow_albums: int = 220
    overflow_images: int = 2
    v2_albums: int = 200
    v2_images: int = 10
    repeat: int = 1

    @classmethod
    def full(cls) -> "Sizes":
        """The sizes that the targets are stated for."""
        return cls(
            night_albums=2_000,
            first_albums=20,
            first_images=100,
            video_bytes=5 * 1000**3,
            album_images=5_000,
            account_images=1_000_000,
            account_albums=20_000,
            overflow_albums=400,
            overflow_images=10,
            v2_images=500,
            repeat=2,
        )


Row = Callable[[Sizes], Iterator[Measure]]


def number(value: float) -> str:
    """A number as the table shows it."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}"
