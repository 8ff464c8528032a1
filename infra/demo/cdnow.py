"""The real history of the demo: the purchases of CDNOW's customers, converted to payments for 30-day periods.

The README in this folder names the source.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PURCHASES = Path(__file__).with_name("cdnow.csv")
"""One purchase per line, oldest first: the day, the customer, and the price in cents (USD)."""
PERIOD = timedelta(days=30)
NOON = timedelta(hours=12)
"""Assumed time of a purchase (UTC), since the log has only days. A second one that day comes a minute later."""


def events() -> Iterator[dict[str, Any]]:
    """Each purchase as a line of a history, oldest first."""
    purchases_of_day: Counter[tuple[str, str]] = Counter()
    with PURCHASES.open(newline="") as file:
        for purchase in csv.DictReader(file):
            day, customer = purchase["day"], purchase["customer"]
            purchases_of_day[day, customer] += 1
            payment = _payment(customer, day, purchases_of_day[day, customer], int(purchase["cents"]))
            yield {"topic": "payment", "data": payment}


def _payment(customer: str, day: str, number: int, cents: int) -> dict[str, Any]:
    """A purchase as a successful payment. The event id is derived from the log, so that it never changes."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) + NOON + (number - 1) * timedelta(minutes=1)
    return {
        "event_id": f"cdnow-{customer}-{day}-{number}",
        "source": "cdnow",
        "user_id": f"cdnow-{customer}",
        "occurred_at": start.isoformat(),
        "outcome": "succeeded",
        "plan": "premium_monthly",
        "amount": cents,
        "currency": "USD",
        "period_start": start.isoformat(),
        "period_end": (start + PERIOD).isoformat(),
    }
