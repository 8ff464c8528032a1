"""Short stories of one user: events at days after the start, and the state that follows from them."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from shared.domain.account import Account
from shared.domain.events import (
    Event,
    Fact,
    Key,
    PaymentOutcome,
    PaymentReported,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.history import History
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from tests.support.histories import DAY, START, USER

TERMS = Terms()
MONTH = 30
_numbers = count()


def day(number: float) -> datetime:
    return START + number * DAY


OFFER = Trigger("t1", "c", "o", "p", "email", MomentKind.RENEWED, "main", "cause", day(0), expires_at=day(3))
"""A trigger of day 0, open until day 3."""


def event(on: float, topic: str, fact: Fact, sub: str = "main", event_id: str | None = None) -> Event:
    """An event about `sub`. Unless given, the event id follows the order in which a test makes its events."""
    name = event_id or f"event-{next(_numbers):06}"
    return Event(Key(day(on), topic, "", name), USER, sub, fact, digest=name)


def trial(on: float, ends: float = 14, *, auto_renew: bool = True, plan: str = "basic", **identity: Any) -> Event:
    return event(on, "trial-start", TrialStarted(plan, day(ends), auto_renew), **identity)


def payment(
    outcome: PaymentOutcome, on: float, start: float | None = None, end: float | None = None, **given: Any
) -> Event:
    """A report on the payment for the days from `start` (default: `on`) to `end` (default: 30 days later)."""
    identity = {name: given.pop(name) for name in ("sub", "event_id") if name in given}
    first = on if start is None else start
    last = first + MONTH if end is None else end
    facts = {"plan": "basic", "amount": 999, "currency": "EUR", **given}
    if "grace_until" in facts:
        facts["grace_until"] = day(facts["grace_until"])
    return event(
        on, "payment", PaymentReported(outcome, period_start=day(first), period_end=day(last), **facts), **identity
    )


def paid(on: float, start: float | None = None, end: float | None = None, **given: Any) -> Event:
    return payment(PaymentOutcome.SUCCEEDED, on, start, end, **given)


def failed(on: float, start: float | None = None, **given: Any) -> Event:
    return payment(PaymentOutcome.FAILED, on, start, **given)


def awaited(on: float, **given: Any) -> Event:
    return payment(PaymentOutcome.PENDING, on, **given)


def refunded(on: float, start: float, **given: Any) -> Event:
    return payment(PaymentOutcome.REFUNDED, on, start, **given)


def signal(
    kind: Signal, on: float, *, effective: float | None = None, resume: float | None = None, **given: Any
) -> Event:
    identity = {name: given.pop(name) for name in ("sub", "event_id") if name in given}
    effective_at = None if effective is None else day(effective)
    resume_at = None if resume is None else day(resume)
    fact = SignalSeen(kind, effective_at=effective_at, resume_at=resume_at, **given)
    return event(on, "churn-signal", fact, **identity)


def auto_renew_off(on: float, **given: Any) -> Event:
    return signal(Signal.AUTO_RENEW_OFF, on, **given)


def auto_renew_on(on: float, **given: Any) -> Event:
    return signal(Signal.AUTO_RENEW_ON, on, **given)


def cancelled(on: float, **given: Any) -> Event:
    return signal(Signal.CANCELLED, on, **given)


def paused(on: float, **given: Any) -> Event:
    return signal(Signal.PAUSE_SCHEDULED, on, **given)


def resumed(on: float, **given: Any) -> Event:
    return signal(Signal.RESUMED, on, **given)


@dataclass(frozen=True, eq=False)
class Story:
    """The history of some events, folded in the given order."""

    history: History = field(default_factory=History)
    last: tuple[Moment, ...] = ()
    """The moments of the last event, and of the time up to it."""

    def then(self, *events: Event) -> "Story":
        story = self
        for event in events:
            folded = story.history.add(event, TERMS)
            story = Story(folded.history, folded.moments)
        return story

    def account(self, on: float) -> Account:
        return self.history.at(day(on), TERMS)[0]

    def sub(self, on: float, subscription_id: str = "main") -> Subscription:
        return self.account(on).get(subscription_id)

    def status(self, on: float) -> Status:
        return self.account(on).best.shown_status

    def entitled(self, on: float) -> bool:
        return self.account(on).best.entitled

    @property
    def moments(self) -> list[MomentKind]:
        """The kinds of the moments in `last`."""
        return [moment.kind for moment in self.last]

    def brought(self, on: float) -> list[MomentKind]:
        """The kinds of the moments that time has brought since the last event."""
        return [moment.kind for moment in self.history.at(day(on), TERMS)[1]]


def after(*events: Event) -> Story:
    return Story().then(*events)
