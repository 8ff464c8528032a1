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
