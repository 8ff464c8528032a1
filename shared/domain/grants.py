"""Grants: the payments and trials that grant time, with all that was said of their money."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.copying import copied_quickly
from shared.domain.events import cause_of
from shared.domain.instants import END_OF_TIME


class GrantKind(StrEnum):
    """The kinds of grants. An extension moves the end of a grant that is there."""

    PAYMENT = "payment"
    TRIAL = "trial"


class Refund(NamedTuple):
    """The latest word on a full refund."""

    at: datetime
    gone: bool
    """True if the money went back to the user; False once that was reversed."""


class DisputeState(StrEnum):
    """The latest state of a dispute."""

    OPEN = "open"
    LOST = "lost"
    WON = "won"


class Dispute(NamedTuple):
    """The latest word on a dispute."""

    at: datetime
    state: DisputeState


@copied_quickly
class Grant(NamedTuple):
    """Time that a payment or a trial grants, from `start` to `end` (UTC).

    A refund and a dispute are two facts: to win a dispute brings back no refunded money.
    """

    kind: GrantKind
    start: datetime
    end: datetime
    at: datetime
    """The time of the event that reported it first."""
    plan: str
    amount: int = 0
    """Minor currency units; 0 for a trial."""
    payment_id: str | None = None
    renews: bool = True
    """True if the plan renews when the time is over."""
    cut: datetime | None = None
    """The time at which a cancellation, or the conversion of a trial, ended it early."""
    refund: Refund | None = None
    dispute: Dispute | None = None
    currency: str | None = None
    """The currency of the amount (ISO 4217); None for a trial, and where it was not kept, as it once was not."""

    @property
    def is_trial(self) -> bool:
        """True for a trial, False for a payment."""
        return self.kind is GrantKind.TRIAL

    @property
    def withdrawn_at(self) -> datetime | None:
        """The time at which the money went back, by a refund or a lost dispute; None if the grant stands."""
        refunded = self.refund.at if self.refund and self.refund.gone else None
        lost = self.dispute.at if self.dispute and self.dispute.state is DisputeState.LOST else None
        return min(refunded, lost) if refunded and lost else refunded or lost

    @property
    def stands(self) -> bool:
        """True unless the money went back."""
        return (self.refund is None and self.dispute is None) or self.withdrawn_at is None

    @property
    def name(self) -> str:
        """A short name that stays the same until its end moves; a trial that is told again keeps it too."""
        start = "" if self.is_trial else self.start.isoformat()
        return cause_of(self.kind, start, self.end.isoformat())

    @property
    def until(self) -> datetime:
        """The end of its time: the cut, if it was cut short."""
        return self.end if self.cut is None or self.cut > self.end else self.cut

    @property
    def ran(self) -> bool:
        """False for a period that was over before its payment was reported."""
        return self.at < self.end

    @property
    def ran_out(self) -> bool:
        """True if it ends by itself: it was not cut, nor its money withdrawn before the end."""
        if self.cut is not None or not self.ran:
            return False
        return self.stands or (self.withdrawn_at or END_OF_TIME) >= self.end

    def covers(self, at: datetime) -> bool:
        """True if an instant lies within its time."""
        return self.start <= at < self.end and (self.cut is None or at < self.cut)


def rank(grant: Grant, trial: Grant | None) -> tuple[int, datetime, datetime]:
    """The order in which grants give plan and period; the greatest comes first.

    A paid one comes before a trial, and a trial before a zero invoice that ends within it; then the later start,
    then the later event.
    """
    if grant.is_trial:
        return 1, grant.start, grant.at
    value = 0 if trial and is_zero_invoice(grant, trial) else 2
    return value, grant.start, grant.at


def is_zero_invoice(grant: Grant, trial: Grant) -> bool:
    """True for an amount of 0 for a period that ends within the trial: it confirms the trial."""
    return grant.amount == 0 and grant.end <= trial.end


def first(grants: Sequence[Grant], trial: Grant | None) -> Grant | None:
    """The grant that comes first, or None. Of equal ones it is the last: grants are in the order of events."""
    return max(reversed(grants), key=lambda grant: rank(grant, trial), default=None)
