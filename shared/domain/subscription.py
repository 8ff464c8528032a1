"""A subscription: its status, the facts beside it, and what a reader at some instant is shown."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.events import PaymentReported


class Status(StrEnum):
    """Where a subscription stands, best first: of several subscriptions the first in this order speaks."""

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
LIVE = frozenset(Status) - {Status.NONE, Status.EXPIRED, Status.REVOKED}
ENTITLED = frozenset({Status.TRIALING, Status.ACTIVE, Status.GRACE})


class Verdict(StrEnum):
    """The last word on one payment."""

    PAID = "paid"
    REFUNDED = "refunded"
    REVERSED = "reversed"
    DISPUTED = "disputed"
    LOST = "lost"
    WON = "won"


WITHDRAWN = frozenset({Verdict.REFUNDED, Verdict.LOST})
"""Verdicts under which the money is gone."""


class Payment(NamedTuple):
    """One payment and its latest verdict; told apart by `payment_id`, else by `period_start`."""

    payment_id: str | None
    period_start: datetime
    verdict: Verdict
    at: datetime
    """When the verdict was reached."""
    free: bool = False
    """It succeeded, and nothing was charged."""

    @property
    def stands(self) -> bool:
        """Whether money is there, and was not taken back."""
        return not self.free and self.verdict not in WITHDRAWN

    def is_for(self, reported: PaymentReported) -> bool:
        """Whether a report speaks of this payment. Without an id on either side, the period decides."""
        if self.payment_id and reported.payment_id:
            return self.payment_id == reported.payment_id
        return self.period_start == reported.period_start

    def is_same(self, other: "Payment | None") -> bool:
        """Whether both are the same payment, whatever their verdicts."""
        return (
            other is not None and self.period_start == other.period_start and self.payment_id == other.payment_id
        )


class Pause(NamedTuple):
    """A pause that was asked for; without `effective_at` it falls due at the period's end."""

    effective_at: datetime | None
    resume_at: datetime | None


class PlanChange(NamedTuple):
    """A plan change that was asked for; without `effective_at` it falls due at the period's end."""

    to_plan: str | None
    effective_at: datetime | None


class Replaced(NamedTuple):
    """What a payment for a later period replaced, kept so that a refund of a period not yet begun restores it.

    Its fields are those of `Subscription` that a payment sets.
    """

    status: Status
    since: datetime | None
    plan: str | None
    period_start: datetime | None
    period_end: datetime | None
    period_counts: bool
    paid_by: Payment | None
    granted_by: str
    grace_until: datetime | None
    resume_at: datetime | None
    after_trial: bool
    failing: bool


class Subscription(NamedTuple):
    """One subscription as the machine sees it. All times are UTC.

    A named tuple, because the fold makes several new values for each event and a frozen dataclass of this many
    fields takes five times as long to copy.

    `status` is the machine's; `shown_status` is what the world is told. The facts beside it are what producers
    said last; they are never folded into the status.
    """

    id: str
    status: Status = Status.NONE
    since: datetime | None = None
    """When the machine entered its status."""
    as_of: datetime | None = None
    """The instant of the last event; deadlines after it have not been passed yet."""
    plan: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    trial_ends_at: datetime | None = None
    auto_renew: bool = False
    auto_renew_reason: str | None = None
    grace_until: datetime | None = None
    resume_at: datetime | None = None
    cancel_at: datetime | None = None
    pause: Pause | None = None
    plan_change: PlanChange | None = None
    price_consent: str | None = None
    first_paid_at: datetime | None = None
    last_paid_at: datetime | None = None
    payments: tuple[Payment, ...] = ()
    """Those for the 8 latest periods, oldest first."""
    paid_by: Payment | None = None
    """The payment that grants the current period; None while a trial or nothing does."""
    granted_by: str = ""
    """The short name of the event that granted the time now running or last ended."""
    period_counts: bool = False
    """The period is paid time that no failure may take; false once the subscription has expired."""
    trial_counts: bool = False
    """Likewise for the trial."""
    after_trial: bool = False
    """The grace or hold now running followed a trial that nobody paid for."""
    failing: bool = False
    """A payment failed and none has succeeded since."""
    replaced: tuple[Replaced, ...] = ()
    """While the current period has not begun: what it replaced, the latest last; the first of them had begun."""

    @property
    def shown_status(self) -> Status:
        """`revoked` while the money behind the current period is withdrawn, else the machine's status.

        A second payment for the same period upholds it.
        """
        paid_by = self.paid_by
        if paid_by is None or paid_by.verdict not in WITHDRAWN:
            return self.status
        upheld = any(other.stands and other.period_start == paid_by.period_start for other in self.payments)
        return self.status if upheld else Status.REVOKED

    @property
    def entitled(self) -> bool:
        """Whether the user may listen."""
        return self.shown_status in ENTITLED

    @property
    def live(self) -> bool:
        """Whether there is anything left to lose."""
        return self.shown_status in LIVE
