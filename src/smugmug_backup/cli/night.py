"""When the next run of `schedule` begins: a question of the clock on the wall, and no other."""

from datetime import UTC, datetime, time, timedelta, tzinfo

_SET_BACK = timedelta(hours=1)
"""A clock that is put right by less is the same clock."""


def due(at: time, *, after: datetime, zone: tzinfo | None = None) -> datetime:
    """The first instant after ``after``, in UTC, at which the clock on the wall shows ``at``.

    ==============================  =======================================================
    the day                         the instant
    ==============================  =======================================================
    any other                       as the clock shows it, be it a day of 23 or of 25 hours
    ``at`` is left out (spring)     as if the clock had not been put forward: an hour later
    ``at`` comes twice (autumn)     the first time, and not again
    ==============================  =======================================================

    ``zone``: where the wall is; None: where this machine is.
    """
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        wall = datetime.combine(day, at, zone)
        # Without a zone it is the machine's.
        instant = wall.astimezone(UTC)
        if instant > after:
            return instant
        day += timedelta(days=1)


def believed(last: datetime | None, *, now: datetime) -> datetime | None:
    """When the newest run began, by the clock of ``now``: it began by now, if that clock was put
    back by more than an hour since. To be kept: asked anew later, it would say that later time."""
    return last if last is None or last <= now + _SET_BACK else now


def next_run(
    at: time, *, last: datetime | None, now: datetime, zone: tzinfo | None = None
) -> datetime:
    """When to begin, ``now`` for at once. ``last``: when the newest run began.

    ======================================  =============================================
    the newest run                          the next one
    ======================================  =============================================
    there is none                           at once
    began before the newest ``at``:         at once, one for all that were missed
    the machine slept, was off, or that
    run took longer than a day
    began since                             at the next ``at``
    begins in the future: the clock was     at the next ``at`` from now on
    put back by more than an hour
    ======================================  =============================================
    """
    if last is None:
        return now
    return max(now, due(at, after=believed(last, now=now) or now, zone=zone))
