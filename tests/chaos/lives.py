"""Whole lives of users, from a seed: what a billing system, a checkout and an app would tell of each of them.

Times are seconds after the start of the run. Deadlines are either seconds away, so that the clock must find them
during the run, or beyond its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

DAY = 86_400.0
MONTH = 30 * DAY
GRACE, HOLD, PENDING = 3.0, 3.0, 3.0
"""The terms of business during a run, in seconds."""
LONGEST_TAIL = GRACE + HOLD + PENDING + 3.0
"""The time from the end of a short period until nothing more follows from it."""
SHORTEST_LIFE, LONGEST_LIFE = 6.0, 40.0
"""The length of a life in seconds, unless the run ends before it."""
MOST_EVENTS = 60
"""The most events of a life: fewer than the 96 that the ring holds, so that none is late (law 3)."""
PLANS = ("basic", "premium", "family")
STATUS_SIGNALS = ("auto_renew_off", "auto_renew_on", "price_increase_pending", "price_increase_accepted")
BEHAVIOUR = ("inactivity", "cancel_page_viewed", "support_contact", "payment_method_expiring")
VERDICTS = ("refunded", "refund_reversed", "disputed", "dispute_won", "dispute_lost")


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a life, as its sender knows it."""

    at: float
    """The instant (UTC) at which it occurred."""
    topic: str
    body: dict[str, Any]
    """The event; instants are still seconds."""


class Life:
    """One user: periods follow each other, fail, recover, are refunded, paused and cancelled."""

    def __init__(self, user_id: str, random: Random, until: float) -> None:
        self.user_id = user_id
        self.random = random
        self.until = until
        """The end of the run."""
        self.told: list[Told] = []
        self.at = random.uniform(0, max(0.1, until - SHORTEST_LIFE))
        self.last_at = min(until - 0.5, self.at + random.uniform(SHORTEST_LIFE, LONGEST_LIFE))
        self.starts = self.ends = self.at
        self.subscription_id = "main" if random.random() < 0.8 else "car"

    def live(self) -> list[Told]:
        """The events of the whole life."""
        if self.random.random() < 0.3:
            self._remember()
        if self.random.random() < 0.5:
            self._try_out()
        while self.at < self.last_at and len(self.told) < MOST_EVENTS:
            step = self.random.choices(STEPS, WEIGHTS)[0]
            step(self)
            self.at += 0.001 if self.random.random() < 0.5 else self.random.expovariate(0.4)
        return self.told

    def _tell(self, topic: str, at: float | None = None, **facts: Any) -> None:
        number, occurred = len(self.told), self.at if at is None else at
        body = {
            "event_id": f"{self.user_id}:{number}",
            "user_id": self.user_id,
            "subscription_id": self.subscription_id,
            "occurred_at": occurred,
            **facts,
        }
        if self.random.random() < 0.2:
            body["profile"] = {
                "country": self.random.choice(("DE", "SE", "US")),
                "attributes": {"level": self.random.randrange(9)},
            }
        if self.random.random() < 0.2:
            body["source"] = self.random.choice(("billing", "app"))
        self.told.append(Told(occurred, topic, body))

    def _soon(self) -> float:
        """A length in seconds: short if everything that follows still happens during the run, else a month."""
        short = self.random.uniform(1.5, 6.0)
        is_seen = self.at + short + LONGEST_TAIL < self.until
        return short if is_seen and self.random.random() < 0.7 else MONTH

    def _remember(self) -> None:
        """Payments of the months before the run, told now."""
        for months in range(self.random.randint(1, 4), 0, -1):
            start = self.at - months * MONTH
            self._pay("succeeded", start, start + MONTH, at=start)
        self.starts, self.ends = self.at - MONTH, self.at

    def _try_out(self) -> None:
        self.ends = self.at + self._soon()
        self._tell(
            "trial-start",
            plan=self.random.choice(PLANS),
            trial_ends_at=self.ends,
            **({"auto_renew": False} if self.random.random() < 0.3 else {}),
        )

    def _pay(self, outcome: str, start: float, end: float, at: float | None = None, **facts: Any) -> None:
        given = {"plan": self.random.choice(PLANS), "amount": 999, "currency": "EUR"}
        if self.random.random() < 0.7:
            given["payment_id"] = f"pay-{start:.6f}"
        period = {"period_start": start, "period_end": end}
        self._tell("payment", at, outcome=outcome, **given | period | facts)

    def charge(self) -> None:
        """Charge for the next period: at its start, or later if the time has gone by."""
        start = max(self.ends, self.at) if self.ends < self.at + DAY else self.at
        end = start + self._soon()
        outcome = self.random.choice(("succeeded", "succeeded", "succeeded", "pending", "failed"))
        final = {"final": True} if outcome == "failed" and self.random.random() < 0.3 else {}
        self._pay(outcome, start, end, **final)
        if outcome == "succeeded":
            self.starts, self.ends = start, end

    def judge(self) -> None:
        """A verdict on the payment of the current period."""
        outcome = self.random.choice(VERDICTS)
        about = {"period_start": self.starts, "period_end": max(self.ends, self.starts + 1)}
        partial = {"partial": True} if outcome == "refunded" and self.random.random() < 0.3 else {}
        self._tell("payment", outcome=outcome, **about | partial)

    def extend(self) -> None:
        """Support moves the end of the current period."""
        self.ends = max(self.ends, self.at) + self._soon()
        self._tell("payment", outcome="extended", period_start=self.starts, period_end=self.ends)

    def signal(self) -> None:
        """A signal that bears on the subscription."""
        self._tell("churn-signal", signal=self.random.choice(STATUS_SIGNALS), reason="price")

    def behave(self) -> None:
        """A signal that only describes the user."""
        self._tell("churn-signal", signal=self.random.choice(BEHAVIOUR), strength=self.random.choice((0.2, 0.9)))

    def schedule(self) -> None:
        """A change of the plan, or a pause, now or within seconds."""
        effective = self.at + (self._soon() if self.random.random() < 0.5 else 0.0)
        if self.random.random() < 0.5:
            kind = self.random.choice(("plan_changed", "plan_change_scheduled", "downgrade_scheduled"))
            self._tell("churn-signal", signal=kind, to_plan=self.random.choice(PLANS), effective_at=effective)
        else:
            ends = effective + self._soon()
            self._tell("churn-signal", signal="pause_scheduled", effective_at=effective, resume_at=ends)

    def resume(self) -> None:
        """The end of a pause, whether there is one or not."""
        self._tell("churn-signal", signal="resumed")

    def cancel(self) -> None:
        """A cancellation at once, or within seconds."""
        about = {} if self.random.random() < 0.5 else {"effective_at": self.at + self._soon()}
        self._tell("churn-signal", signal="cancelled", reason_code="voluntary", **about)


STEPS = (
    Life.charge,
    Life.judge,
    Life.extend,
    Life.signal,
    Life.behave,
    Life.schedule,
    Life.resume,
    Life.cancel,
)
WEIGHTS = (8, 3, 1, 4, 3, 2, 1, 1)
"""The weight of each step of a life."""
INSTANTS = frozenset(
    {"occurred_at", "trial_ends_at", "period_start", "period_end", "effective_at", "resume_at", "grace_until"}
)
"""The fields of an event that are instants."""


def written(body: dict[str, Any], start: datetime) -> dict[str, Any]:
    """An event as JSON, once the start of the run is known."""
    return {
        name: (start + timedelta(seconds=value)).isoformat() if name in INSTANTS else value
        for name, value in body.items()
    }


def lives(seed: int, users: int, until: float) -> Iterator[Told]:
    """The events of all users, each of whose lives has a seed of its own."""
    for number in range(users):
        yield from Life(f"user-{number}", Random(f"{seed}/{number}"), until).live()  # noqa: S311
