from datetime import UTC, datetime

import pytest

from infra.terminal import wording
from shared.domain.events import (
    Event,
    FeedbackGiven,
    FeedbackKind,
    Key,
    PaymentOutcome,
    PaymentReported,
    ReasonCode,
    Signal,
    SignalSeen,
    TimePassed,
    TrialStarted,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def event(fact, subscription_id="main"):
    return Event(Key(NOON, "topic", "", "e-1"), "u", subscription_id, fact, "digest")


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (TrialStarted("premium", LATER), "trial started: premium, until 2026-02-01 00:00"),
        (TrialStarted("premium", LATER, False), "trial started: premium, until 2026-02-01 00:00, auto_renew no"),
        (
            PaymentReported(
                PaymentOutcome.FAILED, "premium", 999, "EUR", NOON, LATER, final=True, grace_until=LATER
            ),
            "payment failed: premium, 2026-01-01 to 2026-02-01, final, grace_until 2026-02-01 00:00",
        ),
        (TrialStarted("premium", LATER, True), "trial started: premium, until 2026-02-01 00:00, auto_renew yes"),
        (PaymentReported(PaymentOutcome.FAILED), "payment failed"),
        (PaymentReported(PaymentOutcome.FAILED, final=True), "payment failed: final"),
        (
            PaymentReported(PaymentOutcome.PENDING, "premium", grace_until=LATER),
            "payment pending: premium, grace_until 2026-02-01 00:00",
        ),
        (
            PaymentReported(PaymentOutcome.SUCCEEDED, "gift", 0, "EUR", NOON, LATER, auto_renew=False),
            "payment succeeded: gift, 2026-01-01 to 2026-02-01, auto_renew no",
        ),
        (
            PaymentReported(PaymentOutcome.REFUNDED, payment_id="in_1", keeps_access=True),
            "payment refunded: keeps access, payment_id in_1",
        ),
        (
            PaymentReported(PaymentOutcome.REFUNDED, payment_id="x" * 256, partial=True),
            f"payment refunded: partial, payment_id {'x' * 32}...",
        ),
        (PaymentReported(PaymentOutcome.DISPUTED, period_start=NOON), "payment disputed: from 2026-01-01"),
        (
            PaymentReported(PaymentOutcome.EXTENDED, period_end=LATER, payment_id="in_1"),
            "payment extended: until 2026-02-01, payment_id in_1",
        ),
        (
            SignalSeen(Signal.CANCELLED, "too dear", reason_code=ReasonCode.PRICE_INCREASE),
            "signal: cancelled, reason too dear, reason_code price_increase",
        ),
        (
            SignalSeen(Signal.PRICE_INCREASE_PENDING, price=1299, currency="EUR", agree_until=NOON),
            "signal: price_increase_pending, price 1299 minor units of EUR, agree_until 2026-01-01 12:00",
        ),
        (
            SignalSeen(Signal.PRICE_INCREASE_PENDING, price=0),
            "signal: price_increase_pending, price 0 minor units",
        ),
        (SignalSeen(Signal.PLAN_CHANGED, to_plan="basic"), "signal: plan_changed, to_plan basic"),
        (SignalSeen(Signal.INACTIVITY), "signal: inactivity"),
        (
            SignalSeen(Signal.DOWNGRADE_SCHEDULED, reason="price", effective_at=LATER, to_plan="basic"),
            "signal: downgrade_scheduled, reason price, effective_at 2026-02-01 00:00, to_plan basic",
        ),
        (FeedbackGiven("0123456789abcdef", FeedbackKind.CLICKED), "feedback: clicked of trigger 01234567"),
        (TimePassed(), "time passed"),
    ],
)
def test_an_event_is_told_in_one_line(fact, told):
    assert wording.of_event(event(fact)) == told


def test_an_event_of_another_subscription_names_it():
    assert wording.of_event(event(SignalSeen(Signal.INACTIVITY), "car")) == "signal: inactivity [car]"


def test_a_change_tells_the_status_and_what_else_is_another():
    before = {"status": "active", "entitled": True, "grace_until": "2026-01-01T00:00:00Z"}
    after = {
        "status": "grace",
        "entitled": True,
        "grace_until": "2026-02-01T00:00:00Z",
        "plan": "2026",
        "cancel_at": None,
    }
    told = wording.of_change({"before": before, "after": after})
    assert told == "active -> grace, grace_until 2026-02-01 00:00, plan 2026"


def test_a_change_that_leaves_the_status_tells_it_once():
    facts = {"status": "active", "entitled": True, "auto_renew": False}
    assert wording.of_change({"before": facts, "after": facts}) == "active, auto_renew no"


def test_a_change_of_no_fact_tells_its_moments():
    facts = {"status": "active", "entitled": True}
    body = {"before": facts, "after": facts, "changed": [], "moments": [{"kind": "lapsed"}, {"kind": "renewed"}]}
    assert wording.of_change(body) == "lapsed, renewed"
