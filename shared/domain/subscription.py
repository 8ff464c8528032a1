"""A subscription: the ledger of its grants, the facts beside the ledger, and the status that follows from them."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.copying import copied_quickly
from shared.domain.events import NO_PURCHASE, PaymentOutcome, Purchase, ReasonCode, cause_of
from shared.domain.grants import Grant


class Status(StrEnum):
    """The statuses of a subscription, best first: the best one determines the user's status."""

    ACTIVE = "active"
    TRIALING = "trialing"
    GRACE = "grace"
    PAUSED = "paused"
    ON_HOLD = "on_hold"
    PENDING = "pending"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NONE = "none"


RANK = {status: rank for rank, status in enumerate(Status)}
"""Each status's position in `Status`; 0 is the best."""
LIVE = frozenset(Status) - {Status.NONE, Status.EXPIRED, Status.REVOKED}
"""Statuses of a subscription that can still end."""
ENTITLED = frozenset({Status.TRIALING, Status.ACTIVE, Status.GRACE})
"""Statuses in which the user has access."""
RECENT_PAYMENTS = 8
"""The payments among which `recent_payments` counts."""


class Said(StrEnum):
    """The party that turned auto-renew on or off: the user, billing, or a cancellation."""

    USER = "user"
    BILLING = "billing"
    CANCELLED = "cancelled"


class Renewal(NamedTuple):
    """The last word on auto-renew; it overrides what the current grant says."""

    on: bool
    by: Said
    at: datetime
    in_grace: bool = False
    """True if it was said in grace, which then runs to its end."""
    reason: str | None = None
    reason_code: ReasonCode | None = None


class ToldGrace(NamedTuple):
    """The end of grace that a failed payment gave."""

    until: datetime
    at: datetime


class PendingPayment(NamedTuple):
    """A payment that was started and is not settled."""

    at: datetime
    until: datetime
    """The time until which it may settle."""
    grace_until: datetime | None
    """The time until which the user has access while it settles; None: no access."""
    plan: str | None

    def given_up(self, at: datetime) -> "PendingPayment":
        """The payment once it can settle no more, from an instant on."""
        return self._replace(until=min(self.until, at), grace_until=None)


class ScheduledPause(NamedTuple):
    """A pause to come; without `effective_at` it falls due at the end of the period or trial."""

    effective_at: datetime | None
    resume_at: datetime | None
    at: datetime


class Pause(NamedTuple):
    """A pause that runs, until `resume_at` or until the user resumes."""

    at: datetime
    """The time at which it was asked for."""
    resume_at: datetime | None


class PlanChange(NamedTuple):
    """A plan change to come; without `effective_at` it falls due at the end of the period or trial."""

    to_plan: str
    effective_at: datetime | None
    at: datetime


class Cancellation(NamedTuple):
    """A cancellation to come."""

    effective_at: datetime
    at: datetime
    reason: str | None = None
    reason_code: ReasonCode | None = None


class Cut(NamedTuple):
    """A cancellation that took effect, and the plan that it ended."""

    at: datetime
    plan: str | None


class Verdict(NamedTuple):
    """A verdict or an extension whose payment is not known yet."""

    payment_id: str | None
    period_start: datetime | None
    outcome: PaymentOutcome
    at: datetime
    period_end: datetime | None = None
    """The new end, for an extension."""


class PriceIncrease(NamedTuple):
    """A price increase, and the user's answer: `pending`, `accepted` or `declined`."""

    consent: str
    price: int | None = None
    effective_at: datetime | None = None
    agree_until: datetime | None = None


@copied_quickly
class Subscription(NamedTuple):
    """One subscription. All times are UTC.

    A named tuple, because the fold makes several new values for each event and a frozen dataclass of this many
    fields takes five times as long to copy.

    `status`, `since`, `as_of`, `current` and `grace_ends` are what `settling.settle` derived from the others, the
    facts: what producers said, each with its instant.
    """

    id: str
    status: Status = Status.NONE
    since: datetime | None = None
    """The instant at which the status began."""
    as_of: datetime | None = None
    """The instant of the last event; what falls due later has not taken effect yet."""
    current: Grant | None = None
    """The grant that gives plan and period: the one that covers `as_of`, else the one that covered last."""
    grace_ends: datetime | None = None
    """The end of the present grace, or of the one before the present hold."""
    grants: tuple[Grant, ...] = ()
    """The payments whose time runs or waits for its start."""
    past: tuple[Grant, ...] = ()
    """The payments whose time is over, in the order of their ends."""
    trial: Grant | None = None
    """The last trial, running, waiting or over."""
    renewal: Renewal | None = None
    """None if nothing overrides what the current grant says of its renewal."""
    cut: Cut | None = None
    ended_at: datetime | None = None
    """The time at which access ended last for good. Nothing before it gives grace or hold any more."""
    failed_at: datetime | None = None
    """The time of the last failed payment, if none has succeeded since."""
    told_grace: ToldGrace | None = None
    pending: PendingPayment | None = None
    scheduled_pause: ScheduledPause | None = None
    pause: Pause | None = None
    resumed_at: datetime | None = None
    plan_change: PlanChange | None = None
    cancellation: Cancellation | None = None
    waiting: tuple[Verdict, ...] = ()
    """The verdicts whose payment is not known yet, oldest first."""
    purchase: Purchase = NO_PURCHASE
    price_increase: PriceIncrease | None = None
    first_paid_at: datetime | None = None
    last_paid_at: datetime | None = None
    trial_began_at: datetime | None = None
    """The beginning of the last trial, also when it was extended since."""
    activated_at: datetime | None = None
    """The beginning of paid access, kept through grace, hold and pause until the subscription expires."""

    @property
    def entitled(self) -> bool:
        """True while the user has access."""
        return self.status in ENTITLED

    @property
    def live(self) -> bool:
        """True unless the status is none, expired or revoked."""
        return self.status in LIVE

    @property
    def plan(self) -> str | None:
        """The plan of the current grant; that of the pending payment while there is no grant that counts."""
        if self.pending and (self.current is None or self.status is Status.PENDING):
            return self.pending.plan
        return self.current.plan if self.current else None

    @property
    def period_start(self) -> datetime | None:
        """The start of the current paid period; None in a trial."""
        return self.current.start if self.current and not self.current.is_trial else None

    @property
    def period_end(self) -> datetime | None:
        """The end of the current paid period; None in a trial."""
        return self.current.end if self.current and not self.current.is_trial else None

    @property
    def trial_ends_at(self) -> datetime | None:
        """The end of the last trial as the producer gave it."""
        return self.trial.end if self.trial else None

    @property
    def auto_renew(self) -> bool:
        """True if it renews: the last word on it, else what the current grant says."""
        if self.renewal:
            return self.renewal.on
        return self.current.renews if self.current else False

    @property
    def auto_renew_off_by(self) -> Said | None:
        """The party that turned auto-renew off; None if it renews, or was sold without renewal."""
        return self.renewal.by if self.renewal and not self.renewal.on else None

    @property
    def auto_renew_reason(self) -> str | None:
        """The reason in the producer's words, or `billing` if a payment failed for good."""
        return self.renewal.reason if self.renewal else None

    @property
    def reason_code(self) -> ReasonCode | None:
        """The reason for the last change of auto-renew, from a closed list."""
        return self.renewal.reason_code if self.renewal else None

    @property
    def granted_by(self) -> str:
        """The name of the grant whose time runs now or ended last, else of the payment that pends."""
        if self.current:
            return self.current.name
        return cause_of("pending", self.pending.at.isoformat()) if self.pending else ""

    @property
    def failing(self) -> bool:
        """True if a payment failed and none has succeeded since."""
        return self.failed_at is not None

    @property
    def converted(self) -> bool:
        """True if the time after the trial is paid for."""
        return self.trial is not None and self.is_paid_at(self.trial.until)

    def is_paid_at(self, at: datetime) -> bool:
        """True if a payment that stands covers an instant."""
        return any(grant.stands and grant.start <= at < grant.until for grant in self.grants)

    @property
    def paid_since(self) -> datetime | None:
        """The activation. Where it was not stored yet: the first payment, if paid access never ended since."""
        if self.activated_at or self.ended_at or self.current is None or self.current.is_trial:
            return self.activated_at
        return self.first_paid_at

    @property
    def all_grants(self) -> Iterator[Grant]:
        """Every grant: past, running and waiting payments, and the trial."""
        yield from self.past
        yield from self.grants
        if self.trial:
            yield self.trial

    @property
    def recent_payments(self) -> int:
        """The number of payments that stand, of the 8 for the latest periods."""
        return sum(grant.stands for grant in (*self.past, *self.grants)[-RECENT_PAYMENTS:])

    @property
    def grace_until(self) -> datetime | None:
        """The end of grace: of the present one, else the one that a failed payment gave for the next."""
        if self.status in {Status.GRACE, Status.ON_HOLD}:
            return self.grace_ends
        if self.told_grace is None or self.current is None:
            return None
        return max(self.told_grace.until, self.current.until)

    @property
    def resume_at(self) -> datetime | None:
        """The end of the pause that runs, if one was given."""
        return self.pause.resume_at if self.pause else None

    @property
    def cancel_at(self) -> datetime | None:
        """The time at which a scheduled cancellation takes effect."""
        return self.cancellation.effective_at if self.cancellation else None

    @property
    def scheduled_plan(self) -> str | None:
        """The plan to which a scheduled change leads; None if no change is scheduled."""
        return self.plan_change.to_plan if self.plan_change else None

    @property
    def price_consent(self) -> str | None:
        """The user's answer to a price increase: `pending`, `accepted` or `declined`."""
        return self.price_increase.consent if self.price_increase else None

    @property
    def term_end(self) -> datetime | None:
        """The end of the latest time that stands and is not over: of a payment, else of the trial."""
        paid = [grant for grant in self.grants if grant.stands]
        if paid:
            return max(paid, key=lambda grant: (grant.start, grant.until)).until
        trial = self.trial
        return trial.until if trial and self.as_of and trial.until > self.as_of else None
