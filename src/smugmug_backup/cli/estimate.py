"""What AWS would charge, by list prices. An estimate for a decision, no invoice."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from smugmug_backup.backup.context import COMMIT_EVERY
from smugmug_backup.backup.outcome import Forecast
from smugmug_backup.cli.output import number, plural, size

_GB = 1e9
_MANIFEST_PAGE = 1_000
_PART = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars; ``noted`` is the day on which they were looked up."""

    noted: str = "2026-11-23"
    region: str = "us-east-1"
    write_thousand: float = 0.005
    read_thousand: float = 0.0004
    storage_gb_month: float = 0.023
    instant_storage_gb_month: float = 0.004
    instant_retrieval_gb: float = 0.03
    out_gb: float = 0.09
    between_regions_gb: float = 0.02
    out_free_gb: float = 100.0

    @property
    def say(self) -> str:
        """Where the figures come from."""
        return f"list prices of {self.region} as noted on {self.noted}; yours may differ"


PRICES = Prices()


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run would send; ``writes`` are PUT, POST and LIST requests, ``reads`` GET and HEAD."""

    albums: int
    images: int
    originals: int
    bytes: int
    api_calls: int
    writes: int
    reads: int

    @property
    def requests_cost(self) -> float:
        """Once."""
        return self.writes / 1e3 * PRICES.write_thousand + self.reads / 1e3 * PRICES.read_thousand

    @property
    def storage_cost(self) -> float:
        """Every month from then on, in S3 Standard."""
        return self.bytes / _GB * PRICES.storage_gb_month

    @property
    def instant_storage_cost(self) -> float:
        """Every month from then on, in S3 Glacier Instant Retrieval."""
        return self.bytes / _GB * PRICES.instant_storage_gb_month


def estimate_run(
    forecasts: Iterable[Forecast], *, api_calls: int, known_albums: int
) -> RunEstimate:
    """The run that ``forecasts`` foretell. ``api_calls``: those of the dry run, which a real run
    makes as well; ``known_albums``: how many manifests are to be listed."""
    albums = images = originals = size_of_all = writes = reads = 0
    for each in forecasts:
        records = each.new + each.changed
        if records or each.originals or each.missing:
            albums += 1
            # A records file and a manifest, at the end and after so many originals on the way.
            writes += 2 * max(1, ceil(each.originals / COMMIT_EVERY))
            reads += 1 + each.changed
        images += records
        originals += each.originals
        size_of_all += each.bytes
        # Small ones take one request; the parts of large ones are as good as spread evenly.
        writes += each.originals + 2 * (each.bytes // (16 * _PART)) + each.bytes // (2 * _PART)
        reads += each.originals
    lists = 3 + known_albums // _MANIFEST_PAGE
    return RunEstimate(albums, images, originals, size_of_all, api_calls, writes + lists, reads + 1)


@dataclass(frozen=True, slots=True)
class RestoreEstimate:
    """What a restore would fetch from S3."""

    bytes: int
    requests: int

    @property
    def out_cost(self) -> float:
        """The way out of AWS, if nothing of the free allowance is left."""
        return self.bytes / _GB * PRICES.out_gb

    @property
    def requests_cost(self) -> float:
        """The GET requests."""
        return self.requests / 1e3 * PRICES.read_thousand

    @property
    def instant_retrieval_cost(self) -> float:
        """On top, if the originals lie in S3 Glacier Instant Retrieval."""
        return self.bytes / _GB * PRICES.instant_retrieval_gb

    def text(self) -> str:
        """What to tell before asking."""
        charged = money(self.out_cost + self.requests_cost)
        return (
            f"{size(self.bytes)} must come out of S3, with {number(self.requests)} requests. "
            f"AWS charges {charged} (the first {PRICES.out_free_gb:g} GB a month are free), "
            f"and {money(self.instant_retrieval_cost)} more if it lies in Glacier Instant "
            f"Retrieval ({PRICES.say})."
        )


@dataclass(frozen=True, slots=True)
class CopyEstimate:
    """What a copy moves. ``reads``: GET requests, if it comes out of S3; ``writes``: PUT and POST
    requests, if it goes into S3. ``inside``: S3 may copy by itself, as far as it is allowed to."""

    bytes: int
    files: int
    reads: int
    writes: int
    out_of_s3: bool
    into_s3: bool
    inside: bool = False

    @classmethod
    def of(
        cls,
        files: int,
        size_of_all: int,
        large: Iterable[int],
        *,
        out_of_s3: bool,
        into_s3: bool,
        inside: bool = False,
    ) -> "CopyEstimate":
        """``large``: the lengths of what goes in parts."""
        parts = sum(2 + -(-each // _PART) for each in large)
        return cls(size_of_all, files, files, files + parts, out_of_s3, into_s3, inside)

    @property
    def between(self) -> float:
        """The way from one region of AWS into another."""
        return self.bytes / _GB * PRICES.between_regions_gb

    def lines(self) -> list[str]:
        """What to tell before it begins; no prices where no S3 is."""
        found = []
        if self.inside:
            requests = (
                self.files / 1e3 * (PRICES.write_thousand + PRICES.read_thousand)
                + (self.writes - self.files) / 1e3 * PRICES.write_thousand
            )
            found.append(
                f"S3 copies by itself, if the credentials of TO may read FROM: about "
                f"{number(self.writes)} COPY and {number(self.files)} HEAD requests, "
                f"{money(requests)}; between two regions {money(self.between)} more for "
                f"{size(self.bytes)}. What it does not copy passes through here, and all of it "
                "would be:"
            )
        seconds = self.bytes / _TYPICAL
        if seconds >= 1:
            found.append(f"about {duration(seconds)} at {size(_TYPICAL)}/s")
        if self.out_of_s3:
            requests = self.reads / 1e3 * PRICES.read_thousand
            found.append(
                f"out of S3: {number(self.reads)} GET requests, {money(requests)}, and "
                f"{money(self.bytes / _GB * PRICES.out_gb)} for {size(self.bytes)} (within its "
                f"region $0; from Glacier Instant Retrieval "
                f"{money(self.bytes / _GB * PRICES.instant_retrieval_gb)} more)"
            )
        if self.into_s3:
            requests = self.writes / 1e3 * PRICES.write_thousand
            found.append(
                f"into S3: {number(self.writes)} PUT requests, {money(requests)}, and "
                f"{money(self.bytes / _GB * PRICES.storage_gb_month)} a month (S3 Standard)"
            )
        if found and (self.out_of_s3 or self.into_s3):
            found.append(f"({PRICES.say}; an S3 that is not AWS's has its own)")
        return found


@dataclass(frozen=True, slots=True)
class LookEstimate:
    """What pages read out of a bucket. ``images``: that have bytes; ``bytes``: of all of these;
    ``heads``: of the first part of each, in which cameras put a preview; ``page``: so many small
    pictures a page shows."""

    images: int
    bytes: int
    heads: int
    page: int

    def lines(self) -> list[str]:
        """What to tell before the first page."""
        if not self.images:
            return []
        found = []
        for what, count in (
            (f"a page of {plural(min(self.page, self.images), 'image')}", self.page),
            (f"all {plural(self.images, 'image')}", self.images),
        ):
            part = min(count, self.images) / self.images
            requests = ceil(self.images * part)
            least = out_of_s3(requests, round(self.heads * part))
            whole = round(self.bytes * part)
            found.append(f"{what}: {least}; where they hold no preview, up to {_out(whole)}")
        found.append(
            f"one of them large: as many bytes as it has, {size(self.bytes // self.images)} on "
            "average"
        )
        return [*found, f"({PRICES.say}; an S3 that is not AWS's has its own)"]


def out_of_s3(requests: int, size_of_all: int) -> str:
    """What reading takes: ``200 GET requests and 26.2 MB, less than $0.01``."""
    charged = requests / 1e3 * PRICES.read_thousand + size_of_all / _GB * PRICES.out_gb
    return f"{plural(requests, 'GET request')} and {size(size_of_all)}, {money(charged)}"


def _out(size_of_all: int) -> str:
    return f"{size(size_of_all)}, {money(size_of_all / _GB * PRICES.out_gb)}"


_TYPICAL = 10_000_000
"""Bytes a second, for a first idea; the display then says how fast it really is."""


def duration(seconds: float) -> str:
    """``3 h``, ``20 min``, ``4 s``."""
    for unit, long in (("days", 172_800), ("h", 7_200), ("min", 120)):
        if seconds >= long:
            return f"{seconds / {'days': 86_400, 'h': 3_600, 'min': 60}[unit]:.0f} {unit}"
    return f"{seconds:.0f} s"


def money(dollars: float) -> str:
    """``$73.08``; nothing is ever called free that is not."""
    if dollars == 0:
        return "$0.00"
    return "less than $0.01" if dollars < 0.005 else f"${dollars:,.2f}"
