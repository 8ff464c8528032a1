"""Quiet hours and days by the user's local time: whether they run, and the first instant at which none does."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.zones import load_zone

ALL_DAYS = frozenset(range(7))
"""Every day of the week, by the numbers of `date.weekday`: Monday is 0."""
FARTHEST = timedelta(days=22)
"""Rules that let anything through do so within this time, even if the clock skips their only hour of a week."""


class Quiet(NamedTuple):
    """A rule that lets nothing through on some days of the week, and at some hours of the others."""

    hours: tuple[time, time] | None = None
    """Start and end; they cross midnight if the end is not after the start. None: no hour is quiet."""
    days: frozenset[int] = ALL_DAYS
    """The days that let something through."""
    drops: bool = False
    """True if what comes at such a time is dropped, not deferred."""

    def covers(self, day: int, at: time) -> bool:
        """True if a time of a day of the week is quiet."""
        return day not in self.days or (self.hours is not None and _in_hours(at, *self.hours))

    def until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The end (UTC) of the quiet time that runs at `now`; None if none runs, or at the calendar's end."""
        if self.days != ALL_DAYS:
            try:
                today = now.astimezone(zone).date()
                if today.weekday() not in self.days:
                    return _first(now, zone, _next_day(today, self.days), time())
            except OverflowError:
                return None
        return quiet_until(now, zone, *self.hours) if self.hours else None


def open_from(rules: Iterable[Quiet], now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant (UTC) from `now` on at which no rule is quiet; None if three weeks have none."""
    at = now
    while at - now <= FARTHEST:
        ends = [end for rule in rules if (end := rule.until(at, zone))]
        if not ends:
            return at
        at = max(ends)
    return None


def ever_open(rules: Sequence[Quiet]) -> bool:
    """True if some time of the week is quiet by none of the rules."""
    times = {time(), *(at for rule in rules if rule.hours for at in rule.hours)}
    return any(not any(rule.covers(day, at) for rule in rules) for day in ALL_DAYS for at in times)


def _next_day(today: date, days: frozenset[int]) -> date:
    return next(day for day in _days_after(today) if day.weekday() in days)


def _days_after(today: date) -> Iterator[date]:
    return (today + timedelta(days=number) for number in range(1, 8))


@lru_cache(maxsize=1024)
def zone_of(name: str | None, fallback: str) -> ZoneInfo:
    """The time zone of that name, or the fallback if the name is None or no known zone."""
    try:
        return load_zone(name or fallback)
    except KeyError:  # of an event from before zones were checked, or a name that tzdata has dropped since
        return load_zone(fallback)


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
    if not _in_hours(local_time, start, end):
        return None
    day = local.date() + timedelta(days=1 if end <= start <= local_time else 0)
    return _first(now, zone, day, end)


def _in_hours(at: time, start: time, end: time) -> bool:
    return at >= start or at < end if end <= start else start <= at < end


def _first(now: datetime, zone: ZoneInfo, day: date, at: time) -> datetime:
    """The first instant (UTC) after `now` that has this local time.

    When the clock is set back, a local time occurs twice (fold 0 and 1).
    """
    instants = [datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    in_an_hour = now + timedelta(hours=1)  # for zones whose clock was set back more than once in a row
    return next((instant for instant in instants if instant > now), in_an_hour)
