"""What a backup costs on AWS: prices, and requests by the formulas that a test counts.

`docs/costs.md` has its table from here: `python -m tests.tools.costs` prints it. What prices are is
noted once, in `smugmug_backup.cli.estimate`, as far as the owner's tool tells them, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from smugmug_backup.cli.estimate import PRICES

NIGHTS = 30
IMAGE_GB = 0.005
IMAGES_IN_ALBUM = 50
SIZES = (10_000, 100_000, 1_000_000)

# Lambda: a GB-second of arm64 in us-east-1, and the memory that the template gives.
LAMBDA_GB_SECOND = 0.0000133334
LAMBDA_GB = 1.769 / 1.024
# Measured with `make bench`, or taken from AWS's figures: seconds.
CALL, AT_A_TIME = 0.1, 8
READ_GB = 1 / 0.075
PAGE = 0.1
MANIFEST = 0.03
STARTED = 3.0
REPORT_GB = 600e-9
"""A report has an entry of so much for each album."""
# Step Functions: a thousand transitions, and what one batch of albums takes.
TRANSITIONS_THOUSAND = 0.025
TRANSITIONS_A_BATCH = 4
BATCH_ALBUMS = 50
CHECK_GB = 5.0


@dataclass(frozen=True)
class Requests:
    """``writes``: put and list, $0.005 a thousand. ``reads``: get and head."""

    writes: float
    reads: float

    def __add__(self, other: "Requests") -> "Requests":
        return Requests(self.writes + other.writes, self.reads + other.reads)

    def __mul__(self, times: float) -> "Requests":
        return Requests(self.writes * times, self.reads * times)

    @property
    def cost(self) -> float:
        return self.writes / 1e3 * PRICES.write_thousand + self.reads / 1e3 * PRICES.read_thousand


def first(*, images: int, albums: int) -> Requests:
    """A first backup: each original, a records file and a manifest an album, README, report, page.

    Lists: reports (this month and the last, everywhere, and once more at the end), manifests,
    checks, originals.
    """
    return Requests(images + 2 * albums + 3 + 6, 0)


def quiet_night(*, manifests: int) -> Requests:
    """A night without changes: lists of the manifests, the checks and twice the reports, a get of
    the newest report, a put of its own."""
    return Requests(ceil(manifests / 1_000) + 1 + 2 + 1, 1)


def choosing_the_api() -> Requests:
    """What ``SmugMugApi=auto`` asks first: a list of the reports, and the newest one."""
    return Requests(1, 1)


def full_listings(*, albums: float) -> Requests:
    """Albums listed in full: their manifests."""
    return Requests(0, albums)


def news(*, new: bool) -> Requests:
    """What a night with news asks more: a put of the page, and where images are new a list of what
    the owner had forgotten."""
    return Requests(1 + new, 0)


def commits(*, albums: float, images: float, edited: float) -> Requests:
    """Albums with news: manifest read, records and manifest put; each new image a head and a put,
    each edited one its old record."""
    return Requests(2 * albums + images, albums + images + edited)


def check(
    *, originals: int, records: int, manifests: int, albums: int, reports: int, read: float
) -> Requests:
    """A nightly check that reads the share ``read`` of the originals and records again.

    It lists everything, and once more the place of each records file that it reads; it reads each
    newest manifest twice, all run reports (the newest twice), the two newest checks, the README;
    it puts its report.
    """
    pages = sum(ceil(each / 1_000) for each in (originals, records, manifests))
    lists = pages + 5 + read * records
    return Requests(lists + 1, 2 * albums + reports + 1 + 2 + 1 + read * (originals + records))


@dataclass(frozen=True)
class Account:
    """An account of ``images``, in the middle of its first year."""

    images: int

    @property
    def albums(self) -> int:
        return self.images // IMAGES_IN_ALBUM

    @property
    def new(self) -> float:
        """Images that are new or edited in a month."""
        return self.images / 100

    @property
    def touched(self) -> float:
        """Commits in a month."""
        return 0.6 * self.new

    @property
    def gb(self) -> float:
        return self.images * IMAGE_GB

    @property
    def manifests(self) -> int:
        return round(self.albums + 6 * self.touched)

    @property
    def reports(self) -> int:
        return 6 * NIGHTS

    def nights(self) -> Requests:
        whole = quiet_night(manifests=self.manifests) + choosing_the_api()
        whole += full_listings(albums=self.albums / 30) + news(new=True)
        half = self.new / 2
        return whole * NIGHTS + commits(albums=self.touched, images=half, edited=half)

    def lambda_of_nights(self) -> float:
        seconds = NIGHTS * (STARTED + self.albums * CALL / AT_A_TIME)
        seconds += self.new * IMAGE_GB * READ_GB
        return seconds * LAMBDA_GB * LAMBDA_GB_SECOND

    def checks(self) -> float:
        read = min(CHECK_GB, self.gb)
        asked = check(
            originals=self.images,
            records=self.manifests,
            manifests=self.manifests,
            albums=self.albums,
            reports=self.reports,
            read=read / self.gb,
        )
        seconds = STARTED + self.images / 1_000 * PAGE + 2 * self.albums * MANIFEST / AT_A_TIME
        seconds += (read + self.reports * self.albums * REPORT_GB) * READ_GB
        return NIGHTS * (asked.cost + seconds * LAMBDA_GB * LAMBDA_GB_SECOND)

    def checks_of_glacier(self) -> float:
        """What reading costs more where the originals lie in Glacier Instant Retrieval."""
        return NIGHTS * min(CHECK_GB, self.gb) * PRICES.instant_retrieval_gb

    def first(self) -> float:
        batches = ceil(self.albums / BATCH_ALBUMS)
        machine = batches * TRANSITIONS_A_BATCH / 1e3 * TRANSITIONS_THOUSAND
        seconds = self.gb * READ_GB
        return (
            first(images=self.images, albums=self.albums).cost
            + machine
            + seconds * LAMBDA_GB * LAMBDA_GB_SECOND
        )

    def rows(self) -> dict[str, float]:
        """The figures of a month, and the first backup, by their row."""
        standard = self.gb * PRICES.storage_gb_month
        instant = self.gb * PRICES.instant_storage_gb_month
        nights = self.nights().cost + self.lambda_of_nights()
        return {
            "originals in S3 Standard": standard,
            "or in Glacier Instant Retrieval": instant,
            "30 nights: requests and Lambda": nights,
            "30 checks of 5 GB: requests and Lambda": self.checks(),
            "the same where they lie in Glacier, more": self.checks_of_glacier(),
            "a month, Standard": standard + nights + self.checks(),
            "a month, Glacier": instant + nights + self.checks() + self.checks_of_glacier(),
            "a month, Glacier, without the nightly check": instant + nights,
            "once, the first backup": self.first(),
        }


def told(dollars: float) -> str:
    """As the table writes it."""
    return "under $0.01" if dollars < 0.005 else f"${dollars:,.2f}"


def table() -> Iterator[str]:
    """The table of `docs/costs.md`."""
    yield "| | " + " | ".join(f"{size:,} images" for size in SIZES) + " |"
    yield "|---" * (len(SIZES) + 1) + "|"
    columns = [Account(size).rows() for size in SIZES]
    for name in columns[0]:
        bold = "**" if name.startswith("a month") else ""
        cells = (f"{bold}{told(column[name])}{bold}" for column in columns)
        yield f"| {bold}{name}{bold} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print("\n".join(table()))
