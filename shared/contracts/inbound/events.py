"""Inbound messages: one model for each topic that producers, consumers or the clock publish to."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, Strict, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.inbound import fields
from shared.contracts.inbound.base import Inbound, InboundEvent, PurchaseEvent, UserEvent
from shared.contracts.inbound.fields import Flag, Id, Plan, Share, Text, Time
from shared.contracts.inbound.rules import Problem, broken, has, if_one_of
from shared.contracts.topics import Topic
from shared.domain import events
from shared.domain.due_shards import ALL_SHARDS, DUE_SHARDS
from shared.domain.events import PaymentOutcome, Signal

VERDICTS = frozenset(
    {
        PaymentOutcome.REFUNDED,
        PaymentOutcome.REFUND_REVERSED,
        PaymentOutcome.DISPUTED,
        PaymentOutcome.DISPUTE_WON,
        PaymentOutcome.DISPUTE_LOST,
    }
)
"""Outcomes that judge an earlier payment, which they must name."""
NAMES_OF_A_PAYMENT = ("payment_id", "period_start")
"""The fields by which a verdict names its payment: it needs one of them."""
NOTHING: frozenset[str] = frozenset()
NEEDED_BY_OUTCOME = {
    PaymentOutcome.SUCCEEDED: frozenset({"plan", "amount", "currency", "period_start", "period_end"}),
    PaymentOutcome.PENDING: frozenset({"plan"}),
    PaymentOutcome.EXTENDED: frozenset({"period_end"}),
}
"""The fields that a payment of each outcome needs; those of other outcomes need none."""
PLAN_CHANGES = frozenset({Signal.PLAN_CHANGED, Signal.PLAN_CHANGE_SCHEDULED, Signal.DOWNGRADE_SCHEDULED})
"""Signals that need a `to_plan`."""


class TrialStart(PurchaseEvent):
    """A user started a trial of a plan."""

    TOPIC = Topic.TRIAL_START.value
    # True was the default before a value given and a field left out came to differ.
    FORMER_DEFAULTS: ClassVar[Mapping[str, object]] = {"auto_renew": True}

    plan: Plan = Field(description="The plan on trial, by the name that your billing system uses.")
    trial_ends_at: Time = Field(
        description="The time the trial ends, later than `occurred_at`. To extend or shorten a running trial, "
        "publish another event with the new end."
    )
    auto_renew: Flag | None = Field(
        default=None,
        description="True if the plan renews as a paid subscription when the trial ends; if false, the "
        "subscription expires then unless a payment succeeds. Left out, the plan renews, unless the user has "
        "turned auto-renew off; a value given here overrides what was said before.",
    )
    price: fields.Amount | None = Field(
        default=None,
        description="The price of the plan per period after the trial, in whole minor units of `currency` (1099 "
        "is 10.99 EUR).",
    )
    currency: fields.Currency | None = Field(
        default=None, description=f"The currency of `price` {fields.AS_A_CURRENCY}"
    )

    @field_validator("trial_ends_at")
    @classmethod
    def _ends_after_it_begins(cls, value: Time, info: ValidationInfo) -> Time:
        occurred_at = info.data.get("occurred_at")  # missing if it is itself rejected
        if occurred_at is not None and value <= occurred_at:
            raise PydanticCustomError("expected", "a time after occurred_at", {"found": "none after it"})
        return value

    def fact(self) -> events.TrialStarted:
        """Convert to the domain's fact."""
        purchase = self.purchase(self.price, self.currency)
        return events.TrialStarted(self.plan, self.trial_ends_at, self.auto_renew, purchase)


class Payment(PurchaseEvent):
    """The result of a payment attempt, a refund, a dispute, or an extension of the time paid for."""

    TOPIC = Topic.PAYMENT.value
    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                *(if_one_of("outcome", [outcome], has(*names)) for outcome, names in NEEDED_BY_OUTCOME.items()),
                if_one_of("outcome", VERDICTS, {"anyOf": [has(name) for name in NAMES_OF_A_PAYMENT]}),
                {"if": has("amount"), "then": has("currency")},
                {"not": has("grace", "grace_until")},
            ]
        }
    )

    outcome: fields.Outcome = Field(
        description="The result of the payment attempt, refund or dispute, as the payment provider reports it. "
        "`refunded` and `dispute_lost` take back the paid access, `refund_reversed` and `dispute_won` restore "
        "it. `extended` means that support or the store moved the end of a paid period."
    )
    plan: Plan | None = Field(
        default=None,
        description="The plan that the payment is for, required for `succeeded` and `pending`. It becomes the "
        "subscription's plan when the payment succeeds. A failure without it is about the current plan.",
    )
    amount: fields.Amount | None = Field(
        default=None,
        description="The amount in whole minor units of `currency` (1099 is 10.99 EUR), required for "
        "`succeeded`. May be 0: a success of 0 for a period within a trial does not convert the trial.",
    )
    currency: fields.Currency | None = Field(
        default=None,
        description=f"The currency of `amount` and `current_price` {fields.AS_A_CURRENCY} Required with an "
        "`amount`.",
    )
    current_price: fields.Amount | None = Field(
        default=None,
        description="The price of the plan per period, in whole minor units of `currency`. It differs from "
        "`amount` for a discount, a part of a period or several units.",
    )
    period_start: Time | None = Field(
        default=None,
        description="The start of the time of access that the payment is for, required for `succeeded`. Access "
        "begins then. A refund, dispute or extension without `payment_id` is matched to its payment by it. A "
        "failure without it is about the next period.",
    )
    period_end: Time | None = Field(
        default=None,
        description="The end of that time of access, later than `period_start`. Required for `succeeded`, which "
        "gives access until then, and for `extended`, which moves the end of the payment to it.",
    )
    auto_renew: Flag | None = Field(
        default=None,
        description="For `succeeded`: false if the subscription does not renew after the period, as with gifts, "
        "prepaid months, passes and complimentary access. Left out, it renews, unless the user has turned "
        "auto-renew off; a value given here overrides what was said before.",
    )
    final: Flag = Field(
        default=False,
        description="For `failed`: true if the payment will not be retried (default false). The subscription "
        "then expires once no paid or trial time is left.",
    )
    failure_reason: Text | None = Field(
        default=None,
        description="For `failed`: the reason in the producer's words, for example `card_expired`. It has no "
        "effect on the subscription; audiences can use it.",
    )
    grace: fields.NoGrace | None = Field(
        default=None,
        description="For `failed`: `none` if the failure grants no grace period. Leave out `grace_until` then.",
    )
    grace_until: Time | None = Field(
        default=None,
        description="For `failed`: the end of the grace period, in which an unpaid user keeps access. It cannot "
        "cut paid or trial time short; the default is 7 days after grace began. For `pending`: the time until "
        "which the user has access while the payment settles, as a direct debit does in days.",
    )
    payment_id: Id | None = Field(
        default=None,
        description="The payment provider's id of the payment, which ties a refund, dispute or extension to it. "
        "If either of the two events has none, they are matched by `period_start`. Refunds and disputes need "
        "one of the two; an extension without both is about the current payment.",
    )
    partial: Flag = Field(
        default=False,
        description="For `refunded`: true if only part of the amount was refunded (default false). A partial "
        "refund leaves the subscription as it is.",
    )
    keeps_access: Flag = Field(
        default=False,
        description="For `refunded`: true for a goodwill refund: the money goes back and the user keeps the "
        "time (default false).",
    )

    @model_validator(mode="after")
    def _keeps_the_rules_of_its_outcome(self) -> Self:
        problems = self._problems()
        if problems:
            raise broken(self.TOPIC, problems)
        return self

    def _problems(self) -> list[Problem]:
        told, start, end = self.__pydantic_fields_set__, self.period_start, self.period_end
        missing = NEEDED_BY_OUTCOME.get(self.outcome, NOTHING) - told
        if self.amount is not None and self.currency is None:
            missing |= {"currency"}
        problems = [Problem(name) for name in sorted(missing)] if missing else []
        if self.outcome in VERDICTS and told.isdisjoint(NAMES_OF_A_PAYMENT):
            problems.append(Problem("payment_id", "a value unless period_start has one"))
        if start and end and end <= start:
            problems.append(Problem("period_end", "a time after period_start", "none after it"))
        if self.grace and self.grace_until:
            problems.append(Problem("grace", "no value beside grace_until", "both"))
        return problems

    def fact(self) -> events.PaymentReported:
        """Convert to the domain's fact."""
        return events.PaymentReported(
            self.outcome,
            self.plan,
            self.amount,
            self.currency,
            self.period_start,
            self.period_end,
            self.final,
            self.occurred_at if self.grace else self.grace_until,
            self.payment_id,
            self.partial,
            self.auto_renew,
            self.keeps_access,
            self.purchase(self.current_price, self.currency),
            self.failure_reason,
        )


class ChurnSignal(InboundEvent):
    """A sign that a user may leave or will stay: auto-renew off, a cancellation, another plan, inactivity."""

    TOPIC = Topic.CHURN_SIGNAL.value
    model_config = ConfigDict(json_schema_extra={"allOf": [if_one_of("signal", PLAN_CHANGES, has("to_plan"))]})

    signal: fields.SignalKind = Field(
        description="The kind of signal. `auto_renew_off` to `price_increase_accepted` update the subscription; "
        "the others, from `refund_requested` on, only describe what the user does or has to do."
    )
    reason: Text | None = Field(
        default=None,
        description="The reason in the user's or the producer's words. Upbeat keeps it for `auto_renew_off` and "
        "`cancelled`, as `auto_renew_reason`.",
    )
    reason_code: fields.ReasonCode | None = Field(
        default=None,
        description="The reason for `auto_renew_off` or `cancelled` in terms that can be counted. Upbeat keeps "
        "it beside `reason`.",
    )
    effective_at: Time | None = Field(
        default=None,
        description="The time a cancellation, a pause, a plan change or a new price takes effect. Without it, a "
        "cancellation and `plan_changed` take effect at once, a pause at the end of the paid period, and "
        "`plan_change_scheduled` and `downgrade_scheduled` at the end of the paid period or trial.",
    )
    resume_at: Time | None = Field(
        default=None,
        description="For `pause_scheduled`: the time the pause ends. Without it, the pause lasts until "
        "`resumed` or a successful payment.",
    )
    to_plan: Plan | None = Field(
        default=None,
        description="The plan after the change. Required for `plan_changed`, `plan_change_scheduled` and "
        "`downgrade_scheduled`.",
    )
    strength: Share | None = Field(
        default=None,
        description="The strength of a behavioural signal from 0 (weak) to 1 (strong), as the producer rates "
        "it. Audiences and scores can use it.",
    )
    price: fields.Amount | None = Field(
        default=None,
        description="For `price_increase_pending`: the new price per period, in whole minor units of `currency`.",
    )
    currency: fields.Currency | None = Field(
        default=None, description=f"The currency of `price` {fields.AS_A_CURRENCY}"
    )
    agree_until: Time | None = Field(
        default=None,
        description="For `price_increase_pending`: the time until which the user can agree to the new price.",
    )

    @model_validator(mode="after")
    def _names_the_plan_of_a_change(self) -> Self:
        if self.signal in PLAN_CHANGES and self.to_plan is None:
            raise broken(self.TOPIC, [Problem("to_plan")])
        return self

    def fact(self) -> events.SignalSeen:
        """Convert to the domain's fact."""
        return events.SignalSeen(
            kind=self.signal,
            reason=self.reason,
            effective_at=self.effective_at,
            resume_at=self.resume_at,
            to_plan=self.to_plan,
            strength=self.strength,
            reason_code=self.reason_code,
            price=self.price,
            currency=self.currency,
            agree_until=self.agree_until,
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
        "earliest `occurred_at` counts. Caps of impressions count each report of an `impression`."
    )

    def fact(self) -> events.FeedbackGiven:
        """Convert to the domain's fact."""
        return events.FeedbackGiven(self.trigger_id, self.kind)


class UserErasure(UserEvent):
    """A user asked to be forgotten: everything up to `occurred_at` goes. What occurs later starts afresh."""

    TOPIC = Topic.USER_ERASURE.value

    def fact(self) -> events.ErasureRequested:
        """Convert to the domain's fact."""
        return events.ErasureRequested()


class LifecycleDue(InboundEvent):
    """Something is due for one user, at `occurred_at`. Only Upbeat's clock, recalls and sweeps publish this."""

    TOPIC = Topic.LIFECYCLE_DUE.value

    catalog_number: fields.CatalogNumber = Field(
        default=0,
        description="The least number of the catalog by which the user is to be processed, given by a recall or "
        "a sweep. A function whose catalog has a lower one looks for a newer catalog, and has the message "
        "delivered again if there is none. Default 0: any catalog will do.",
    )

    def fact(self) -> events.TimePassed:
        """Convert to the domain's fact that time passed."""
        return events.TimePassed(self.catalog_number)


class LifecycleClock(Inbound):
    """A scheduler tick: Upbeat looks for users with something due. An empty message means the same as `{}`."""

    TOPIC = Topic.LIFECYCLE_CLOCK.value

    shards: Annotated[tuple[fields.Shard, ...], Strict(False)] = Field(
        default=ALL_SHARDS,
        min_length=1,
        max_length=DUE_SHARDS,
        description=f"The shards of the index of due users to read, 0 to {DUE_SHARDS - 1}. Default: all of them.",
    )
    tick_id: fields.Id | None = Field(
        default=None,
        description="The id under which the tick holds shards. Only Upbeat sets it, in a tick that continues the "
        "work of another one. Default: the id that Pub/Sub gave the message.",
    )


EVENT_MODELS: tuple[type[UserEvent], ...] = (
    TrialStart,
    Payment,
    ChurnSignal,
    TriggerFeedback,
    UserErasure,
    LifecycleDue,
)
"""The models of all events."""
