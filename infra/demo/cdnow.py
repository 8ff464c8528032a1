"""The real history of the demo: the purchases of CDNOW's customers, told as payments for 30-day periods.

The source is the 1/10 sample of the CDNOW purchase log by Fader and Hardie (customers who first bought in the first
quarter of 1997, followed to June 1998), as it ships in the Python package Lifetimes 0.11.3, MIT. One line a purchase:
id in the full set, id in the sample, date as YYYYMMDD, number of CDs, dollars.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PURCHASES = Path(__file__).with_name("cdnow.txt")
PERIOD = timedelta(days=30)
NOON = timedelta(hours=12)
"""The log gives days; a purchase is taken to be at noon UTC, and a second one that day a minute later."""


def events() -> Iterator[dict[str, Any]]:
    """Each purchase as a line of a replay, in the order of the days."""
    yield from sorted(_purchases(), key=lambda line: (line["data"]["occurred_at"], line["data"]["event_id"]))


def _purchases() -> Iterator[dict[str, Any]]:
    of_day: dict[tuple[str, str], int] = {}
    for line in PURCHASES.read_text().splitlines():
        _, customer, day, _, dollars = line.split()
        number = of_day[customer, day] = of_day.get((customer, day), 0) + 1
        yield {"topic": "payment", "data": _payment(customer, day, number, dollars)}


def _payment(customer: str, day: str, number: int, dollars: str) -> dict[str, Any]:
    """A purchase as a successful payment; ids follow from the log, so that they are the same every time."""
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    start = midnight + NOON + (number - 1) * timedelta(minutes=1)
    return {
        "event_id": f"cdnow-{customer}-{day}-{number}",
        "source": "cdnow",
        "user_id": f"cdnow-{customer}",
        "occurred_at": start.isoformat(),
        "outcome": "succeeded",
        "plan": "premium_monthly",
        "amount": round(float(dollars) * 100),
        "currency": "USD",
        "period_start": start.isoformat(),
        "period_end": (start + PERIOD).isoformat(),
    }
