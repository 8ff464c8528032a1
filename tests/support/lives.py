"""Realistic histories, as billing systems report them, for states that random events rarely reach."""

from hypothesis import strategies as st

from shared.domain.events import Event, Fact, PaymentOutcome, PaymentReported, TrialStarted
from tests.support.histories import (
    DAY,
    START,
    booleans,
    made,
    maybe_renews,
    payment_ids,
    plans,
    profiles,
    signals,
    subscription_ids,
)

# Each strategy is built once, as in tests/support/histories.py.
trial_days = st.sampled_from([1, 2, 7, 14])
charge_delay_days = st.sampled_from([-2, -0.5, 0, 0, 0, 1, 5, 30])
charge_outcomes = st.sampled_from([PaymentOutcome.SUCCEEDED, PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED])
period_days = st.sampled_from([30, 30, 7, 365])
verdict_delay_days = st.sampled_from([0, 0.5, 3])
verdicts = st.sampled_from(sorted(set(PaymentOutcome) - {PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED}))
signal_delay_days = st.sampled_from([0, 0.5, 3, 10])
other_subscriptions = st.sampled_from([None, None, None, "car"])


class _Life:
    """One user of a billing system: periods follow each other, fail, recover and are refunded."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.at = self.starts = self.ends = START
        self.subscription_id = draw(subscription_ids)
        self.told: list[Event] = []

    def tell(self, fact: Fact, subscription_id: str | None = None) -> None:
        topic = {TrialStarted: "trial-start", PaymentReported: "payment"}.get(type(fact), "churn-signal")
        sub = subscription_id or self.subscription_id
        self.told.append(made(len(self.told), self.at, topic, fact, sub, profile=self.draw(profiles)))

    def begin_with_a_trial(self) -> None:
        self.ends = self.at + self.draw(trial_days) * DAY
        self.tell(TrialStarted("basic", self.ends, self.draw(booleans)))
        if self.draw(booleans):
            self.tell(PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 0, "EUR", self.at, self.ends))

    def charge(self) -> None:
        """Charge for the next period, early, on time or late."""
        self.at = max(self.at, self.ends + self.draw(charge_delay_days) * DAY)
        outcome = self.draw(charge_outcomes)
        period = (self.ends, self.ends + self.draw(period_days) * DAY)
        plan, final = self.draw(plans), self.draw(booleans)
        renews, paid_id = self.draw(maybe_renews), self.draw(payment_ids)
        about = {"final": final, "auto_renew": renews, "payment_id": paid_id}
        self.tell(PaymentReported(outcome, plan, 999, "EUR", *period, **about))
        if outcome is PaymentOutcome.SUCCEEDED:
            self.starts, self.ends = period

    def judge(self) -> None:
        self.at += self.draw(verdict_delay_days) * DAY
        outcome = self.draw(verdicts)
        self.tell(PaymentReported(outcome, "basic", 999, "EUR", self.starts, max(self.ends, self.starts + DAY)))

    def behave(self) -> None:
        self.at += self.draw(signal_delay_days) * DAY
        self.tell(self.draw(signals), self.draw(other_subscriptions))


steps = st.sampled_from([_Life.charge, _Life.charge, _Life.charge, _Life.judge, _Life.behave, _Life.behave])


@st.composite
def lives(draw: st.DrawFn, max_size: int = 12) -> list[Event]:
    """The events of one user, in order."""
    life = _Life(draw)
    if draw(booleans):
        life.begin_with_a_trial()
    for _ in range(draw(st.integers(1, max_size - 2))):
        draw(steps)(life)
    return life.told
