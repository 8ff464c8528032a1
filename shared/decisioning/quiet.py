"""Quiet hours: the end of the quiet hours that run now in the user's time zone."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1024)
def zone_of(name: str | None, fallback: str) -> ZoneInfo:
    """The time zone of that name, or the fallback if the name is None or no known zone."""
    try:
        return ZoneInfo(name or fallback)
    except (ValueError, KeyError, OSError):  # zones in events are not validated on arrival
        return ZoneInfo(fallback)


def quiet_until(now: datetime, zone: ZoneInfo, start: time, end: time) -> datetime | None:
    """The end (UTC) of the quiet hours that run at `now`; None if none run.

    Quiet hours run from `start` until just before `end` by local time. They cross midnight if `end` is not after
    `start`. None run in the last hours that `datetime` can represent, where the local time may overflow.
    """
    try:
        return _end_of_quiet_hours(now, zone, start, end)
    except OverflowError:
        return None


def _end_of_quiet_hours(now: datetime, zone: ZoneInfo, start: time, end: time) -> datetime | None:
    local = now.astimezone(zone)
    local_time = local.time()
    crosses_midnight = end <= start
    if not (local_time >= start or local_time < end if crosses_midnight else start <= local_time < end):
        return None
    day = local.date() + timedelta(days=1 if crosses_midnight and local_time >= start else 0)
    # When the clock is set back, a local time occurs twice (fold 0 and 1): take the first end after `now`.
    ends = [datetime.combine(day, end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    in_an_hour = now + timedelta(hours=1)  # for zones whose clock was set back more than once in a row
    return next((instant for instant in ends if instant > now), in_an_hour)
