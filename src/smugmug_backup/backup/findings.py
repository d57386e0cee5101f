"""What checks found damaged and no run has mended yet."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from smugmug_backup.archive import keys
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.archive.original import Reason
from smugmug_backup.archive.report import Checked


@dataclass(slots=True)
class Findings:
    """The open findings of the newest check, by album (None: of no album); as a run goes on, those
    that it mended go.

    ``of``: the newest check that is known. ``at_most``: so many are open, by what was told since
    that check; of those that were not looked at again nobody knows which. ``unseen``: so many are
    open of a newer check whose report cannot be read tonight. ``alone``: no other check ran at the
    same time.
    """

    by_album: dict[str | None, tuple[Finding, ...]] = field(default_factory=dict)
    more: int = 0
    of: Checked | None = None
    at_most: int | None = None
    unseen: int | None = None
    alone: bool = True

    @classmethod
    def of_check(
        cls, check: CheckReport | None, known: Checked | None, *, alone: bool = True
    ) -> "Findings":
        """The findings to look at. ``known``: what the newest run report says of the newest check.
        ``alone``: there is no check beside it, of which ``known`` may not have heard.

        ==========================  =================================  ===========================
        the newest check's report   the newest run says of it          what is looked at
        ==========================  =================================  ===========================
        is there, alone             nothing is open any more           nothing
        is there                    something is open                  all that it found; no more
                                                                       is open than that run said
        is there                    nothing yet                        all that it found
        with another beside it      whatever it says                   all that both found
        cannot be read tonight      something is open                  what the one before it found;
                                                                       the number stays
        ==========================  =================================  ===========================
        """
        newer = known is not None and (check is None or known.run_id > check.run_id)
        same = known is not None and check is not None and known.run_id == check.run_id
        if check is None or (known is not None and alone and known.open == 0 and (newer or same)):
            return cls(of=known, unseen=known.open if known else None)
        found: dict[str | None, list[Finding]] = {}
        for finding in check.findings:
            if finding.open and not check.accepts(finding.key):
                found.setdefault(finding.album_key, []).append(finding)
        by_album = {key: tuple(listed) for key, listed in found.items()}
        if known is not None and newer:
            return cls(by_album, check.more_findings, known, unseen=known.open)
        most = known.open if known is not None and same and alone else None
        return cls(by_album, check.more_findings, check.summary(), at_most=most, alone=alone)

    @property
    def albums(self) -> dict[str, tuple[Finding, ...]]:
        """Those that are of an album."""
        return {key: listed for key, listed in self.by_album.items() if key is not None}

    @property
    def readme(self) -> bool:
        """README.txt is among them."""
        return any(keys.plain(each.key)[0] == keys.README for each in self.by_album.get(None, ()))

    def readme_written(self) -> None:
        """README.txt lies there again."""
        rest = tuple(
            each for each in self.by_album.get(None, ()) if keys.plain(each.key)[0] != keys.README
        )
        self.by_album[None] = rest

    def looked_at(self, album_key: str, mended: Collection[str]) -> None:
        """A run looked at an album's findings; those of the keys ``mended`` are past."""
        before = self.by_album.get(album_key, ())
        self.by_album[album_key] = tuple(each for each in before if each.key not in mended)

    def left(self, *, outside: Collection[str] = ()) -> int:
        """How many there are that this run has not mended, outside of some albums."""
        found = (len(each) for key, each in self.by_album.items() if key not in outside)
        return sum(found) + self.more

    def elsewhere(self, number: int | None, albums: Collection[str]) -> None:
        """The run that handed over these ``albums`` left ``number`` findings outside of them, or
        nobody knows how many."""
        if self.alone and number is not None:
            inside = self.left() - self.left(outside=albums)
            most = number + inside
            self.at_most = most if self.at_most is None else min(self.at_most, most)

    @property
    def open(self) -> int:
        """How many are open, as far as is known."""
        if self.unseen is not None:
            return self.unseen
        return self.left() if self.at_most is None else min(self.left(), self.at_most)

    @property
    def checked(self) -> Checked | None:
        """What the run report says of the check."""
        return self.of and replace(self.of, open=self.open)


def mended(
    findings: Iterable[Finding], manifest: Manifest | None, past: Collection[str]
) -> tuple[str, ...]:
    """The keys of those findings that an album's newest generation has got past.

    ``past``: the keys of objects that this run read and found sound: they are open no more.

    ======================  ===========================================================
    the finding is of       it is open while
    ======================  ===========================================================
    an original             a line names it, or waits for its bytes as ``damaged``, or no
                            line names its bytes under another number; never of an image
                            whose line says ``forgotten``
    a records file          a line names it, or a line's record is lost
    a newest manifest       no newer generation of the album is sound
    what only older         always: a check finds it past, once `repair` brought it, or
    generations name, and   its owner accepts the loss
    older manifests         (a hole in the history)
    ======================  ===========================================================
    """
    return tuple(each.key for each in findings if each.key in past or not _open(each, manifest))


def passed_over(findings: Iterable[Finding], past: Collection[str]) -> tuple[str, ...]:
    """The keys of newest manifests that a check found damaged and a later generation replaces.

    A run that was killed may have done that, and have told nobody.
    """
    return tuple(
        each.key
        for each in findings
        if keys.parse_manifest(each.key) and each.scope == Scope.STATE and each.key in past
    )


def _open(finding: Finding, manifest: Manifest | None) -> bool:
    if manifest is None:
        return True
    key = finding.key
    if finding.scope == Scope.HISTORY:
        return True
    parsed = keys.parse_manifest(key)
    if parsed is not None:
        previous = manifest.header.previous
        skipped = previous is None or previous.generation < parsed[1]
        return not (skipped and manifest.header.generation > parsed[1])
    if key.startswith(keys.ORIGINALS):
        return _original_open(key, manifest)
    if key.startswith(keys.RECORDS):
        return any(each.record == key or each.record_lost for each in manifest.entries.values())
    return True


def _original_open(key: str, manifest: Manifest) -> bool:
    plain, elsewhere = keys.plain(key)[0], False
    image = keys.parse_original(plain)
    owner = manifest.entries.get(image[0]) if image else None
    if owner is not None and owner.original.reason == Reason.FORGOTTEN:
        return False
    for entry in manifest.entries.values():
        line = entry.original
        waiting = line.previous if line.reason == Reason.DAMAGED else None
        if key in (line.key, waiting and waiting.key):
            return True
        elsewhere |= line.key is not None and keys.plain(line.key)[0] == plain
    return not elsewhere
