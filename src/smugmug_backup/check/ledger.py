"""What a check saw wrong, together with what checks before it did and nobody has found past since.

=======================  ===============  ====================================================
known from before        seen now         in the report
=======================  ===============  ====================================================
no                       wrong            a finding, since now
yes                      wrong            the finding as it is now, with its old ``since``
yes                      sound            past: left out; but while the newest manifest says that
                                          it is lost, carried on: only a run changes that line
yes                      not looked at    carried on as it was
yes or no                accepted         past: left out, however it looks
=======================  ===============  ====================================================

Wrong wins over sound: of several files and lines under one name, one is enough.
"""

from smugmug_backup.archive import keys
from smugmug_backup.archive.check_report import (
    NAMED,
    CheckReport,
    Finding,
    Scope,
    Wrong,
    is_accepted,
)
from smugmug_backup.clock import Clock
from smugmug_backup.errors import Archived, BackupError, FormatTooNew, NotABackup, NotStored

Identity = tuple[str, str | None]
"""A finding's key and album: an image that is in several albums is one finding in each."""

_NOBODYS = 1_000
"""So many files that no line names are told by name."""
_LEFT = 100
"""So many things that are not checked are told one by one."""


class Ledger:
    """Findings as they come together; one thread writes into it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Identity, Finding] = {}
        self._seen: dict[Identity, Finding] = {}
        self._past: set[Identity] = set()
        self._awaited: set[Identity] = set()
        self._harmless = 0
        self._unnamed = 0
        self._unnamed_before = 0
        self._accepted: dict[str, None] = {}
        self._left: list[str] = []
        self._more_left = 0
        self.finished = True

    # -- what was known --------------------------------------------------------------------------

    def carry_on(self, report: CheckReport) -> None:
        """Take up what an earlier check reported; of a finding that two have, the older date."""
        for finding in report.findings:
            identity = (finding.key, finding.album_key)
            before = self._known.get(identity)
            if before is None or finding.since < before.since:
                self._known[identity] = finding
        self._unnamed_before = max(self._unnamed_before, report.more_findings)
        self._accepted.update(dict.fromkeys(report.accepted))

    def accept(self, key: str) -> None:
        """The owner accepts that it is lost."""
        self._accepted[key] = None

    @property
    def accepted(self) -> tuple[str, ...]:
        """All that the owner ever accepted as lost."""
        return tuple(self._accepted)

    def is_known(self, key: str) -> bool:
        """Whether an earlier check found something wrong with it that is still open."""
        return any(finding.open for (known, _), finding in self._known.items() if known == key)

    def to_follow(self) -> list[Finding]:
        """What is known from before and was neither seen wrong nor found past by now."""
        return [
            finding
            for identity, finding in self._known.items()
            if identity not in self._seen
            if identity not in self._past or identity in self._awaited
            if not self._is_accepted(finding.key)
        ]

    # -- what is seen ----------------------------------------------------------------------------

    def wrong(
        self,
        key: str,
        problem: Wrong,
        message: str,
        *,
        album_key: str | None = None,
        image_key: str | None = None,
        scope: Scope = Scope.STATE,
    ) -> None:
        """Note what is wrong with a file. What the newest state lacks counts before history."""
        if self._is_accepted(key):
            return
        identity = (key, album_key)
        before = self._seen.get(identity)
        if before is not None and not (scope is Scope.STATE and before.scope is Scope.HISTORY):
            return
        known = self._known.get(identity)
        since = known.since if known else self._clock.now().replace(microsecond=0)
        finding = Finding(key, album_key, image_key, problem, scope, since, message)
        if not finding.open:
            self._harmless += 1
            if self._harmless > _NOBODYS:
                return
        elif before is None and len(self._seen) >= 2 * NAMED:
            self._unnamed += 1
            return
        self._seen[identity] = finding

    def failed(
        self,
        key: str,
        error: BackupError,
        *,
        album_key: str | None = None,
        image_key: str | None = None,
        scope: Scope = Scope.STATE,
    ) -> None:
        """Note that a file could not be read or is not what it must be.

        ===============  ================================================================
        the answer       what it is
        ===============  ================================================================
        not there        missing
        not what it is   damaged
        archived         not checked: it must be thawed first; so not to the end, unless it is an
                         original or a record, as which it may well lie in such a class
        a newer format   not checked, and so not to the end: this program does not know it
        any other        unreadable
        ===============  ================================================================
        """
        match error:
            case Archived():
                usual = key.startswith((keys.ORIGINALS, keys.RECORDS))
                (self.left if usual else self.unfinished)(f"{key}: {error}")
                return
            case FormatTooNew():
                self.unfinished(str(error))
                return
            case NotStored():
                problem = Wrong.MISSING
            case NotABackup():
                problem = Wrong.DAMAGED
            case _:
                problem = Wrong.UNREADABLE
        said = str(error)
        self.wrong(key, problem, said, album_key=album_key, image_key=image_key, scope=scope)

    def sound(self, key: str, album_key: str | None = None) -> None:
        """It was read whole and is what it must be."""
        if (key, album_key) in self._known:
            self._past.add((key, album_key))

    def awaited(self, key: str, album_key: str) -> None:
        """The album's newest manifest says that these bytes are lost. Where they are there again
        (`repair` brought them), the next run has to hear of it, so their finding stays."""
        self._awaited.add((key, album_key))

    def left(self, text: str) -> None:
        """Say what this check does not look at."""
        if text in self._left:
            return
        if len(self._left) < _LEFT:
            self._left.append(text)
        else:
            self._more_left += 1

    def unfinished(self, text: str) -> None:
        """Say what could not be looked at, so that nothing may be called sound."""
        self.finished = False
        self.left(text)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """All that was left out, in words."""
        more = (f"{self._more_left} more like these",) if self._more_left else ()
        return (*self._left, *more)

    def _is_accepted(self, key: str) -> bool:
        return is_accepted(key, self._accepted)

    # -- the end ---------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """All that stays: what makes the store unsound first, and of it what the state lacks."""
        found = [*self._seen.values(), *self.to_follow()]
        found.sort(key=lambda each: (not each.open, each.scope != Scope.STATE, each.key))
        return found

    def close(self, *, everything: bool) -> tuple[tuple[Finding, ...], int]:
        """(the findings that a report names, how many more there are).

        ``everything``: all was looked at, so what earlier reports only counted is among these.
        """
        found = self.findings()
        nobodys = max(0, self._harmless - _NOBODYS)
        if nobodys:
            self.left(f"{nobodys} more files that no line names are not told by name")
        beyond = sum(each.open for each in found[NAMED:]) + self._unnamed
        before = 0 if everything else self._unnamed_before
        return tuple(found[:NAMED]), max(beyond, before)
