"""Hypothesis strategies for events and histories: every kind, equal instants, gaps, and several subscriptions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from shared.domain.events import (
    BEHAVIOURAL,
    Event,
    Fact,
    Key,
    Ownership,
    PaymentOutcome,
    PaymentReported,
    Profile,
    Purchase,
    ReasonCode,
    Signal,
    SignalSeen,
    TrialStarted,
    cause_of,
)
from shared.domain.history import History
from shared.domain.ring import place_of, to_row
from shared.domain.terms import Terms
from tests.support.fakes import Fault

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
USER = "user-1"
TERMS = Terms()
LIFETIME = datetime.max.replace(tzinfo=UTC)

# Few distinct instants, so that ties and exact hits on deadlines are common; half days, so that gaps differ.
instants = st.integers(0, 240).map(lambda halves: START + halves * DAY / 2)
plans = st.sampled_from(["basic", "premium", "family"])
payment_ids = st.sampled_from([None, "pay-1", "pay-2", "pay-3"])
maybe_instants = st.none() | instants


# Each strategy is built once, here: to build one costs as much as many draws from it.
booleans = st.booleans()
trial_half_days = st.integers(1, 40)
start_half_days = st.integers(-60, 20)
period_half_days = st.sampled_from([1, 14, 60, 60, 730, None])
outcomes = st.sampled_from(
    [PaymentOutcome.SUCCEEDED, PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED, *PaymentOutcome]
)
amounts = st.sampled_from([0, 999, 999])
status_kinds = st.sampled_from(sorted(set(Signal) - BEHAVIOURAL))
reasons = st.sampled_from([None, "price"])
maybe_plans = st.none() | plans
reason_codes = st.sampled_from([None, None, ReasonCode.PRICE_INCREASE])
maybe_renews = st.sampled_from([None, None, True, False])
rarely = st.sampled_from([False, False, False, True])
orders = st.sampled_from([0, 0, 0, 1, -1])
purchases = st.sampled_from(
    [Purchase(), Purchase(), Purchase("app_store", ownership=Ownership.FAMILY, quantity=2, current_price=999)]
)
NEEDS_PERIOD = frozenset({PaymentOutcome.SUCCEEDED, PaymentOutcome.EXTENDED})
"""The outcomes whose reports always have a period; that of a verdict or a failure may be left out."""


@st.composite
def trials(draw: st.DrawFn, at: datetime) -> TrialStarted:
    ends_at = at + draw(trial_half_days) * DAY / 2
    return TrialStarted(draw(plans), ends_at, draw(maybe_renews), draw(purchases))


@st.composite
def payments(draw: st.DrawFn, at: datetime) -> PaymentReported:
    start = at + draw(start_half_days) * DAY / 2
    length, outcome = draw(period_half_days), draw(outcomes)
    reported = PaymentReported(
        outcome=outcome,
        plan=draw(plans),
        amount=draw(amounts),
        currency="EUR",
        period_start=start,
        period_end=start + length * DAY / 2 if length else LIFETIME,
        final=draw(booleans),
        grace_until=draw(maybe_instants),
        payment_id=draw(payment_ids),
        partial=draw(rarely),
        auto_renew=draw(maybe_renews),
        keeps_access=draw(rarely),
        purchase=draw(purchases),
    )
    if outcome in NEEDS_PERIOD or not draw(rarely):
        return reported
    return reported._replace(period_start=None, period_end=None, plan=None, amount=None, currency=None)


@st.composite
def _status_signals(draw: st.DrawFn) -> SignalSeen:
    return SignalSeen(
        kind=draw(status_kinds),
        reason=draw(reasons),
        effective_at=draw(maybe_instants),
        resume_at=draw(maybe_instants),
        to_plan=draw(maybe_plans),
        reason_code=draw(reason_codes),
    )


status_signals = _status_signals()
behaviours = st.tuples(st.sampled_from(sorted(BEHAVIOURAL)), st.sampled_from([None, 0.5])).map(
    lambda drawn: SignalSeen(drawn[0], strength=drawn[1])
)
signals = status_signals | behaviours
profiles = st.just(Profile()) | st.builds(
    Profile, st.sampled_from([None, "DE", "SE"]), student=st.sampled_from([None, True, False])
)
# A list and a removal among few names: values of all sizes, and two of one instant.
attribute_values = st.sampled_from(["jazz", "", 7, 0.5, True, ["jazz", 3], [], "ö" * 32, None])
attributes = st.just(()) | st.dictionaries(
    st.sampled_from(["genre", "likes", "level", "2fa", "a-b"]), attribute_values, max_size=3
).map(lambda given: tuple(given.items()))
topics = st.sampled_from(["trial-start", "payment", "payment", "payment", "churn-signal"])
sources = st.sampled_from(["", "billing"])
subscription_ids = st.sampled_from(["main", "main", "main", "car"])


@st.composite
def events(draw: st.DrawFn, number: int, *, only_main: bool = False, behaving: bool = False) -> Event:
    """An event for the ring, or also a behavioural signal. Its number makes its identity unique."""
    at, topic = draw(instants), draw(topics)
    subscription_id = "main" if only_main else draw(subscription_ids)
    source = draw(sources)
    match topic:
        case "trial-start":
            facts = trials(at)
        case "payment":
            facts = payments(at)
        case _:
            facts = signals if behaving else status_signals
    event = made(number, at, topic, draw(facts), subscription_id, source, draw(profiles))
    return event._replace(order=draw(orders), attributes=draw(attributes))


def made(
    number: int,
    at: datetime,
    topic: str,
    fact: Fact,
    subscription_id: str = "main",
    source: str = "",
    profile: Profile = Profile(),  # noqa: B008 - frozen
) -> Event:
    """An event whose identity is derived from its number, but not in the order of the numbers.

    Ties are broken by identity, which must not follow the order of arrival.
    """
    event_id = cause_of(str(number))[:4] + f"-{number}"
    return Event(Key(at, topic, source, event_id), USER, subscription_id, fact, digest=event_id, profile=profile)


@st.composite
def histories(
    draw: st.DrawFn, max_size: int = 14, *, only_main: bool = False, behaving: bool = False
) -> list[Event]:
    """Distinct events in random order: mostly nonsense, as only broken producers would send."""
    size = draw(st.integers(1, max_size))
    return [draw(events(number, only_main=only_main, behaving=behaving)) for number in range(size)]


def bears_on_status(event: Event) -> bool:
    """True if the event belongs in the ring."""
    return not (isinstance(event.fact, SignalSeen) and event.fact.kind in BEHAVIOURAL)


def in_order(history: list[Event]) -> list[Event]:
    """The events in the order of their places; behavioural signals, which have none, by time."""
    return sorted(history, key=lambda event: place_of(to_row(event)))


def delivered(history: list[Event], ring_size: int = 96) -> History:
    """The history after these events, delivered in the given order."""
    known = History()
    for event in filter(bears_on_status, history):
        known = known.add(event, TERMS, ring_size).history
    return known


@st.composite
def deliveries(draw: st.DrawFn, history: list[Event]) -> list[Event]:
    """The same events in another order, some of them more than once."""
    again = draw(st.lists(st.sampled_from(history), max_size=len(history)))
    return draw(st.permutations([*history, *again]))


@dataclass(frozen=True, slots=True)
class Arriving:
    """One delivery of one event: its time of arrival and its fault."""

    at: datetime
    event: Event
    fault: Fault | None


delays = st.sampled_from([0, 0, 0, 0.01, 0.5, 2, 4, 40]).map(lambda days: days * DAY)
faults = st.none() | st.sampled_from([None, *Fault])


@st.composite
def arrivals(draw: st.DrawFn, history: list[Event]) -> list[Arriving]:
    """Every event delivered once or more, each time with its own delay, and never before it occurred."""
    again = draw(st.lists(st.sampled_from(history), max_size=len(history)))
    coming = [Arriving(event.occurred_at + draw(delays), event, draw(faults)) for event in [*history, *again]]
    return sorted(coming, key=lambda one: one.at)
