"""The weekly mail: a backup that is silent when all is well would look like one that has died."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from smugmug_backup.archive.summary import Summary, summarise
from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error
from smugmug_backup.errors import BadRequest
from smugmug_backup.ports import BackupStore

_NAMED = 20
"""So many of each kind stand in the mail; the report has all."""


def send_sign_of_life(
    store: BackupStore, topic_arn: str | None, *, now: datetime, client: Any = None
) -> dict[str, Any]:
    """Mail how the backup stands to the alarm topic; returns the subject and the complete-as-of.

    Raises BadRequest if there is no topic, AwsError if it does not take the message.
    """
    if topic_arn is None:
        raise BadRequest(
            "ALERT_TOPIC_ARN is missing: there is no topic to mail to; deploy with AlarmEmail set"
        )
    summary = summarise(store, runs=7)
    title = subject(summary)
    try:
        sns = client or aws_client("sns")
        sns.publish(TopicArn=topic_arn, Subject=title, Message=mail(summary, now=now))
    except AWS_ERRORS as error:
        raise aws_error(
            error, doing="mailing the sign of life", permission="sns:Publish on the alarm topic"
        ) from None
    as_of = summary.complete_as_of
    return {"status": "sent", "subject": title, "complete_as_of": as_of and _day(as_of)}


def subject(summary: Summary) -> str:
    """At most 100 ASCII characters, as SNS takes them."""
    if summary.newest is None:
        return "SmugMug Backup: no run has ended yet"
    if summary.is_complete:
        return "SmugMug Backup: complete"
    as_of = summary.complete_as_of
    last = f"last complete {_day(as_of)}" if as_of else "never complete so far"
    return f"SmugMug Backup: {summary.newest.status}, {last}"


def mail(summary: Summary, *, now: datetime) -> str:
    """The text, plain, to be read by somebody who knows nothing of AWS."""
    return "\n".join(_lines(summary, now)) + "\n"


def _lines(summary: Summary, now: datetime) -> Iterator[str]:
    newest, state = summary.newest, summary.state
    if newest is None:
        yield "No run has ended yet, so nothing can be said. The first one may take days; if this"
        yield "mail says the same next week, look at the function's log."
        return
    as_of = summary.complete_as_of
    if as_of is None:
        yield "The backup has never been complete so far."
    else:
        days = (now - as_of).days
        ago = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
        yield f"The backup is complete as of {_minute(as_of)} ({ago})."
    yield f"The last run ended {_minute(newest.ended_at)}: {newest.status}."
    if newest.account is not None:
        view = "all that its owner sees" if newest.account.access == "owner" else "what is public"
        yield f"Account: {newest.account.nickname}, {view}."
    if state is not None:
        yield ""
        yield from _counts(summary)
    yield ""
    needs = list(_needs(summary))
    if needs:
        yield "WHAT NEEDS YOU"
        yield from needs
    else:
        yield "Nothing needs you."
    yield ""
    yield "To see more: smugmug-backup status LOCATION. To be sure: smugmug-backup check LOCATION."


def _counts(summary: Summary) -> Iterator[str]:
    state = summary.state
    if state is None:
        return
    counts = state.counts
    week = [each for each in summary.reports if each.status != "refused"]
    stored = sum(each.counts.originals_stored for each in week)
    size = sum(each.counts.bytes_stored for each in week)
    yield f"  Albums                    {counts.albums:>12,}"
    yield f"  Images                    {counts.images:>12,}"
    yield f"  Pending originals         {counts.pending:>12,}"
    yield f"  Unavailable at SmugMug    {counts.unavailable:>12,}"
    yield f"  Stored, but not verified  {counts.unverified:>12,}"
    yield f"  New in the last {len(week)} runs    {stored:>12,} originals, {size / 10**6:,.1f} MB"
    yield "  (1 MB = 10^6 bytes)"


def _needs(summary: Summary) -> Iterator[str]:
    owners = summary.owners()
    for failure in owners[:_NAMED]:
        where = f"album {failure.album_key}: " if failure.album_key else ""
        yield f"  - {where}{failure.message} ({failure.code})"
    if len(owners) > _NAMED:
        yield f"  - and {len(owners) - _NAMED} more such failures"
    missing = sorted(summary.missing_albums())
    if missing:
        yield f"  - {_some(missing, 'album')} no longer shown by SmugMug: {_list(missing)}."
        yield "    What was stored of it stays. If you did not remove it, look at SmugMug."
    state = summary.state
    if state is None:
        return
    if state.unavailable:
        by_reason: dict[str, list[str]] = {}
        for each in state.unavailable:
            by_reason.setdefault(each.reason, []).append(f"{each.album_key}/{each.image_key}")
        for reason, images in sorted(by_reason.items()):
            yield f"  - {_some(images, 'image')} without bytes at SmugMug ({reason}):"
            yield f"    {_list(images)}"
    if state.counts.unverified > 0:
        unverified = f"{state.counts.unverified:,}"
        yield f"  - stored without a checksum of SmugMug's that agrees: {unverified}."
        yield "    `smugmug-backup status LOCATION` names them and says why."
    if summary.complete is None:
        yield "  - no run was complete among the last ones; see the failures in the newest report."


def _some(items: list[str], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _list(items: list[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
