"""The weekly mail: a backup that is silent when all is well would look like one that has died."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.changes import What
from smugmug_backup.archive.drill_report import sentence
from smugmug_backup.archive.manifest import Pending, Unavailable
from smugmug_backup.archive.records import api_name
from smugmug_backup.archive.report import RunReport, RunStatus
from smugmug_backup.archive.standing import Standing, standing_of
from smugmug_backup.archive.titles import album_name, shown
from smugmug_backup.archive.verdict import Verdict, verdict_of
from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error
from smugmug_backup.errors import BadRequest, StoreError
from smugmug_backup.ports import BackupStore
from smugmug_backup.words import Location

_LARGEST = 5
"""So many albums of each kind of change are named."""
_NAMED = 20
"""So many of each kind stand in the mail; the report has all."""


_WEEK = timedelta(days=7)
"""A mail tells what changed since the one before it."""
_WIDTH = 96


def send_sign_of_life(
    store: BackupStore,
    topic_arn: str | None,
    *,
    now: datetime,
    client: Any = None,
    bucket: Location | None = None,
) -> dict[str, Any]:
    """Mail how the backup stands to the alarm topic; returns the subject and the complete-as-of.

    ``bucket``: where the owner finds the page that the mail names.

    Raises BadRequest if there is no topic, AwsError if it does not take the message.
    """
    if topic_arn is None:
        raise BadRequest(
            "ALERT_TOPIC_ARN is missing: there is no topic to mail to; deploy with AlarmEmail set"
        )
    archive = Archive(store)
    standing = standing_of(archive, now=now, runs=7, since=now - _WEEK)
    page = _newest_page(archive, standing)
    where = (page, bucket) if page and bucket else None
    title = subject(standing, now=now)
    try:
        sns = client or aws_client("sns")
        sns.publish(TopicArn=topic_arn, Subject=title, Message=mail(standing, now=now, page=where))
    except AWS_ERRORS as error:
        raise aws_error(
            error, doing="mailing the sign of life", permission="sns:Publish on the alarm topic"
        ) from None
    as_of = standing.complete_as_of
    return {"status": "sent", "subject": title, "complete_as_of": as_of and _day(as_of.when)}


def subject(standing: Standing, *, now: datetime) -> str:
    """At most 100 ASCII characters, as SNS takes them."""
    match verdict_of(standing, now):
        case Verdict.SILENT:
            said = f"NO RUN for {_silent_days(standing, now)} days"
        case Verdict.NO_RUN:
            said = "no run has ended yet"
        case Verdict.DAMAGED:
            said = f"DAMAGED, {_open(standing.open_findings)} of the check"
        case Verdict.COMPLETE:
            said = "complete"
        case Verdict.NOT_COMPLETE:
            as_of = standing.complete_as_of
            last = f"last complete {_day(as_of.when)}" if as_of else "never complete so far"
            said = f"{standing.whole.status if standing.whole else ''}, {last}"
    return f"SmugMug Backup: {said}"


def _silent_days(standing: Standing, now: datetime) -> int:
    return (standing.silence(now) or timedelta()).days


def _newest_page(archive: Archive, standing: Standing) -> str | None:
    """The newest report of the week that lies there as a page for people."""
    for report in standing.shown:
        with suppress(StoreError):
            key = archive.page_of(report)
            if key is not None:
                return key
    return None


def mail(standing: Standing, *, now: datetime, page: tuple[str, Location] | None = None) -> str:
    """The text, plain, to be read by somebody who knows nothing of AWS.

    ``page``: the key of the newest page for people, and where it lies.
    """
    return "\n".join(_lines(standing, now, page)) + "\n"


def _lines(standing: Standing, now: datetime, page: tuple[str, Location] | None) -> Iterator[str]:
    newest, state = standing.newest, standing.state
    if newest is None:
        yield "No run has ended yet, so nothing can be said. The first one may take days; if this"
        yield "mail says the same next week, look at the function's log."
        return
    as_of = standing.complete_as_of
    if as_of is None:
        yield "The backup has never been complete so far."
    else:
        days = (now - as_of.when).days
        ago = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
        yield f"The backup is complete as of {_minute(as_of.when)} ({ago})."
    yield f"The last run ended {_minute(newest.ended_at)}: {newest.status}."
    if newest.account is not None:
        view = "all that its owner sees" if newest.account.access == "owner" else "what is public"
        yield f"Account: {newest.account.nickname}, {view}."
    yield from _check(standing)
    yield from _drill(standing, now)
    changed = standing.api_changed()
    if changed is not None:
        before, after = (api_name(each.source) for each in changed)
        yield f"Since {_day(changed[1].started_at)} SmugMug is read through its {after}, no longer"
        yield f"through its {before}. The backup goes on as before; there is nothing to do for you."
    if state is not None:
        yield ""
        yield from _counts(standing, state)
    if state is not None and state.pending:
        yield ""
        yield "Waiting, nothing to do for you:"
        yield from _by_reason("without its bytes so far", state.pending)
    yield from _guard(standing, now)
    yield ""
    needs = list(_needs(standing, now))
    if needs:
        yield "WHAT NEEDS YOU"
        yield from needs
    else:
        yield "Nothing needs you."
    yield ""
    if page is not None:
        key, bucket = page
        yield "What the last run changed or missed, as a page: in the S3 console open the bucket"
        yield f"{bucket.bucket} and there {bucket.key(key)}"
    yield "To see more: smugmug-backup status LOCATION. To be sure: smugmug-backup check LOCATION."
    yield from _seal(standing)


def _seal(standing: Standing) -> Iterator[str]:
    if not standing.seal:
        return
    yield ""
    seals = "seals" if len(standing.seal) > 1 else "seal"
    yield f"Keep this mail. The {seals} of the backup, from which each photo of today can be proved"
    yield "(README.txt in the backup says how):"
    for link in standing.seal:
        yield f"  {link.sha256}"
        yield f"  (run {link.run_id})"


def _drill(standing: Standing, now: datetime) -> Iterator[str]:
    drill = standing.drill
    if drill is None:
        return
    yield from _wrapped(f"The last fire drill, {_day(drill.ended_at)}: {sentence(drill)}")
    if drill.wrong and not standing.open_findings:
        yield "Runs have looked at what it found since then, and nothing is open any more."


_GUARD: Mapping[What, tuple[str, bool]] = {
    What.MISSING: ("{photos} taken out of {albums}", True),
    What.ALBUM_MISSING: ("{albums} not shown any more, with {photos}", True),
    What.REPLACED: ("{photos} with other bytes than before, in {albums}", False),
    What.CAPTION_LOST: ("{photos} that lost title or caption, in {albums}", False),
    What.KEYWORDS_LOST: ("{photos} that lost all keywords, in {albums}", False),
    What.MADE_PUBLIC: ("{albums} that everybody can see now, with {photos}", False),
    What.MADE_PRIVATE: ("{albums} that not everybody can see any more, with {photos}", False),
}
"""How the mail tells of each kind, and whether the photos are gone from SmugMug."""


def _guard(standing: Standing, now: datetime) -> Iterator[str]:
    """What changed at SmugMug in the last week that a stolen login, or a slip, would do."""
    found = standing.guarded(now - _WEEK)
    if not found:
        return
    albums = standing.reports.albums
    yield ""
    yield "CHANGED AT SMUGMUG IN THE LAST SEVEN DAYS"
    for each in found:
        words, gone = _GUARD[each.what]
        names = [
            f"{album_name(albums[key]) if key in albums else key} ({number:,})"
            for key, number in each.albums[:_LARGEST]
        ]
        more = len(each.albums) - len(names)
        listed = ", ".join(names) + (f" and {_some(more, 'album')} more" if more > 0 else "")
        told = words.format(
            photos=_some(each.images, "photo"), albums=_some(len(each.albums), "album")
        )
        stays = " All of it stays in the backup." if gone else ""
        yield from _wrapped(f"{told}: {listed}.{stays}", bullet=True)
    since = (now - _WEEK).astimezone(UTC)
    yield "If all of that was you, there is nothing to do. If not, change your password at SmugMug;"
    yield "what was there before is in the backup. By name:"
    yield f"  smugmug-backup diff LOCATION {since:%Y-%m-%d} latest"


def _wrapped(text: str, *, bullet: bool = False) -> list[str]:
    first, rest = ("  - ", "    ") if bullet else ("", "")
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _check(standing: Standing) -> Iterator[str]:
    check = standing.check
    if check is None:
        yield "It was never checked."
        return
    found = _open(check.open) if check.open else "nothing is open"
    yield f"It was last checked {_minute(check.ended_at)}: {found}."


def _counts(standing: Standing, state: RunReport) -> Iterator[str]:
    counts = state.counts
    week = [each for each in standing.shown if each.status != RunStatus.REFUSED]
    stored = sum(each.counts.originals_stored for each in week)
    size = sum(each.counts.bytes_stored for each in week)
    yield f"  Albums                    {counts.albums:>12,}"
    yield f"  Images                    {counts.images:>12,}"
    yield f"  Pending originals         {counts.pending:>12,}"
    yield f"  Unavailable at SmugMug    {counts.unavailable:>12,}"
    yield f"  Stored, but not verified  {counts.unverified:>12,}"
    yield f"  New in the last {len(week)} runs    {stored:>12,} originals, {size / 10**6:,.1f} MB"
    yield "  (1 MB = 10^6 bytes)"


def _needs(standing: Standing, now: datetime) -> Iterator[str]:
    silent = standing.silence(now)
    if silent is not None:
        yield f"  - NO RUN has ended for {silent.days} days. What is new at SmugMug since then is"
        yield "    not backed up. Look whether the schedule is on, and at the function's log."
    if standing.open_findings:
        yield "  - the last check found damage that no run has mended:"
        yield f"    {_open(standing.open_findings)}. `smugmug-backup status LOCATION` names them."
    for note in standing.reports.passed_over:
        yield f"  - {note}"
    owners = standing.owners()
    for failure in owners[:_NAMED]:
        where = f"album {failure.album_key}: " if failure.album_key else ""
        yield f"  - {where}{failure.message} ({failure.code})"
    if len(owners) > _NAMED:
        yield f"  - and {len(owners) - _NAMED} more such failures"
    missing = standing.missing_albums()
    if missing:
        names = [f"{key} ({album_name(missing[key])})" for key in sorted(missing)]
        yield f"  - {_some(len(names), 'album')} no longer shown by SmugMug: {_list(names)}."
        yield "    What was stored of it stays. If you did not remove it, look at SmugMug."
    state = standing.state
    if state is not None:
        yield from _images(state)
    if standing.complete_as_of is None:
        yield "  - no run was complete so far; see the failures in the newest report."


def _images(state: RunReport) -> Iterator[str]:
    yield from _by_reason("without bytes at SmugMug", state.unavailable)
    if state.counts.unverified > 0:
        unverified = f"{state.counts.unverified:,}"
        yield f"  - stored without a checksum of SmugMug's that agrees: {unverified}."
        yield "    `smugmug-backup status LOCATION` names them and says why."


def _by_reason(what: str, images: Iterable[Unavailable | Pending]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for each in images:
        name = f" ({each.file_name})" if each.file_name else ""
        by_reason.setdefault(each.reason, []).append(f"{each.album_key}/{each.image_key}{name}")
    for reason, found in sorted(by_reason.items()):
        yield f"  - {_some(len(found), 'image')} {what} ({reason}):"
        yield f"    {_list(found)}"


def _open(count: int) -> str:
    return _some(count, "open finding")


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _list(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(shown(each) for each in items[:_NAMED]) + more


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
