"""The ring's rows: every column has one name, every event comes back from its row, and rows have one order."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from shared.domain.events import (
    Event,
    Ownership,
    PaymentOutcome,
    PaymentReported,
    Profile,
    Purchase,
    ReasonCode,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.instants import to_micros
from shared.domain.ring import (
    DIGEST,
    EVENT_ID,
    FACT,
    KEY,
    OCCURRED_AT,
    ORDER,
    SOURCE,
    SUBSCRIPTION_ID,
    TOPIC,
    fact_of,
    from_row,
    key_of,
    place_of,
    to_row,
)
from tests.support.histories import events
from tests.support.story import (
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    day,
    disputed,
    downgraded,
    event,
    extended,
    failed,
    lost,
    paid,
    paused,
    plan_change_scheduled,
    plan_changed,
    refund_reversed,
    refunded,
    resumed,
    signal,
    trial,
    won,
)

PURCHASE = Purchase("app_store", "com.example.annual", Ownership.FAMILY, 3, 999, "EUR")


@given(events(1))
def test_each_column_holds_what_its_name_says(event: Event) -> None:
    row = to_row(event)
    assert row[OCCURRED_AT] == to_micros(event.occurred_at)
    assert (row[TOPIC], row[SOURCE], row[EVENT_ID]) == event.key[1:]
    assert (row[SUBSCRIPTION_ID], row[DIGEST], row[ORDER]) == (event.subscription_id, event.digest, event.order)
    assert (key_of(row), fact_of(row)) == (event.key, event.fact)
    assert (*row[KEY], row[SUBSCRIPTION_ID], row[DIGEST], row[ORDER], *row[FACT]) == row


@given(events(1))
def test_an_event_comes_back_from_its_row_without_its_profile(event: Event) -> None:
    expected = event._replace(profile=Profile(), attributes=(), dropped=())
    assert from_row(to_row(event), event.user_id) == expected


@pytest.mark.parametrize(
    "fact",
    [
        TrialStarted("basic", day(14), purchase=PURCHASE),
        TrialStarted("basic", day(14), auto_renew=True),
        TrialStarted("basic", day(14), auto_renew=False),
        PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 0, "EUR", day(0), day(30), auto_renew=False),
        PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 999, "EUR", day(0), day(30), auto_renew=True),
        PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 999, "EUR", day(0), day(30), purchase=PURCHASE),
        PaymentReported(PaymentOutcome.FAILED),
        PaymentReported(PaymentOutcome.FAILED, final=True, grace_until=day(3)),
        PaymentReported(PaymentOutcome.REFUNDED, payment_id="p1", keeps_access=True),
        PaymentReported(PaymentOutcome.REFUNDED, period_start=day(0), partial=True),
        PaymentReported(PaymentOutcome.EXTENDED, period_end=day(9)),
        PaymentReported(PaymentOutcome.PENDING, "basic", grace_until=day(9)),
        SignalSeen(Signal.RESUMED),
        SignalSeen(Signal.CANCELLED, "too dear", day(9), reason_code=ReasonCode.VOLUNTARY),
        SignalSeen(Signal.PRICE_INCREASE_PENDING, None, day(9), price=1299, currency="EUR", agree_until=day(8)),
        SignalSeen(Signal.PAUSE_SCHEDULED, resume_at=day(9)),
        SignalSeen(Signal.PLAN_CHANGED, to_plan="premium"),
        SignalSeen(Signal.PRICE_INCREASE_PENDING, agree_until=day(8)),
        TrialStarted("basic", day(14), purchase=Purchase(current_price=999)),
    ],
)
def test_every_fact_comes_back_from_its_row(fact: Any) -> None:
    told = event(0, "topic", fact, order=7)
    assert from_row(to_row(told), told.user_id) == told


@given(events(1), events(2))
def test_rows_of_different_instants_sort_by_these(one: Event, other: Event) -> None:
    if one.occurred_at != other.occurred_at:
        assert (place_of(to_row(one)) < place_of(to_row(other))) == (one.occurred_at < other.occurred_at)


@given(events(1), events(2))
def test_two_events_never_have_one_place(one: Event, other: Event) -> None:
    assert place_of(to_row(one)) != place_of(to_row(other))


AT_ONE_INSTANT = {
    "cancelled": [cancelled(0)],
    "a trial start": [trial(0)],
    "pending": [awaited(0)],
    "failed": [failed(0)],
    "succeeded": [paid(0)],
    "extended": [extended(0, end=40)],
    "disputed": [disputed(0, start=0)],
    "refunded": [refunded(0, start=0)],
    "lost": [lost(0, start=0)],
    "reversed": [refund_reversed(0, start=0)],
    "won": [won(0, start=0)],
    "auto-renew off": [auto_renew_off(0)],
    "auto-renew on": [auto_renew_on(0)],
    "a pause": [paused(0)],
    "resumed": [resumed(0)],
    "other signals": [
        plan_changed(0, "premium"),
        plan_change_scheduled(0, "premium"),
        downgraded(0, "mini"),
        signal(Signal.PLAN_CHANGE_UNDONE, 0),
        signal(Signal.PRICE_INCREASE_PENDING, 0),
        signal(Signal.PRICE_INCREASE_ACCEPTED, 0),
        signal(Signal.PRICE_INCREASE_DECLINED, 0),
    ],
}
"""The kinds of events in their order at one instant."""


@pytest.mark.parametrize(
    ("before", "after"), list(pairwise(AT_ONE_INSTANT)), ids=[f"{a}, {b}" for a, b in pairwise(AT_ONE_INSTANT)]
)
def test_at_one_instant_one_kind_goes_before_the_other_whatever_their_order_and_identity(
    before: str, after: str
) -> None:
    for first in AT_ONE_INSTANT[before]:
        for second in AT_ONE_INSTANT[after]:
            late = first._replace(order=9, key=first.key._replace(event_id="z"))
            early = second._replace(order=-9, key=second.key._replace(event_id="a"))
            assert place_of(to_row(late)) < place_of(to_row(early))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (paid(0, start=9, order=1, event_id="z"), paid(0, start=0, order=2, event_id="a")),
        (paid(0, start=0, event_id="z"), paid(0, start=1, event_id="a")),
        (paid(0, end=30, event_id="z"), paid(0, end=31, event_id="a")),
        (paid(0, plan="basic", event_id="z"), paid(0, plan="premium", event_id="a")),
        (paid(0, amount=0, event_id="z"), paid(0, amount=1, event_id="a")),
        (paid(0, event_id="a"), paid(0, event_id="b")),
        (trial(0, ends=9, event_id="z"), trial(0, ends=10, event_id="a")),
        (trial(0, plan="basic", event_id="z"), trial(0, plan="premium", event_id="a")),
        (cancelled(0, order=-1, event_id="z"), cancelled(0, event_id="a")),
        (downgraded(0, "basic", event_id="a"), downgraded(0, "basic", event_id="b")),
    ],
    ids=["order", "start", "end", "plan", "amount", "identity", "trial end", "trial plan", "signal", "signals"],
)
def test_events_of_one_kind_and_instant_go_by_order_start_end_plan_amount_and_identity(
    before: Event, after: Event
) -> None:
    assert place_of(to_row(before)) < place_of(to_row(after))


def test_only_facts_that_bear_on_the_status_have_a_row() -> None:
    with pytest.raises(TypeError, match="the ring holds no int"):
        to_row(event(0, "topic", 1))
