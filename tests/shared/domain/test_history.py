"""The ring, and events older than it: only successes, verdicts and trial starts still count."""

import pytest

from shared.domain.account import MAX_SUBSCRIPTIONS
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, PaymentOutcome, Signal, TrialStarted
from shared.domain.history import RING_SIZE, Folded, History
from shared.domain.instants import to_micros
from shared.domain.ring import from_row
from shared.domain.subscription import Status
from tests.support.story import (
    TERMS,
    USER,
    after,
    auto_renew_off,
    awaited,
    cancelled,
    day,
    extended,
    failed,
    paid,
    paused,
    payment,
    refunded,
    report,
    signal,
    trial,
)

MARK = 100
"""The day of the newest event in the base of the histories in these tests."""


def aged(*events: Event) -> History:
    """A history with an empty ring, whose base holds these events and an insignificant one on the mark's day."""
    history = History()
    for event in (*events, signal(Signal.PRICE_INCREASE_ACCEPTED, MARK)):
        history = history.add(event, TERMS, ring_size=0).history
    return history


def late(history: History, event: Event) -> Folded:
    return history.add(event, TERMS)


def status(history: History, on: float) -> Status:
    return history.at(day(on), TERMS)[0].best.status


def test_the_ring_holds_the_newest_96() -> None:
    history = History()
    for on in range(RING_SIZE + 4):
        history = history.add(paid(on), TERMS).history
    assert RING_SIZE == len(history.ring) == 96
    assert from_row(history.ring[0], USER).occurred_at == day(4)
    assert history.mark
    assert history.mark[0] == to_micros(day(3))


def test_the_newest_event_of_the_base_is_not_applied_again_when_it_is_redelivered() -> None:
    """It has the very place of the mark: a row beside it in the ring would count it twice."""
    newest = paid(99)
    history = History().add(newest, TERMS, ring_size=0).history
    again = history.add(newest, TERMS)
    assert (again.arrival, again.history.ring, again.history.head) == (Arrival.LATE, (), history.head)


def test_an_event_that_is_known_in_the_ring_is_a_duplicate_and_the_history_stays_the_very_same() -> None:
    event = paid(0)
    history = History().add(event, TERMS).history
    again = history.add(event, TERMS)
    assert again.history is history
    assert (again.arrival, again.moments) == (Arrival.DUPLICATE, ())


@pytest.mark.parametrize("part", ["topic", "source", "event_id"])
def test_an_event_with_another_topic_source_or_id_is_another_event(part: str) -> None:
    event = paid(0)
    other = event._replace(key=event.key._replace(**{part: "another"}))
    again = History().add(event, TERMS).history.add(other, TERMS)
    assert (again.arrival, len(again.history.ring)) == (Arrival.APPLIED, 2)


def test_a_known_id_with_other_content_is_refused() -> None:
    event = paid(0)
    history = History().add(event, TERMS).history
    with pytest.raises(Rejected, match="id_reused"):
        history.add(event._replace(digest="another"), TERMS)


def test_a_late_event_of_another_subscription_takes_effect_at_the_mark_too() -> None:
    folded = late(aged(), of("second", paid(50, start=90, end=120)))
    assert folded.history.base.get("second").as_of == day(MARK)


def test_a_late_verdict_that_changes_nothing_leaves_its_subscription_as_it_was() -> None:
    """Also where the mark is newer than the last event of that subscription."""
    older = of("second", paid(80, end=120)), of("second", payment(PaymentOutcome.DISPUTE_WON, 90, start=80))
    history = aged(*older)
    folded = late(history, of("second", payment(PaymentOutcome.DISPUTE_LOST, 85, start=80)))
    assert folded.history is history


def test_a_late_success_of_a_ninth_subscription_takes_the_place_of_the_least_valuable() -> None:
    paid_ones = [of(f"paid-{number}", paid(95, end=130)) for number in range(MAX_SUBSCRIPTIONS - 1)]
    history = History()
    for event in (of("ended", paid(10, end=20, auto_renew=False)), *paid_ones):
        history = history.add(event, TERMS, ring_size=0).history
    grown = late(history, of("ninth", paid(50, start=90, end=120))).history.base
    assert [sub.id for sub in grown.subscriptions] == ["ninth", *(f"paid-{number}" for number in range(7))]


@pytest.mark.parametrize("events", [[paid(0), paid(30)], [paid(0), failed(30), paid(31), cancelled(40)], []])
@pytest.mark.parametrize("on", [0, 30, 30.5, 99])
def test_up_to_an_instant_a_history_is_what_it_was_then(events: list[Event], on: float) -> None:
    """The base is older; the event of that very instant had been seen."""
    whole = after_base(*events)
    assert whole.up_to(day(on), TERMS, USER) == after_base(*(one for one in events if one.occurred_at <= day(on)))
    assert whole.up_to(day(99), TERMS, USER) is whole


OLD = trial(-20, ends=-10)


def after_base(*events: Event) -> History:
    history = History().add(OLD, TERMS, ring_size=0).history
    for event in events:
        history = history.add(event, TERMS).history
    return history


def test_one_that_has_ended_by_the_mark_is_evicted_before_an_older_one_that_has_not() -> None:
    history = History()
    for event in (of("older", paid(0, end=365)), of("ended", paid(10, end=20, auto_renew=False)), paid(30)):
        history = history.add(event, TERMS, ring_size=0).history
    evicted = history.evict_least_valuable(TERMS)
    assert [sub.id for sub in evicted.head.subscriptions] == ["main", "older"]
    assert evicted == history._replace(base=evicted.head, head=evicted.head)


def test_of_a_history_without_a_mark_the_oldest_is_evicted() -> None:
    head = after(of("newer", paid(1)), of("older", paid(0))).history.head
    evicted = History(base=head, head=head).evict_least_valuable(TERMS)
    assert [sub.id for sub in evicted.head.subscriptions] == ["newer"]


def of(subscription_id: str, event: Event) -> Event:
    """The event, of another subscription."""
    return event._replace(subscription_id=subscription_id)


def test_a_ring_can_be_emptied() -> None:
    assert aged(paid(99)).ring == ()


def test_a_late_success_takes_effect_at_the_mark() -> None:
    folded = late(aged(), paid(50, start=90, end=120))
    assert folded.arrival is Arrival.LATE
    assert status(folded.history, MARK) is Status.ACTIVE
    assert folded.history.base.best.since == day(MARK)


def test_a_late_refund_takes_effect() -> None:
    folded = late(aged(paid(80, end=120)), refunded(85, start=80))
    assert folded.arrival is Arrival.LATE
    assert status(folded.history, MARK) is Status.REVOKED


def test_a_late_verdict_older_than_the_one_that_stands_changes_nothing() -> None:
    history = aged(paid(80, end=120), payment(PaymentOutcome.DISPUTE_WON, 90, start=80))
    assert late(history, payment(PaymentOutcome.DISPUTE_LOST, 85, start=80)).history is history


def test_a_late_refund_of_a_period_that_was_over_changes_no_status() -> None:
    history = aged(paid(60, end=95))
    assert status(late(history, refunded(97, start=60)).history, MARK) is status(history, MARK) is Status.GRACE


def test_a_late_refund_of_a_period_that_ran_takes_the_grace_after_it() -> None:
    folded = late(aged(paid(60, end=95)), refunded(90, start=60))
    assert status(folded.history, MARK) is Status.EXPIRED


def test_a_late_extension_takes_effect() -> None:
    folded = late(aged(paid(80, end=95)), extended(90, start=80, end=120))
    assert folded.arrival is Arrival.LATE
    assert [status(folded.history, on) for on in (MARK, 119.9, 120)] == [
        Status.ACTIVE,
        Status.ACTIVE,
        Status.GRACE,
    ]


def test_a_late_verdict_waits_for_a_payment_that_is_late_too() -> None:
    folded = late(aged(), report(PaymentOutcome.REFUNDED, 92, payment_id="p1"))
    again = late(folded.history, paid(90, end=120, payment_id="p1"))
    assert status(again.history, MARK) is Status.REVOKED


@pytest.mark.parametrize(
    "told",
    [
        [report(PaymentOutcome.REFUNDED, 92, payment_id=name) for name in ("p1", "p2")],
        [extended(92, start=110, end=end) for end in (130, 140)],
        [extended(92, start=start, end=140) for start in (110, 120)],
    ],
    ids=["ids", "ends", "starts"],
)
def test_late_verdicts_of_one_instant_wait_in_one_order(told: list[Event]) -> None:
    history = aged()
    one, other = (late(late(history, first).history, second).history for first, second in (told, told[::-1]))
    assert one == other
    assert len(one.base.best.waiting) == 2


def test_a_late_success_yields_to_auto_renew_off_that_was_said_after_it_occurred() -> None:
    folded = late(aged(paid(80, end=120), auto_renew_off(95)), paid(90, start=110, end=140, plan="premium"))
    assert [status(folded.history, on) for on in (120, 139.9, 140)] == [
        Status.ACTIVE,
        Status.ACTIVE,
        Status.EXPIRED,
    ]


@pytest.mark.parametrize("plan", ["basic", "premium"])
def test_a_late_success_yields_to_a_cancellation_that_was_said_after_it_occurred(plan: str) -> None:
    folded = late(aged(paid(80, end=120), cancelled(95)), paid(90, end=130, plan=plan))
    assert status(folded.history, MARK) is Status.EXPIRED


@pytest.mark.parametrize(
    ("scheduled", "then"),
    [(paused(95, effective=105), Status.PAUSED), (cancelled(95, effective=105), Status.EXPIRED)],
)
def test_a_late_success_yields_to_what_was_scheduled_after_it_occurred(scheduled: Event, then: Status) -> None:
    folded = late(aged(paid(80, end=120), scheduled), paid(90, start=110, end=140))
    assert status(folded.history, 105) is then


@pytest.mark.parametrize("scheduled", [paused(85, effective=105), cancelled(85, effective=105)])
def test_a_late_success_overtakes_what_was_scheduled_before_it_occurred(scheduled: Event) -> None:
    folded = late(aged(paid(80, end=120), scheduled), paid(90, start=110, end=140))
    assert [status(folded.history, on) for on in (105, 139.9)] == [Status.ACTIVE, Status.ACTIVE]


def test_a_late_success_ends_a_pause_that_was_asked_before_it_occurred() -> None:
    folded = late(aged(paid(80, end=120), paused(85, effective=95)), paid(90, end=130))
    assert status(folded.history, MARK) is Status.ACTIVE


def test_a_late_success_ends_no_failure_that_came_after_it_occurred() -> None:
    folded = late(aged(paid(60, end=90), failed(95, start=90)), paid(92, end=110))
    assert status(folded.history, MARK) is Status.ACTIVE
    assert folded.history.head.best.failing


def test_a_late_success_converts_the_trial_in_which_its_period_begins() -> None:
    folded = late(aged(trial(90, ends=110)), paid(95, end=125))
    assert [moment.kind for moment in folded.moments] == ["trial.converted"]
    assert [status(folded.history, on) for on in (MARK, 124.9, 125)] == [
        Status.ACTIVE,
        Status.ACTIVE,
        Status.GRACE,
    ]


def test_what_leaves_the_ring_folds_into_the_base_with_its_instants() -> None:
    """The same events give the same subscription, whether all are in the ring or all in the base."""
    told = [paid(0), failed(30, grace_until=40), auto_renew_off(33), paid(35, start=30), paused(50, effective=55)]
    kept, folded = History(), History()
    for event in told:
        kept = kept.add(event, TERMS).history
        folded = folded.add(event, TERMS, ring_size=0).history
    assert folded.base == folded.head == kept.head
    assert kept.base != kept.head


def test_a_late_trial_only_sets_trial_used() -> None:
    folded = late(aged(), trial(50, ends=150))
    assert folded.history.head.trial_used
    assert status(folded.history, MARK) is Status.NONE


@pytest.mark.parametrize(
    "event",
    [failed(50, final=True), awaited(50), cancelled(50), auto_renew_off(50), paused(50), failed(99, start=120)],
)
def test_every_other_event_only_counts_as_late(event: Event) -> None:
    history = aged(paid(90, end=120))
    folded = late(history, event)
    assert folded.arrival is Arrival.LATE
    assert folded.history is history
    assert folded.moments == ()


@pytest.mark.parametrize("event", [paid(50, start=90, end=120), refunded(95, start=90), trial(50, ends=99)])
def test_a_late_event_that_is_redelivered_changes_nothing_more(event: Event) -> None:
    history = late(aged(paid(90, end=120)), event).history
    again = late(history, event)
    assert again.history is history
    assert again.moments == ()


def test_the_ring_is_folded_again_after_a_late_event() -> None:
    history = aged().add(failed(121, start=120, grace_until=150), TERMS).history
    folded = late(history, paid(50, start=90, end=120))
    assert status(folded.history, 140) is Status.GRACE
    assert folded.history.ring == history.ring


def test_the_moments_of_a_late_event_are_dated_at_the_mark() -> None:
    folded = late(aged(), paid(50, start=90, end=120))
    assert [(moment.kind, moment.at) for moment in folded.moments] == [("activated", day(MARK))]


def test_a_row_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="not a row of the ring: it has 2 columns"):
        from_row((0, "payment", "", "e", "main", "d", 0, "barter", 1), USER)


def test_only_an_event_that_can_change_a_status_has_a_row() -> None:
    assert isinstance(from_row(History().add(trial(0), TERMS).history.ring[0], USER).fact, TrialStarted)
