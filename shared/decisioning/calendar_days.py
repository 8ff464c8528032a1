"""Calendar days: the beginning of a user's day, by the local clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.instants import BEGINNING_OF_TIME


def start_of_days(now: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The instant (UTC) at which the last `days` calendar days began, today included: a local midnight.

    A day begins with its first midnight if the clock is set back over it, and when the clock is set forward if
    that leaves midnight out.
    """
    try:
        first = now.astimezone(zone).date() - timedelta(days=days - 1)
        return datetime.combine(first, time(), zone).astimezone(UTC)
    except OverflowError:  # at either end of the calendar
        return min(now, BEGINNING_OF_TIME + timedelta(days=1))
