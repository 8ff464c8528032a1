"""Instants in UTC: the bounds of the calendar, addition without overflow, and exact microseconds."""

from datetime import UTC, datetime, timedelta

BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def later(start: datetime, duration: timedelta) -> datetime:
    """`start + duration`, capped at the end of the calendar (a lifetime plan ends in the year 9999)."""
    try:
        return start + duration
    except OverflowError:
        return END_OF_TIME


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: exact, and in the order of the instants."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant (UTC) that lies `micros` microseconds after 1970-01-01 UTC."""
    return EPOCH + micros * MICROSECOND
