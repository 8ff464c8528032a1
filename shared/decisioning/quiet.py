"""Quiet hours: whether it is night where the user is, and when it ends."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1024)
def zone_of(name: str | None, otherwise: str) -> ZoneInfo:
    """The time zone of a user, or the other where the user's is unknown or no zone at all."""
    try:
        return ZoneInfo(name or otherwise)
    except (ValueError, KeyError, OSError):  # producers' zones are not checked against those there are
        return ZoneInfo(otherwise)


def quiet_until(now: datetime, zone: ZoneInfo, start: time, end: time) -> datetime | None:
    """When the quiet hours end (UTC) that run at `now`; None where none do.

    They run from `start` until just before `end` by the clock on the wall, over midnight where `end` comes first.
    In the last hours of the calendar nobody knows what the clock says, and none run.
    """
    try:
        return _until(now, zone, start, end)
    except OverflowError:
        return None


def _until(now: datetime, zone: ZoneInfo, start: time, end: time) -> datetime | None:
    local = now.astimezone(zone)
    of_day = local.time()
    over_midnight = end <= start
    if not (of_day >= start or of_day < end if over_midnight else start <= of_day < end):
        return None
    day = local.date() + timedelta(days=1 if over_midnight and of_day >= start else 0)
    ends = [datetime.combine(day, end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    otherwise = now + timedelta(hours=1)  # of a zone whose clock was set back time after time
    return next((instant for instant in ends if instant > now), otherwise)
