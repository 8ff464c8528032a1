"""Messages in: what producers and the clock may say, each of which turns itself into an event of the domain."""

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
    """A user began a trial of a plan."""

    TOPIC = Topic.TRIAL_START.value

    plan: Plan = Field(description="The plan on trial.")
    trial_ends_at: Time = Field(description="When the trial ends; after occurred_at.")
    auto_renew: Flag = Field(default=True, description="Whether the plan will be paid for when the trial ends.")
    price: fields.Amount | None = Field(
        default=None, description="What the plan will cost, in whole minor units (cents) of the currency."
    )
    currency: fields.Currency | None = Field(default=None, description="ISO 4217 code.")

    @field_validator("trial_ends_at")
    @classmethod
    def _ends_after_it_begins(cls, value: Time, info: ValidationInfo) -> Time:
        return _later(value, info, than="occurred_at")

    def fact(self) -> events.TrialStarted:
        """Say that a trial started."""
        return events.TrialStarted(self.plan, self.trial_ends_at, self.auto_renew)


class Payment(InboundEvent):
    """What became of the payment for one period."""

    TOPIC = Topic.PAYMENT.value

    outcome: fields.Outcome = Field(description="What the payment system says of it.")
    plan: Plan = Field(description="The plan paid for.")
    amount: fields.Amount = Field(description="In whole minor units (cents) of the currency; may be 0.")
    currency: fields.Currency = Field(description="ISO 4217 code.")
    period_start: Time = Field(description="The start of the period paid for.")
    period_end: Time = Field(description="The end of that period; after period_start.")
    final: Flag = Field(default=False, description="Of a failed payment: retries are exhausted.")
    failure_reason: Text | None = Field(default=None, description="Why it failed, in the producer's words.")
    grace_until: Time | None = Field(
        default=None, description="Of a failed payment: until when access lasts. Without it, 7 days of grace."
    )
    payment_id: Id | None = Field(
        default=None, description="Ties a refund or dispute to its payment. Without it, period_start does."
    )
    partial: Flag = Field(default=False, description="Of a refund: only a part of the amount; takes nothing away.")

    @field_validator("period_end")
    @classmethod
    def _ends_after_it_starts(cls, value: Time, info: ValidationInfo) -> Time:
        return _later(value, info, than="period_start")

    def fact(self) -> events.PaymentReported:
        """Say what became of the payment."""
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
    """A sign that a user may leave, or may stay after all."""

    TOPIC = Topic.CHURN_SIGNAL.value

    signal: fields.SignalKind = Field(description="What was seen; the first nine bear on the status.")
    reason: Text | None = Field(default=None, description="Why, in the user's or the producer's words.")
    effective_at: Time | None = Field(
        default=None, description="When a cancellation, pause or downgrade takes effect."
    )
    resume_at: Time | None = Field(default=None, description="When a pause ends.")
    to_plan: Plan | None = Field(default=None, description="The plan after a downgrade.")
    strength: Share | None = Field(default=None, description="How strong a behavioural sign is, 0 to 1.")

    def fact(self) -> events.SignalSeen:
        """Say what was seen."""
        return events.SignalSeen(
            self.signal, self.reason, self.effective_at, self.resume_at, self.to_plan, self.strength
        )


class TriggerFeedback(InboundEvent):
    """A consumer says what became of a trigger."""

    TOPIC = Topic.TRIGGER_FEEDBACK.value

    trigger_id: Id = Field(description="The trigger, by the trigger_id of its message.")
    kind: fields.Feedback = Field(description="What became of it.")

    def fact(self) -> events.FeedbackGiven:
        """Say what became of the trigger."""
        return events.FeedbackGiven(self.trigger_id, self.kind)


class LifecycleDue(InboundEvent):
    """Something of a user's falls due; Upbeat's clock sends it to itself. It occurred when it fell due."""

    TOPIC = Topic.LIFECYCLE_DUE.value

    def fact(self) -> events.TimePassed:
        """Say that time passed."""
        return events.TimePassed()


class LifecycleClock(Inbound):
    """A tick of the scheduler: look for what is due. An empty message says the same as `{}`."""

    TOPIC = Topic.LIFECYCLE_CLOCK.value

    shards: Annotated[tuple[fields.Shard, ...], Strict(False)] = Field(
        default=ALL_SHARDS,
        min_length=1,
        max_length=DUE_SHARDS,
        description="The due shards to look at; without it, all.",
    )


def _later(value: Time, info: ValidationInfo, than: str) -> Time:
    """Refuse a time that is not after another field; says nothing where that one is itself refused."""
    other = info.data.get(than)
    if other is not None and value <= other:
        raise PydanticCustomError("expected", "a time after {than}", {"than": than, "found": "none after it"})
    return value
