"""Law 3, late is not lost: payments and verdicts older than the base take effect, and a trial counts as used."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.arrival import Arrival
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
from shared.domain.history import Folded, History
from shared.domain.subscription import Status
from shared.domain.terms import Terms
from tests.support.histories import DAY, LIFETIME, START, USER, bears_on_status, delivered, histories, in_order
from tests.support.lives import lives

TERMS = Terms()
LONG_AGO = START - DAY
LATER = START + 1000 * DAY
some_history = histories(max_size=12, only_main=True) | lives()


def late(history: History, fact: Fact, topic: str = "payment") -> Folded:
    return history.add(Event(Key(LONG_AGO, topic, "", "late"), USER, "main", fact, "late"), TERMS, 2)


@st.composite
def aged(draw: st.DrawFn) -> History:
    """A history with a base and a nearly empty ring."""
    history = delivered(in_order(draw(some_history)), ring_size=draw(st.integers(0, 2)))
    assume(history.mark is not None)
    return history


def success(start_days: float = -1) -> PaymentReported:
    start = START + start_days * DAY
    return PaymentReported(PaymentOutcome.SUCCEEDED, "late", 999, "EUR", start, LIFETIME, payment_id="late")


@given(aged())
def test_a_late_success_for_time_that_runs_gives_access(history: History) -> None:
    """A cancellation and a pause that were said after it occurred go on."""
    before, paid = history.base.get("main"), success()
    assume(not before.waiting)  # a verdict without an id may be about this payment
    assume(paid.period_start not in {grant.start for grant in before.all_grants})  # nor is it told before
    folded = late(history, paid)
    sub = folded.history.base.get("main")
    assert folded.arrival is Arrival.LATE
    assert "late" in {grant.payment_id for grant in sub.all_grants}
    assert sub.entitled or sub.status is Status.PAUSED or history.base.get("main").cut


@given(aged())
def test_a_late_success_for_a_later_period_waits_for_its_start(history: History) -> None:
    sub = late(history, success(start_days=2000)).history.base.get("main")
    assume(not history.base.get("main").cut)
    assert "late" in {grant.payment_id for grant in sub.grants}
    assert sub.live or sub.status is Status.REVOKED


@pytest.mark.slow
@given(aged())
def test_a_late_refund_takes_the_late_success_back(history: History) -> None:
    paid = late(history, success()).history
    refund = PaymentReported(PaymentOutcome.REFUNDED, "late", 999, "EUR", START, LIFETIME, payment_id="late")
    newer = Event(Key(LONG_AGO + DAY / 2, "payment", "", "refund"), USER, "main", refund, "refund")
    sub = paid.base.get("main")
    at = sub.as_of
    assume([grant.payment_id for grant in sub.all_grants if grant.covers(at)] == ["late"])
    assume(sub.pending is None)
    assume(not any(grant.until > LONG_AGO + DAY / 2 for grant in sub.past))
    assume(sub.trial is None)
    assert paid.add(newer, TERMS, 2).history.base.get("main").status is Status.REVOKED


@given(aged())
def test_a_late_trial_counts_as_used_and_no_more(history: History) -> None:
    folded = late(history, TrialStarted("basic", LATER), "trial-start")
    assert folded.arrival is Arrival.LATE
    assert folded.history.head.trial_used
    assert folded.history.head.subscriptions == history.head.subscriptions


@given(aged(), st.sampled_from([PaymentOutcome.PENDING, PaymentOutcome.FAILED]))
def test_a_late_failure_or_pending_payment_only_counts_as_late(history: History, outcome: PaymentOutcome) -> None:
    reported = PaymentReported(outcome, "late", 999, "EUR", LATER, LIFETIME, final=True)
    assert late(history, reported) == Folded(history, Arrival.LATE)


@given(aged())
def test_a_late_signal_only_counts_as_late(history: History) -> None:
    assert late(history, SignalSeen(Signal.CANCELLED), "churn-signal") == Folded(history, Arrival.LATE)


@given(st.data())
def test_a_late_event_repeated_changes_nothing_more(data: st.DataObject) -> None:
    events = [*filter(bears_on_status, data.draw(some_history))]
    size = data.draw(st.integers(0, 3))
    history = delivered(data.draw(st.permutations(events)), ring_size=size)
    for event in data.draw(st.permutations(events)):
        folded = history.add(event, TERMS, size)
        assert folded.history.add(event, TERMS, size).history == folded.history
        history = folded.history


@pytest.mark.slow
@given(st.data())
def test_whoever_paid_in_time_is_entitled_however_late_the_news(data: st.DataObject) -> None:
    """A period that covers the mark is reported late, for a user with no other events than signals."""
    harmless = [e for e in data.draw(histories(only_main=True)) if e.key.topic == "churn-signal"]
    history = delivered(in_order(harmless), ring_size=0)
    assume(history.mark is not None)
    folded = late(history, success())
    assert folded.history.head.get("main").status is Status.ACTIVE
