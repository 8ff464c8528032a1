"""Snapshots of each CDNOW customer on the first of every month, labelled with whether the customer left."""

import csv
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from infra.demo.cdnow import PERIOD, PURCHASES
from shared.domain.subscription import RECENT_PAYMENTS

LAST_DAY = date(1998, 6, 30)
"""The last day of the purchase log."""
HORIZON = timedelta(days=60)
"""Time after a snapshot in which a payment is expected."""
LONGEST_OVERDUE = 180
"""Days. Customers overdue for longer have left already, and no score is computed for them."""
MONTHS = [date(year, month, 1) for year in (1997, 1998) for month in range(1, 13)]


class Snapshot(NamedTuple):
    """One customer at midnight (UTC) at the start of `day`; fields are named like a subscription's facts."""

    customer: str
    day: date
    recent_payments: int
    days_until_period_end: int
    left: bool
    """The label: True if the customer makes no payment in the next 60 days."""


def snapshots() -> Iterator[Snapshot]:
    """All snapshots whose next 60 days are within the log."""
    for customer, days in sorted(_purchases().items()):
        yield from _snapshots_of(customer, days)


def _purchases() -> Mapping[str, Sequence[date]]:
    """Each customer's purchase days, in order."""
    days: dict[str, list[date]] = {}
    with PURCHASES.open(newline="") as file:
        for purchase in csv.DictReader(file):
            days.setdefault(purchase["customer"], []).append(date.fromisoformat(purchase["day"]))
    return days


def _snapshots_of(customer: str, days: Sequence[date]) -> Iterator[Snapshot]:
    for day in _snapshot_days(days):
        paid = bisect_left(days, day)
        yield Snapshot(
            customer,
            day,
            recent_payments=min(paid, RECENT_PAYMENTS),
            days_until_period_end=(days[paid - 1] + PERIOD - day).days,
            left=bisect_left(days, day + HORIZON) == paid,
        )


def _snapshot_days(days: Sequence[date]) -> Iterable[date]:
    """The days on which a score would be computed, at midnight: a purchase on the day itself is in the future."""
    for day in MONTHS:
        paid = bisect_left(days, day)
        if paid and day + HORIZON <= LAST_DAY and day - days[paid - 1] - PERIOD <= timedelta(LONGEST_OVERDUE):
            yield day
