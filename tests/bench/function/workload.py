"""The requests of each scenario: what a user has lived through before, and the event that is measured."""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple

from shared.domain.history import RING_SIZE

MONTH = timedelta(days=30)
RECENTLY = timedelta(seconds=10)
"""The age of a measured event, which the skew of two clocks must not make a future one."""
LATE_USERS = 64
"""Users with a full ring: more than events are under way at once, so that no two events of a user compete."""


class Scenario(StrEnum):
    """What is measured."""

    RENEWAL = "renewal"
    TRIGGER = "renewal with trigger"
    DUPLICATE = "duplicate"
    LATE = "late event in a full ring"

    @property
    def path(self) -> str:
        """The path of its requests."""
        return self.value.replace(" ", "-")


PAID_BEFORE = {Scenario.RENEWAL: 1, Scenario.TRIGGER: 2}
"""The payments before the measured one. The shipped catalog offers a family plan at the third."""


class Work(NamedTuple):
    """The request bodies of one turn."""

    before: Sequence[Sequence[bytes]]
    """What is sent first and not measured, in rounds: within a round, each user has at most one event."""
    measured: Sequence[bytes]


class Workload:
    """Makes the requests of turns, each with new users; only the users with full rings are in every turn."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = (now or datetime.now(UTC)) - RECENTLY
        self._numbers = count()
        self._late = count(1)

    def renewals(self, scenario: Scenario, events: int) -> Work:
        """Renewals of users who paid before."""
        users = [f"user-{next(self._numbers)}" for _ in range(events)]
        months = range(PAID_BEFORE[scenario], 0, -1)
        before = [[push(payment(user, self.now - month * MONTH)) for user in users] for month in months]
        return Work(before, [push(payment(user, self.now)) for user in users])

    def full_rings(self, users: int = LATE_USERS) -> list[list[bytes]]:
        """The rounds that fill the rings of the users who then get late events: one payment a month."""
        months = range(RING_SIZE, 0, -1)
        return [[push(payment(user, self.now - month * MONTH)) for user in _late_users(users)] for month in months]

    def late(self, events: int, users: int = LATE_USERS) -> Work:
        """Payments that arrive after the one that followed them, so that the ring is folded again."""
        return Work([], [push(payment(user, at)) for user, at in self._late_events(events, users)])

    def _late_events(self, events: int, users: int) -> Iterator[tuple[str, datetime]]:
        names = _late_users(users)
        for number in range(events):
            yield names[number % users], self.now - MONTH - timedelta(minutes=next(self._late))


def _late_users(users: int) -> list[str]:
    return [f"late-{number}" for number in range(users)]


def payment(user_id: str, at: datetime, period: timedelta = MONTH) -> dict[str, Any]:
    """A payment for a period from `at`, as a producer publishes it."""
    return {
        "event_id": f"{user_id}-{at.timestamp():.0f}",
        "source": "billing",
        "user_id": user_id,
        "occurred_at": at.isoformat(),
        "outcome": "succeeded",
        "payment_id": f"payment-{user_id}-{at.timestamp():.0f}",
        "plan": "premium_monthly",
        "amount": 1099,
        "currency": "EUR",
        "period_start": at.isoformat(),
        "period_end": (at + period).isoformat(),
    }


def push(event: dict[str, Any]) -> bytes:
    """The request body with which Pub/Sub pushes an event."""
    message = {"data": b64encode(json.dumps(event).encode()).decode(), "messageId": event["event_id"]}
    return json.dumps({"message": message, "subscription": "projects/bench/subscriptions/payment"}).encode()
