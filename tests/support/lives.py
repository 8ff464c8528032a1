"""Realistic histories, as billing systems report them, for states that random events rarely reach."""

from hypothesis import strategies as st

from shared.domain.events import Event, Fact, PaymentOutcome, PaymentReported, TrialStarted
from tests.support.histories import DAY, START, behaviours, made, plans, profiles, status_signals, subscription_ids


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
        self.ends = self.at + self.draw(st.sampled_from([1, 2, 7, 14])) * DAY
        self.tell(TrialStarted("basic", self.ends, self.draw(st.booleans())))
        if self.draw(st.booleans()):
            self.tell(PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 0, "EUR", self.at, self.ends))

    def charge(self) -> None:
        """Charge for the next period, early, on time or late."""
        self.at = max(self.at, self.ends + self.draw(st.sampled_from([-2, -0.5, 0, 0, 0, 1, 5, 30])) * DAY)
        outcome = self.draw(
            st.sampled_from([PaymentOutcome.SUCCEEDED, PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED])
        )
        period = (self.ends, self.ends + self.draw(st.sampled_from([30, 30, 7, 365])) * DAY)
        plan, final = self.draw(plans), self.draw(st.booleans())
        self.tell(PaymentReported(outcome, plan, 999, "EUR", *period, final=final))
        if outcome is PaymentOutcome.SUCCEEDED:
            self.starts, self.ends = period

    def judge(self) -> None:
        self.at += self.draw(st.sampled_from([0, 0.5, 3])) * DAY
        outcome = self.draw(
            st.sampled_from(sorted(set(PaymentOutcome) - {PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED}))
        )
        self.tell(PaymentReported(outcome, "basic", 999, "EUR", self.starts, max(self.ends, self.starts + DAY)))

    def behave(self) -> None:
        self.at += self.draw(st.sampled_from([0, 0.5, 3, 10])) * DAY
        self.tell(self.draw(status_signals() | behaviours), self.draw(st.sampled_from([None, None, None, "car"])))


@st.composite
def lives(draw: st.DrawFn, max_size: int = 12) -> list[Event]:
    """The events of one user, in order."""
    life = _Life(draw)
    if draw(st.booleans()):
        life.begin_with_a_trial()
    for _ in range(draw(st.integers(1, max_size - 2))):
        draw(st.sampled_from([life.charge, life.charge, life.charge, life.judge, life.behave, life.behave]))()
    return life.told
