"""The check report: what a check looked at, what it saw wrong, and what is still open."""

import json
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import Unreadable, damaged, json_line, known_format, sha256
from smugmug_backup.archive.report import Checked, Link, links_of, named_run
from smugmug_backup.clock import parse_stamp, stamp

FORMAT = "smugmug-backup/check-report"
VERSION = 1

NAMED = 10_000
"""So many findings a report names; it counts the rest."""


class Wrong(StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    BROKEN_CHAIN = "broken_chain"
    MISNAMED = "misnamed"
    FOREIGN = "foreign"


class Scope(StrEnum):
    """Whether a newest generation names the file, or only an older one."""

    STATE = "state"
    HISTORY = "history"


HARMLESS = frozenset((Wrong.MISNAMED, Wrong.FOREIGN))
"""Files that no line names: they are told, and do not make a store unsound."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check saw wrong; it stays open until it is found past.

    ``album_key`` and ``image_key``: whose file it is, as far as known. ``since``: when it was first
    seen.
    """

    key: str
    album_key: str | None
    image_key: str | None
    problem: Wrong
    scope: Scope
    since: datetime
    message: str

    @property
    def open(self) -> bool:
        """It makes the store unsound."""
        return self.problem not in HARMLESS

    def as_json(self) -> dict[str, Any]:
        """The entry as it stands in a report."""
        return {**asdict(self), "since": stamp(self.since)}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One check, as it ended. Fields: ``FORMAT.md``."""

    run_id: str
    previous: Sequence[Link]
    started_at: datetime
    ended_at: datetime
    trigger: str | None
    sound: bool
    history: bool
    of_run: str | None
    objects: int
    read_objects: int
    read_bytes: int
    not_checked: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    more_findings: int = 0
    accepted: Sequence[str] = ()
    heads: Sequence[Link] = ()
    sha256: str | None = None

    @property
    def key(self) -> str:
        """Where it lies."""
        return keys.check_report(self.run_id)

    @property
    def link(self) -> Link:
        """How its successor names it."""
        if self.sha256 is None:
            raise ValueError("a report that was not written has no successor")
        return Link(self.run_id, self.sha256)

    @property
    def open_findings(self) -> int:
        """How many findings make the store unsound, those beyond the named ones too."""
        return sum(each.open for each in self.findings) + self.more_findings

    def accepts(self, key: str) -> bool:
        """Whether the owner accepted that what lies under ``key`` is lost."""
        return is_accepted(key, self.accepted)

    def summary(self) -> Checked:
        """What run reports say of it."""
        link = self.link
        return Checked(link.run_id, link.sha256, self.ended_at, self.sound, self.open_findings)

    def to_bytes(self) -> bytes:
        """The file."""
        return json_line(
            {
                "format": FORMAT,
                "version": VERSION,
                "run_id": self.run_id,
                "previous": [asdict(each) for each in self.previous],
                "started_at": stamp(self.started_at),
                "ended_at": stamp(self.ended_at),
                "trigger": self.trigger,
                "sound": self.sound,
                "history": self.history,
                "of_run": self.of_run,
                "objects": self.objects,
                "read_objects": self.read_objects,
                "read_bytes": self.read_bytes,
                "not_checked": list(self.not_checked),
                "findings": [each.as_json() for each in self.findings],
                "more_findings": self.more_findings,
                "accepted": list(self.accepted),
                "heads": [asdict(each) for each in self.heads],
            }
        )

    @classmethod
    def from_bytes(cls, body: bytes, *, key: str) -> Self:
        """Parse a report read from ``key``. Raises FormatTooNew and NotABackup."""
        try:
            data = json.loads(body)
            known_format(data, FORMAT, VERSION, key=key)
            return cls(
                run_id=named_run(data["run_id"], key, keys.check_report),
                previous=links_of(data["previous"]),
                started_at=parse_stamp(data["started_at"]),
                ended_at=parse_stamp(data["ended_at"]),
                trigger=data["trigger"],
                sound=data["sound"],
                history=data["history"],
                of_run=data["of_run"],
                objects=data["objects"],
                read_objects=data["read_objects"],
                read_bytes=data["read_bytes"],
                not_checked=tuple(data["not_checked"]),
                findings=tuple(_finding(each) for each in data["findings"]),
                more_findings=data["more_findings"],
                accepted=tuple(data["accepted"]),
                heads=links_of(data["heads"]),
                sha256=sha256(body),
            )
        except Unreadable as error:
            raise damaged(key, error) from None


def is_accepted(key: str, accepted: Container[str]) -> bool:
    """A plain name that was accepted as lost stands for its numbered names, too; not the other way
    round."""
    return key in accepted or keys.plain(key)[0] in accepted


def joined(heads: Sequence[CheckReport]) -> CheckReport:
    """Checks that ran at the same time, the newest first, as one: what any of them found open."""
    newest = heads[0]
    found = {(each.key, each.album_key): each for head in heads[::-1] for each in head.findings}
    accepted = dict.fromkeys(key for head in heads for key in head.accepted)
    return replace(
        newest,
        findings=tuple(found.values()),
        more_findings=max(head.more_findings for head in heads),
        accepted=tuple(accepted),
    )


def _finding(data: dict[str, Any]) -> Finding:
    return Finding(
        data["key"],
        data["album_key"],
        data["image_key"],
        Wrong(data["problem"]),
        Scope(data["scope"]),
        parse_stamp(data["since"]),
        data["message"],
    )
