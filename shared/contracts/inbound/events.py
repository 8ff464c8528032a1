"""Inbound messages: one model for each topic that producers, consumers or the clock publish to."""

from typing import Annotated

from pydantic import Field, Strict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.contracts.inbound import fields
from shared.contracts.inbound.base import Inbound, InboundEvent
from shared.contracts.inbound.fields import Flag, Id, Plan, Share, Text, Time
from shared.contracts.topics import Topic
from shared.domain import events
from shared.domain.due_shards import ALL_SHARDS, DUE_SHARDS


class TrialStart(InboundEvent):
    """A user started a trial of a plan."""

    TOPIC = Topic.TRIAL_START.value

    plan: Plan = Field(description="The plan on trial, by the name that your billing system uses.")
    trial_ends_at: Time = Field(
        description="The time the trial ends, later than `occurred_at`. To extend or shorten a running trial, "
        "publish another event with the new end."
    )
    auto_renew: Flag = Field(
        default=True,
        description="True (the default) if the plan renews as a paid subscription when the trial ends. If "
        "false, the subscription expires then unless a payment succeeds.",
    )
    price: fields.Amount | None = Field(
        default=None,
        description="The price of the plan after the trial, in whole minor units of `currency` (1099 is 10.99 "
        "EUR). Upbeat validates it but does not use it.",
    )
    currency: fields.Currency | None = Field(
        default=None, description="The currency of `price` as an ISO 4217 code in capitals, for example `EUR`."
    )

    @field_validator("trial_ends_at")
    @classmethod
    def _ends_after_it_begins(cls, value: Time, info: ValidationInfo) -> Time:
        return _later(value, info, than="occurred_at")

    def fact(self) -> events.TrialStarted:
        """Convert to the domain's fact; the price has no part in it."""
        return events.TrialStarted(self.plan, self.trial_ends_at, self.auto_renew)


class Payment(InboundEvent):
    """The result of a payment attempt, refund or dispute for one billing period."""

    TOPIC = Topic.PAYMENT.value

    outcome: fields.Outcome = Field(
        description="The result of the payment attempt, refund or dispute, as the payment provider reports it. "
        "`refunded` and `dispute_lost` take back the paid access, `refund_reversed` and `dispute_won` restore "
        "it."
    )
    plan: Plan = Field(
        description="The plan that the payment is for. It becomes the subscription's plan when the payment "
        "succeeds."
    )
    amount: fields.Amount = Field(
        description="The amount in whole minor units of `currency` (1099 is 10.99 EUR). May be 0: a success of "
        "0 for a period within a trial does not convert the trial."
    )
    currency: fields.Currency = Field(
        description="The currency of `amount` as an ISO 4217 code in capitals, for example `EUR`."
    )
    period_start: Time = Field(
        description="The start of the billing period that the payment is for. A payment for an earlier period "
        "than the current one leaves the current one in place."
    )
    period_end: Time = Field(
        description="The end of that billing period, later than `period_start`. A successful payment gives "
        "access until then."
    )
    final: Flag = Field(
        default=False,
        description="For `failed`: true if the payment will not be retried (default false). The subscription "
        "then expires once no paid or trial time is left.",
    )
    failure_reason: Text | None = Field(
        default=None,
        description="For `failed`: the reason in the producer's words, for example `card_expired`. It has no "
        "effect on the subscription.",
    )
    grace_until: Time | None = Field(
        default=None,
        description="For `failed`: the end of the grace period, in which an unpaid user keeps access. It cannot "
        "cut paid or trial time short; the default is 7 days after grace began.",
    )
    payment_id: Id | None = Field(
        default=None,
        description="The payment provider's id of the payment, which ties a refund or dispute to it. If either "
        "of the two events has none, they are matched by `period_start`.",
    )
    partial: Flag = Field(
        default=False,
        description="For `refunded`: true if only part of the amount was refunded (default false). A partial "
        "refund leaves the subscription as it is.",
    )

    @field_validator("period_end")
    @classmethod
    def _ends_after_it_starts(cls, value: Time, info: ValidationInfo) -> Time:
        return _later(value, info, than="period_start")

    def fact(self) -> events.PaymentReported:
        """Convert to the domain's fact; the failure reason has no part in it."""
        return events.PaymentReported(
            outcome=self.outcome,
            plan=self.plan,
            amount=self.amount,
            currency=self.currency,
            period_start=self.period_start,
            period_end=self.period_end,
            final=self.final,
            grace_until=self.grace_until,
            payment_id=self.payment_id,
            partial=self.partial,
        )


class ChurnSignal(InboundEvent):
    """A sign that a user may leave or will stay: auto-renew off or on, a cancellation, a pause, inactivity."""

    TOPIC = Topic.CHURN_SIGNAL.value

    signal: fields.SignalKind = Field(
        description="The kind of signal. `auto_renew_off` to `price_increase_accepted` update the subscription; "
        "the other five only describe how the user behaves."
    )
    reason: Text | None = Field(
        default=None,
        description="The reason in the user's or the producer's words. Upbeat keeps it only for "
        "`auto_renew_off`, as `auto_renew_reason`.",
    )
    effective_at: Time | None = Field(
        default=None,
        description="The time a cancellation, pause or downgrade takes effect. Without it, a cancellation takes "
        "effect at once, a pause at the end of the paid period, and a downgrade at the end of the paid period "
        "or trial.",
    )
    resume_at: Time | None = Field(
        default=None,
        description="For `pause_scheduled`: the time the pause ends. Without it, the pause lasts until "
        "`resumed` or a successful payment.",
    )
    to_plan: Plan | None = Field(
        default=None, description="For `downgrade_scheduled`: the plan after the downgrade takes effect."
    )
    strength: Share | None = Field(
        default=None,
        description="The strength of a behavioural signal from 0 (weak) to 1 (strong), as the producer rates "
        "it. Audiences and scores can use it.",
    )

    def fact(self) -> events.SignalSeen:
        """Convert to the domain's fact."""
        return events.SignalSeen(
            self.signal, self.reason, self.effective_at, self.resume_at, self.to_plan, self.strength
        )


class TriggerFeedback(InboundEvent):
    """A consumer's report on an offer: delivered, seen, clicked, accepted, dismissed or converted."""

    TOPIC = Topic.TRIGGER_FEEDBACK.value

    trigger_id: Id = Field(
        description="The `trigger_id` of the `upsell-trigger` message. It must be one of the user's recent "
        "triggers; Upbeat keeps at most 48."
    )
    kind: fields.Feedback = Field(
        description="What happened to the offer. If a kind is reported more than once, the report with the "
        "earliest `occurred_at` counts."
    )

    def fact(self) -> events.FeedbackGiven:
        """Convert to the domain's fact."""
        return events.FeedbackGiven(self.trigger_id, self.kind)


class LifecycleDue(InboundEvent):
    """Something is due for one user, at `occurred_at`. Only Upbeat's own clock publishes this."""

    TOPIC = Topic.LIFECYCLE_DUE.value

    def fact(self) -> events.TimePassed:
        """Convert to the domain's fact that time passed."""
        return events.TimePassed()


class LifecycleClock(Inbound):
    """A scheduler tick: Upbeat looks for users with something due. An empty message means the same as `{}`."""

    TOPIC = Topic.LIFECYCLE_CLOCK.value

    shards: Annotated[tuple[fields.Shard, ...], Strict(False)] = Field(
        default=ALL_SHARDS,
        min_length=1,
        max_length=DUE_SHARDS,
        description=f"The shards of the index of due users to read, 0 to {DUE_SHARDS - 1}. Default: all of them.",
    )


def _later(value: Time, info: ValidationInfo, than: str) -> Time:
    """Reject a time that is not after another field's; if that field is itself rejected, accept any time."""
    other = info.data.get(than)
    if other is not None and value <= other:
        raise PydanticCustomError("expected", "a time after {than}", {"than": than, "found": "none after it"})
    return value
