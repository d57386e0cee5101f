"""Check reports that say what a test wants."""

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong


def check(nights, *found, accepted=()):
    """A check that found these (key, album key) damaged."""
    nights.clock.advance(hours=1)
    now = nights.clock.now().replace(microsecond=0)
    archive = Archive(nights.store)
    findings = tuple(
        Finding(key, album, None, Wrong.DAMAGED, Scope.STATE, now, "damaged")
        for key, album in found
    )
    return archive.write_check(
        CheckReport(
            run_id=keys.run_id(now, f"{len(nights.reports):08x}"),
            previous=tuple(each.link for each in archive.check_heads(now=now)),
            started_at=now,
            ended_at=now,
            trigger=None,
            sound=not found,
            history=False,
            of_run=nights.reports[-1].run_id,
            objects=1,
            read_objects=1,
            read_bytes=1,
            findings=findings,
            accepted=accepted,
        )
    )
