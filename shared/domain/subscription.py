"""A subscription: its status, the facts beside the status, and the status that is shown."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.events import PaymentReported


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


class Verdict(StrEnum):
    """The latest verdict on one payment."""

    PAID = "paid"
    REFUNDED = "refunded"
    REVERSED = "reversed"
    DISPUTED = "disputed"
    LOST = "lost"
    WON = "won"


WITHDRAWN = frozenset({Verdict.REFUNDED, Verdict.LOST})
"""Verdicts under which the money was taken back."""


class Payment(NamedTuple):
    """One payment and its latest verdict, identified by `payment_id`, else by `period_start`."""

    payment_id: str | None
    period_start: datetime
    verdict: Verdict
    at: datetime
    """The time of the verdict."""
    free: bool = False
    """True if it succeeded with an amount of 0."""

    @property
    def stands(self) -> bool:
        """True if money was paid and not taken back."""
        return not self.free and self.verdict not in WITHDRAWN

    def is_for(self, reported: PaymentReported) -> bool:
        """True if a report is about this payment. If either has no id, the start of the period decides."""
        if self.payment_id and reported.payment_id:
            return self.payment_id == reported.payment_id
        return self.period_start == reported.period_start

    def is_same(self, other: "Payment | None") -> bool:
        """True if both are the same payment, whatever their verdicts."""
        return (
            other is not None and self.period_start == other.period_start and self.payment_id == other.payment_id
        )


class Pause(NamedTuple):
    """A scheduled pause; without `effective_at` it falls due at the end of the period."""

    effective_at: datetime | None
    resume_at: datetime | None


class PlanChange(NamedTuple):
    """A scheduled plan change; without `effective_at` it falls due at the end of the period or trial."""

    to_plan: str | None
    effective_at: datetime | None


class Replaced(NamedTuple):
    """The state that a payment for a later period replaced; a refund before that period begins restores it.

    The fields are those of `Subscription` that a payment sets.
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
    """One subscription in the status machine. All times are UTC.

    A named tuple, because the fold makes several new values for each event and a frozen dataclass of this many
    fields takes five times as long to copy.

    `status` is the machine's status; `shown_status` is the one that is published. The other fields are facts, the
    latest values that producers gave; they are never folded into the status.
    """

    id: str
    status: Status = Status.NONE
    since: datetime | None = None
    """The instant at which the machine entered the status."""
    as_of: datetime | None = None
    """The instant of the last event; later deadlines have not been passed yet."""
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
    """The payments for the 8 latest periods, oldest first."""
    paid_by: Payment | None = None
    """The payment that grants the current period; None during a trial, or if nothing grants access."""
    granted_by: str = ""
    """The short name of the event that granted the time that runs now or ended last."""
    period_counts: bool = False
    """True if the period is paid time that no failure may take; False once the subscription has expired."""
    trial_counts: bool = False
    """True if the trial is time that no failure may take; False once the subscription has expired."""
    after_trial: bool = False
    """True if the present grace or hold followed a trial that ended unpaid."""
    failing: bool = False
    """True if a payment failed and none has succeeded since."""
    replaced: tuple[Replaced, ...] = ()
    """While the current period has not begun: the states it replaced, latest last. The first had begun."""

    @property
    def shown_status(self) -> Status:
        """`revoked` while the money for the current period is withdrawn, else the machine's status.

        A second payment for the same period upholds the machine's status.
        """
        paid_by = self.paid_by
        if paid_by is None or paid_by.verdict not in WITHDRAWN:
            return self.status
        upheld = any(other.stands and other.period_start == paid_by.period_start for other in self.payments)
        return self.status if upheld else Status.REVOKED

    @property
    def entitled(self) -> bool:
        """True while the user has access."""
        return self.shown_status in ENTITLED

    @property
    def live(self) -> bool:
        """True unless the shown status is none, expired or revoked."""
        return self.shown_status in LIVE

    @property
    def scheduled_plan(self) -> str | None:
        """The plan to which a scheduled change leads; None if no change is scheduled."""
        return self.plan_change.to_plan if self.plan_change else None
