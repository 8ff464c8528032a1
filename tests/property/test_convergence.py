"""Law 1, convergence; law 2, idempotence; law 3, late is not lost; law 5, time needs no tick."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.deadlines import advance
from shared.domain.errors import Rejected
from shared.domain.events import Event, Outcome, PaymentReported, TrialStarted
from shared.domain.history import History, fold
from shared.domain.subscription import Status
from shared.domain.terms import Terms
from tests.histories import DAY, START, deliveries, histories, instants

TERMS = Terms()
AFTER = START + 400 * DAY


def delivered(events: list[Event], ring_size: int = 96) -> History:
    history = History()
    for event in events:
        history = history.add(event, TERMS, ring_size).history
    return history


@given(st.data())
def test_every_order_and_duplication_gives_the_same_account(data: st.DataObject) -> None:
    events = data.draw(histories())
    one, other = delivered(sorted(events, key=lambda e: e.key)), delivered(data.draw(deliveries(events)))
    now = data.draw(instants)
    assert one.at(now, TERMS)[0] == other.at(now, TERMS)[0]
    assert one == other


@given(st.data())
def test_a_small_ring_gives_what_a_large_one_gives_while_nothing_comes_late(data: st.DataObject) -> None:
    events = sorted(data.draw(histories()), key=lambda e: e.key)
    assert delivered(events, ring_size=3).head == delivered(events).head


@given(st.data())
def test_convergence_holds_with_a_small_ring_as_long_as_nothing_is_older_than_its_base(
    data: st.DataObject,
) -> None:
    """Blocks of three, each newer than the one before, in any order within themselves."""
    events = sorted(data.draw(histories()), key=lambda e: e.key)
    shuffled = []
    for start in range(0, len(events), 3):
        shuffled += data.draw(st.permutations(events[start : start + 3]))
    assert delivered(shuffled, ring_size=6).head == delivered(events).head


@given(st.data())
def test_the_head_is_the_fold_of_the_ring_onto_the_base(data: st.DataObject) -> None:
    history = delivered(data.draw(histories()), ring_size=5)
    account = history.base
    for event in _ring_events(history):
        account, _ = fold(account, event, TERMS)
    assert account == history.head


def _ring_events(history: History) -> list[Event]:
    from shared.domain.ring import from_row

    return [from_row(row, "user-1") for row in history.ring]


@given(st.data())
def test_an_event_that_comes_again_changes_nothing(data: st.DataObject) -> None:
    events = data.draw(histories())
    history = delivered(events)
    again = history.add(data.draw(st.sampled_from(events)), TERMS)
    assert again.arrival is Arrival.DUPLICATE
    assert again.history is history
    assert again.moments == ()


@given(histories(max_size=4), st.data())
def test_an_identity_with_other_content_is_rejected(events: list[Event], data: st.DataObject) -> None:
    from dataclasses import replace

    history = delivered(events)
    changed = replace(data.draw(st.sampled_from(events)), digest="another")
    with pytest.raises(Rejected) as rejected:
        history.add(changed, TERMS)
    assert rejected.value.reason == "id_reused"


@given(st.data())
def test_a_late_event_repeated_changes_nothing_more(data: st.DataObject) -> None:
    events = data.draw(histories(max_size=12))
    history = delivered(data.draw(st.permutations(events)), ring_size=2)
    for event in data.draw(st.permutations(events)):
        folded = history.add(event, TERMS, 2)
        assert folded.history.add(event, TERMS, 2).history == folded.history
        history = folded.history


@given(st.data())
def test_a_redelivery_of_what_has_left_the_ring_changes_nothing(data: st.DataObject) -> None:
    events = sorted(data.draw(histories(max_size=12)), key=lambda e: e.key)
    history = delivered(events, ring_size=2)
    for event in data.draw(st.permutations(events)):
        assert history.add(event, TERMS, 2).history == history


@given(st.data())
def test_reading_does_not_depend_on_when_it_was_read_before(data: st.DataObject) -> None:
    """Law 5: whether or not deadlines were passed at some earlier tick, the account at `now` is the same."""
    head = delivered(data.draw(histories())).head
    tick, now = sorted([data.draw(instants), data.draw(instants) + 100 * DAY])
    for sub in head.subscriptions:
        ticked = advance(sub, tick, TERMS).subscription
        assert advance(ticked, now, TERMS).subscription == advance(sub, now, TERMS).subscription


@given(st.data())
def test_a_late_success_for_a_later_period_grants_it(data: st.DataObject) -> None:
    events = data.draw(histories(only_main=True))
    history = delivered(sorted(events, key=lambda e: e.key), ring_size=1)
    if history.mark is None:
        return
    at = min(event.occurred_at for event in events) - DAY
    start = max([AFTER, *(e.fact.period_start for e in events if isinstance(e.fact, PaymentReported))]) + DAY
    paid = PaymentReported(Outcome.SUCCEEDED, "late", 999, "EUR", start, start + 30 * DAY, payment_id="late")
    folded = history.add(_event(at, "payment", paid), TERMS, 1)
    assert folded.arrival is Arrival.LATE
    assert folded.history.base.get("main").plan == "late"


@given(histories())
def test_a_late_trial_counts_as_used(events: list[Event]) -> None:
    history = delivered(sorted(events, key=lambda e: e.key), ring_size=1)
    if history.mark is None:
        return
    at = min(event.occurred_at for event in events) - DAY
    folded = history.add(_event(at, "trial-start", TrialStarted("basic", at + DAY)), TERMS, 1)
    assert folded.arrival is Arrival.LATE
    assert folded.history.head.trial_used
    assert [s._replace(as_of=None) for s in folded.history.head.subscriptions] == [
        s._replace(as_of=None) for s in history.head.subscriptions
    ]


@given(histories(max_size=6), instants)
def test_no_failure_takes_paid_or_trial_time(events: list[Event], at: "object") -> None:
    """Whoever is entitled by payment or trial stays so until its end, whatever fails."""
    history = delivered(events)
    sub = history.at(at, TERMS)[0].get("main")
    if sub.shown_status not in {Status.ACTIVE, Status.TRIALING}:
        return
    ends = sub.period_end if sub.status is Status.ACTIVE else sub.trial_ends_at
    start = max(sub.period_end or at, at)
    for final in (False, True):
        failed = PaymentReported(Outcome.FAILED, "basic", 999, "EUR", start, start + DAY, final=final)
        failed_history = delivered(
            [e for e in events if e.occurred_at <= at] + [_event(at, "payment", failed, "zzz")]
        )
        before = delivered([e for e in events if e.occurred_at <= at])
        if ends > at and before.at(ends - timedelta(seconds=1), TERMS)[0].get("main").entitled:
            assert failed_history.at(ends - timedelta(seconds=1), TERMS)[0].get("main").entitled


def _event(at: "object", topic: str, fact: "object", event_id: str = "late-1") -> Event:
    from shared.domain.events import Key

    return Event(Key(at, topic, "late", event_id), "user-1", "main", fact, "late")


def test_an_empty_history_is_an_empty_account() -> None:
    assert History().at(START, TERMS) == (Account(), ())
    assert settings.default is not None
