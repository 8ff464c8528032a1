"""What was known of each customer of CDNOW on the first of every month, and whether they then came again."""

import csv
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from infra.demo.cdnow import PERIOD, PURCHASES
from shared.domain.payments import MAX_PAYMENTS

LAST_DAY = date(1998, 6, 30)
"""Of the log."""
HORIZON = timedelta(days=60)
LONGEST_OVERDUE = 180
"""Days; who stayed away longer has left, and no score is asked about them."""
MONTHS = [date(year, month, 1) for year in (1997, 1998) for month in range(1, 13)]


class Snapshot(NamedTuple):
    """One customer at midnight (UTC) before one day, in the words of the facts of a subscription."""

    customer: str
    day: date
    recent_payments: int
    days_until_period_end: int
    left: bool
    """No payment in the next 60 days."""


def snapshots() -> Iterator[Snapshot]:
    """All of them whose next 60 days the log covers."""
    for customer, days in sorted(_purchases().items()):
        yield from _of(customer, days)


def _purchases() -> Mapping[str, Sequence[date]]:
    """The days on which each customer bought, in order."""
    days: dict[str, list[date]] = {}
    with PURCHASES.open(newline="") as file:
        for purchase in csv.DictReader(file):
            days.setdefault(purchase["customer"], []).append(date.fromisoformat(purchase["day"]))
    return days


def _of(customer: str, days: Sequence[date]) -> Iterator[Snapshot]:
    for day in _asked(days):
        paid = bisect_left(days, day)
        yield Snapshot(
            customer,
            day,
            recent_payments=min(paid, MAX_PAYMENTS),
            days_until_period_end=(days[paid - 1] + PERIOD - day).days,
            left=bisect_left(days, day + HORIZON) == paid,
        )


def _asked(days: Sequence[date]) -> Iterable[date]:
    """The days on which a score would be asked: midnight, so that a purchase of that day is yet to come."""
    for day in MONTHS:
        paid = bisect_left(days, day)
        if paid and day + HORIZON <= LAST_DAY and day - days[paid - 1] - PERIOD <= timedelta(LONGEST_OVERDUE):
            yield day
