"""Hypothesis strategies for events and histories: every kind, equal instants, gaps, and several subscriptions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from shared.domain.events import (
    BEHAVIOURAL,
    Event,
    Key,
    Outcome,
    PaymentReported,
    Profile,
    Signal,
    SignalSeen,
    TrialStarted,
    cause_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
USER = "user-1"

# Few distinct instants, so that ties and exact hits on deadlines are common; half days, so that gaps differ.
instants = st.integers(0, 240).map(lambda halves: START + halves * DAY / 2)
plans = st.sampled_from(["basic", "premium", "family"])
payment_ids = st.sampled_from([None, "pay-1", "pay-2", "pay-3"])
maybe_instants = st.none() | instants


@st.composite
def trials(draw: st.DrawFn, at: datetime) -> TrialStarted:
    return TrialStarted(draw(plans), at + draw(st.integers(1, 40)) * DAY / 2, draw(st.booleans()))


@st.composite
def payments(draw: st.DrawFn, at: datetime) -> PaymentReported:
    start = at + draw(st.integers(-60, 20)) * DAY / 2
    return PaymentReported(
        outcome=draw(st.sampled_from([Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.FAILED, *Outcome])),
        plan=draw(plans),
        amount=draw(st.sampled_from([0, 999, 999])),
        currency="EUR",
        period_start=start,
        period_end=start + draw(st.sampled_from([1, 14, 60, 60, 730])) * DAY / 2,
        final=draw(st.booleans()),
        grace_until=draw(maybe_instants),
        payment_id=draw(payment_ids),
        partial=draw(st.booleans()),
    )


@st.composite
def status_signals(draw: st.DrawFn) -> SignalSeen:
    return SignalSeen(
        kind=draw(st.sampled_from(sorted(set(Signal) - BEHAVIOURAL))),
        reason=draw(st.sampled_from([None, "price"])),
        effective_at=draw(maybe_instants),
        resume_at=draw(maybe_instants),
        to_plan=draw(st.none() | plans),
    )


behaviours = st.builds(SignalSeen, st.sampled_from(sorted(BEHAVIOURAL)), strength=st.sampled_from([None, 0.5]))
profiles = st.just(Profile()) | st.builds(
    Profile, st.sampled_from([None, "DE", "SE"]), student=st.sampled_from([None, True, False])
)
subscription_ids = st.sampled_from(["main", "main", "main", "car"])


@st.composite
def events(draw: st.DrawFn, number: int, *, only_main: bool = False) -> Event:
    """An event that belongs in the ring; its number makes its identity unique."""
    at = draw(instants)
    topic = draw(st.sampled_from(["trial-start", "payment", "payment", "payment", "churn-signal"]))
    fact = draw({"trial-start": trials(at), "payment": payments(at), "churn-signal": status_signals()}[topic])
    # The identifier's order is not the order of creation: ties are broken by it, and must not follow arrival.
    event_id = cause_of(str(number))[:4] + f"-{number}"
    source = draw(st.sampled_from(["", "billing"]))
    subscription_id = "main" if only_main else draw(subscription_ids)
    key = Key(at, topic, source, event_id)
    return Event(key, USER, subscription_id, fact, digest=event_id, profile=draw(profiles))


@st.composite
def histories(draw: st.DrawFn, max_size: int = 14, *, only_main: bool = False) -> list[Event]:
    """Distinct events in no order."""
    size = draw(st.integers(1, max_size))
    return [draw(events(number, only_main=only_main)) for number in range(size)]


@st.composite
def deliveries(draw: st.DrawFn, history: list[Event]) -> list[Event]:
    """The same events in another order, some of them more than once."""
    again = draw(st.lists(st.sampled_from(history), max_size=len(history)))
    return draw(st.permutations([*history, *again]))


def renamed(event: Event, event_id: str) -> Event:
    """The same fact under another identity."""
    return replace(event, key=replace(event.key, event_id=event_id), digest=event_id)
