"""The drill report: a sample of images, read back whole and compared with what SmugMug serves."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import Unreadable, damaged, json_line, known_format
from smugmug_backup.archive.report import named_run
from smugmug_backup.clock import parse_stamp, stamp

FORMAT = "smugmug-backup/drill-report"
VERSION = 1


class Outcome(StrEnum):
    """What became of one image of the sample."""

    SAME = "same"
    REPLACED_SINCE = "replaced_since"
    GONE_SINCE = "gone_since"
    UNAVAILABLE_AT_SOURCE = "unavailable_at_source"
    DIFFERS = "differs"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    BROKEN_CHAIN = "broken_chain"


ALARMS = frozenset((Outcome.DIFFERS, Outcome.DAMAGED, Outcome.UNREADABLE, Outcome.BROKEN_CHAIN))
"""All others are SmugMug's affair: what left it, was replaced there or is not delivered today."""

_WORDS = (
    (Outcome.REPLACED_SINCE, "replaced at SmugMug since"),
    (Outcome.GONE_SINCE, "gone from SmugMug since"),
    (Outcome.UNAVAILABLE_AT_SOURCE, "not delivered by SmugMug today"),
    (Outcome.DIFFERS, "NOT as SmugMug has it"),
    (Outcome.DAMAGED, "DAMAGED in the backup"),
    (Outcome.UNREADABLE, "NOT TO BE READ from the backup"),
    (Outcome.BROKEN_CHAIN, "NOT PROVED by the seal"),
)


@dataclass(frozen=True, slots=True)
class Drilled:
    """One image of the sample. ``key``: the original that was read."""

    album_key: str
    image_key: str | None
    key: str | None
    outcome: Outcome
    message: str | None = None


@dataclass(frozen=True, slots=True)
class DrillReport:
    """One drill, as it ended. Fields: ``FORMAT.md``."""

    run_id: str
    started_at: datetime
    ended_at: datetime
    of_run: str | None
    seal: str | None
    read_bytes: int
    years: tuple[int, int] | None
    images: Sequence[Drilled]

    @property
    def key(self) -> str:
        """Where it lies."""
        return keys.drill_report(self.run_id)

    @property
    def same(self) -> int:
        """How many were the same here and at SmugMug."""
        return sum(each.outcome == Outcome.SAME for each in self.images)

    @property
    def wrong(self) -> tuple[Drilled, ...]:
        """Those that are an alarm."""
        return tuple(each for each in self.images if each.outcome in ALARMS)

    def to_bytes(self) -> bytes:
        """The file."""
        return json_line(
            {
                "format": FORMAT,
                "version": VERSION,
                "run_id": self.run_id,
                "started_at": stamp(self.started_at),
                "ended_at": stamp(self.ended_at),
                "of_run": self.of_run,
                "seal": self.seal,
                "sampled": len(self.images),
                "same": self.same,
                "read_bytes": self.read_bytes,
                "years": self.years and list(self.years),
                "images": [asdict(each) for each in self.images],
            }
        )

    @classmethod
    def from_bytes(cls, body: bytes, *, key: str) -> Self:
        """Parse a report read from ``key``. Raises FormatTooNew and NotABackup."""
        try:
            data = json.loads(body)
            known_format(data, FORMAT, VERSION, key=key)
            years = data["years"]
            return cls(
                run_id=named_run(data["run_id"], key, keys.drill_report),
                started_at=parse_stamp(data["started_at"]),
                ended_at=parse_stamp(data["ended_at"]),
                of_run=data["of_run"],
                seal=data["seal"],
                read_bytes=data["read_bytes"],
                years=None if years is None else (int(years[0]), int(years[1])),
                images=tuple(_drilled(each) for each in data["images"]),
            )
        except (IndexError, *Unreadable) as error:
            raise damaged(key, error) from None


def _drilled(data: dict[str, Any]) -> Drilled:
    return Drilled(
        data["album_key"], data["image_key"], data["key"], Outcome(data["outcome"]), data["message"]
    )


def sentence(report: DrillReport) -> str:
    """What the drill found, in one sentence for the owner.

    ===============================  =======================================================
    the sample                       the sentence ends
    ===============================  =======================================================
    all the same                     all the same.
    some not, SmugMug's affair       17 the same, 2 gone from SmugMug since, …
    some wrong                       … 1 DAMAGED in the backup.
    none compared                    were restored, and SmugMug delivered none to compare …
    empty                            There was no photo to drill.
    ===============================  =======================================================
    """
    number = len(report.images)
    if not number:
        return "There was no photo to restore for a drill."
    counted = Counter(each.outcome for each in report.images)
    photos = f"{number:,} photo{'' if number == 1 else 's'}{_years(report.years)}"
    were = "was" if number == 1 else "were"
    if counted[Outcome.UNAVAILABLE_AT_SOURCE] == number:
        which = "did not deliver it" if number == 1 else "delivered none of them"
        return f"{photos} {were} restored whole; SmugMug {which} to compare with."
    begun = f"{photos} {were} restored and compared with SmugMug"
    if report.same == number:
        return f"{begun}: {'the same' if number == 1 else 'all the same'}."
    parts = [f"{report.same:,} the same"]
    parts += [f"{counted[outcome]:,} {words}" for outcome, words in _WORDS if counted[outcome]]
    return f"{begun}: {', '.join(parts)}."


def _years(years: tuple[int, int] | None) -> str:
    if years is None:
        return ""
    first, last = years
    return f" of {first}" if first == last else f" of {first} to {last}"
