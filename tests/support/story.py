"""Short stories of one user: events at days after the start, and the state that follows from them."""

from collections.abc import Iterable
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


def event(
    on: float, topic: str, fact: Fact, sub: str = "main", event_id: str | None = None, order: int = 0
) -> Event:
    """An event about `sub`. Unless given, the event id follows the order in which a test makes its events."""
    name = event_id or f"event-{next(_numbers):06}"
    return Event(Key(day(on), topic, "", name), USER, sub, fact, digest=name, order=order)


def _identity(given: dict[str, Any]) -> dict[str, Any]:
    """Take from `given` what belongs to the event rather than to its fact."""
    return {name: given.pop(name) for name in ("sub", "event_id", "order") if name in given}


def trial(
    on: float, ends: float = 14, *, auto_renew: bool | None = None, plan: str = "basic", **identity: Any
) -> Event:
    return event(on, "trial-start", TrialStarted(plan, day(ends), auto_renew), **identity)


def payment(
    outcome: PaymentOutcome, on: float, start: float | None = None, end: float | None = None, **given: Any
) -> Event:
    """A report on the payment for the days from `start` (default: `on`) to `end` (default: 30 days later)."""
    first = on if start is None else start
    last = first + MONTH if end is None else end
    facts = {"plan": "basic", "amount": 999, "currency": "EUR", **given}
    return report(outcome, on, period_start=first, period_end=last, **facts)


def report(outcome: PaymentOutcome, on: float, **given: Any) -> Event:
    """A report that says what is given and nothing else; its instants are days."""
    identity = _identity(given)
    instants = {
        name: day(given.pop(name))
        for name in ("period_start", "period_end", "grace_until")
        if given.get(name) is not None
    }
    return event(on, "payment", PaymentReported(outcome, **given, **instants), **identity)


def paid(on: float, start: float | None = None, end: float | None = None, **given: Any) -> Event:
    return payment(PaymentOutcome.SUCCEEDED, on, start, end, **given)


def failed(on: float, start: float | None = None, **given: Any) -> Event:
    return payment(PaymentOutcome.FAILED, on, start, **given)


def failed_next(on: float, **given: Any) -> Event:
    """A failure that names no period: it is about the next."""
    return report(PaymentOutcome.FAILED, on, **given)


def awaited(on: float, **given: Any) -> Event:
    return payment(PaymentOutcome.PENDING, on, **given)


def extended(on: float, end: float, start: float | None = None, **given: Any) -> Event:
    """An end moved: of the payment with a `payment_id`, of the period from `start`, or of the current one."""
    return report(PaymentOutcome.EXTENDED, on, period_start=start, period_end=end, **given)


def refunded(on: float, start: float, **given: Any) -> Event:
    return payment(PaymentOutcome.REFUNDED, on, start, **given)


def refund_reversed(on: float, start: float, **given: Any) -> Event:
    return payment(PaymentOutcome.REFUND_REVERSED, on, start, **given)


def disputed(on: float, start: float, **given: Any) -> Event:
    return payment(PaymentOutcome.DISPUTED, on, start, **given)


def lost(on: float, start: float, **given: Any) -> Event:
    return payment(PaymentOutcome.DISPUTE_LOST, on, start, **given)


def won(on: float, start: float, **given: Any) -> Event:
    return payment(PaymentOutcome.DISPUTE_WON, on, start, **given)


def signal(
    kind: Signal, on: float, *, effective: float | None = None, resume: float | None = None, **given: Any
) -> Event:
    identity = _identity(given)
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


def plan_changed(on: float, to_plan: str, **given: Any) -> Event:
    return signal(Signal.PLAN_CHANGED, on, to_plan=to_plan, **given)


def plan_change_scheduled(on: float, to_plan: str, **given: Any) -> Event:
    return signal(Signal.PLAN_CHANGE_SCHEDULED, on, to_plan=to_plan, **given)


def downgraded(on: float, to_plan: str, **given: Any) -> Event:
    return signal(Signal.DOWNGRADE_SCHEDULED, on, to_plan=to_plan, **given)


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
        return self.account(on).best.status

    def statuses(self, *days: float) -> list[Status]:
        return [self.status(on) for on in days]

    def plans(self, *days: float) -> list[str | None]:
        return [self.account(on).best.plan for on in days]

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


def course(events: Iterable[Event], *days: float) -> list[Status]:
    """The status on each of the days, of the events that had occurred by then."""
    told = list(events)
    return [after(*(one for one in told if one.occurred_at <= day(on))).status(on) for on in days]
