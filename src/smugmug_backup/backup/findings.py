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
    """

    by_album: dict[str | None, tuple[Finding, ...]] = field(default_factory=dict)
    more: int = 0
    of: Checked | None = None

    @classmethod
    def of_check(cls, check: CheckReport | None, known: Checked | None) -> "Findings":
        """The findings to look at; ``known``: what the newest report says of the newest check.

        Once a run said that nothing of this check is open any more, nothing is looked at again.
        """
        if check is None:
            return cls(of=known)
        if known is not None and known.run_id == check.run_id and known.open == 0:
            return cls(of=known)
        found: dict[str | None, list[Finding]] = {}
        accepted = {keys.plain(key)[0] for key in check.accepted}
        for finding in check.findings:
            if finding.open and keys.plain(finding.key)[0] not in accepted:
                found.setdefault(finding.album_key, []).append(finding)
        by_album = {key: tuple(listed) for key, listed in found.items()}
        return cls(by_album, check.more_findings, check.summary())

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

    def looked_at(self, album_key: str, still_open: Iterable[str]) -> None:
        """A run looked at an album's findings; those of the keys ``still_open`` stay."""
        left = frozenset(still_open)
        before = self.by_album.get(album_key, ())
        self.by_album[album_key] = tuple(each for each in before if each.key in left)

    @property
    def open(self) -> int:
        """How many are open."""
        return sum(len(each) for each in self.by_album.values()) + self.more

    @property
    def checked(self) -> Checked | None:
        """What the run report says of the check."""
        return self.of and replace(self.of, open=self.open if self.by_album else self.of.open)


def still_open(
    findings: Iterable[Finding], manifest: Manifest | None, past: Collection[str]
) -> tuple[str, ...]:
    """The keys of those findings that an album's newest generation has not got past.

    ``past``: the keys of objects that this run read and found sound: they are open no more.

    ======================  ===========================================================
    the finding is of       it is open while
    ======================  ===========================================================
    an original             a line names it, or waits for its bytes as ``damaged``, or no
                            line names its bytes under another number
    a records file          a line names it, or a line's record is lost
    a manifest              no newer generation of the album is sound, or it is older
                            than the one before the newest (a hole in the history)
    what only older         always: a check finds it past, once `repair` brought it, or
    generations name        its owner accepts the loss
    ======================  ===========================================================
    """
    return tuple(each.key for each in findings if each.key not in past and _open(each, manifest))


def passed_over(findings: Iterable[Finding], still: Collection[str]) -> tuple[str, ...]:
    """The keys of newest manifests that a check found damaged and a later generation replaces.

    A run that was killed may have done that, and have told nobody.
    """
    return tuple(
        each.key
        for each in findings
        if keys.parse_manifest(each.key) and each.scope == Scope.STATE and each.key not in still
    )


def _open(finding: Finding, manifest: Manifest | None) -> bool:
    if manifest is None:
        return True
    key = finding.key
    parsed = keys.parse_manifest(key)
    if parsed is not None:
        previous = manifest.header.previous
        skipped = previous is None or previous.generation < parsed[1]
        return not (skipped and manifest.header.generation > parsed[1])
    if finding.scope == Scope.HISTORY:
        return True
    if key.startswith(keys.ORIGINALS):
        return _original_open(key, manifest)
    if key.startswith(keys.RECORDS):
        return any(each.record == key or each.record_lost for each in manifest.entries.values())
    return True


def _original_open(key: str, manifest: Manifest) -> bool:
    plain, elsewhere = keys.plain(key)[0], False
    for entry in manifest.entries.values():
        line = entry.original
        waiting = line.previous if line.reason == Reason.DAMAGED else None
        if key in (line.key, waiting and waiting.key):
            return True
        elsewhere |= line.key is not None and keys.plain(line.key)[0] == plain
    return not elsewhere
