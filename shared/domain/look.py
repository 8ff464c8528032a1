"""A subscription looked at in one instant: the findings from which its status follows."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.domain.grants import Grant, first, rank
from shared.domain.instants import BEGINNING_OF_TIME, later
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms

Value = TypeVar("Value")


class _once(Generic[Value]):  # noqa: N801 - used as a decorator
    """A property computed on first use. `functools.cached_property` takes a lock before Python 3.12."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute

    def __get__(self, look: Any, _: type | None = None) -> Value:
        value = look.__dict__[self.compute.__name__] = self.compute(look)
        return value


class Look:
    """A subscription at one instant, with the findings that the conditions of the machine ask for."""

    def __init__(self, sub: Subscription, at: datetime, terms: Terms) -> None:
        self.sub = sub
        self.at = at
        self.terms = terms
        self.covering = _covering(sub, at)
        """The standing grant that covers the instant; of several, the one that comes first."""

    @_once
    def lapsed(self) -> Grant | None:
        """The grant whose time ran out last; None if an end for good came after it."""
        return _lapsed(self.sub, self.at)

    @property
    def lapsed_at(self) -> datetime:
        """The instant at which grace begins: the end of the time, or of a pause that outlasted it."""
        end = self.lapsed.end if self.lapsed else BEGINNING_OF_TIME
        return max(end, self.sub.resumed_at or end)

    @_once
    def grace_ends(self) -> datetime:
        """The end of the grace after the time that lapsed: as a failed payment told it, else by the terms."""
        return grace_end(self.sub, self.lapsed_at, self.terms)

    @property
    def withdrawn(self) -> Grant | None:
        """The grant whose time would run if its money had not gone back; None if a standing one took over."""
        grants = [grant for grant in self.sub.grants if not grant.stands and grant.covers(self.at)]
        if not grants:
            return None
        withdrawn = first(grants, self.sub.trial)
        over = (*self.sub.past, _trial_over(self.sub, self.at))
        return None if withdrawn and any(_took_over(grant, withdrawn) for grant in over if grant) else withdrawn

    @property
    def waiting(self) -> Grant | None:
        """The next standing grant that waits for its start."""
        waits = (grant for grant in self.sub.grants if grant.stands and grant.start > self.at)
        return min(waits, key=lambda grant: grant.start, default=None)

    @property
    def last(self) -> Grant | None:
        """The grant that was over last, whatever ended it."""
        return _later(self.sub.past[-1] if self.sub.past else None, _trial_over(self.sub, self.at))

    @property
    def renews(self) -> bool:
        """True if what covers or has lapsed renews."""
        if self.sub.renewal:
            return self.sub.renewal.on
        grant = self.covering or self.lapsed
        return grant.renews if grant else False

    @property
    def keeps_grace(self) -> bool:
        """True if it renews, or auto-renew went off within this grace."""
        said = self.sub.renewal
        return self.renews or (said is not None and said.in_grace and said.at >= self.lapsed_at)

    @property
    def is_over(self) -> bool:
        """True if the subscription had ended already: nothing can be taken then."""
        return self.sub.status is Status.EXPIRED

    @property
    def payment_pends(self) -> bool:
        """True if a payment was started and may still settle."""
        return self.sub.pending is not None and self.at < self.sub.pending.until

    @property
    def pending_grace(self) -> bool:
        """True if a payment that may still settle gives access."""
        pending = self.sub.pending
        return pending is not None and pending.grace_until is not None and self.at < pending.grace_until

    @property
    def pends_since_withdrawal(self) -> bool:
        """True if a payment was started after the money went back, and may still settle."""
        pending = self.sub.pending
        if pending is None or not (self.payment_pends or self.pending_grace):
            return False
        return self.withdrawn is None or pending.at >= (self.withdrawn.withdrawn_at or pending.at)


def _covering(sub: Subscription, at: datetime) -> Grant | None:
    grants = [grant for grant in sub.grants if grant.covers(at) and grant.stands]
    if sub.trial and sub.trial.covers(at):
        grants.append(sub.trial)
    if len(grants) == 1:
        return grants[0]
    return first(grants, sub.trial) if grants else None


def _lapsed(sub: Subscription, at: datetime) -> Grant | None:
    paid = next((grant for grant in reversed(sub.past) if grant.ran_out), None)
    trial = _trial_over(sub, at)
    last = _later(paid, trial if trial and trial.ran_out else None)
    return last if last and (sub.ended_at is None or last.end > sub.ended_at) else None


def _trial_over(sub: Subscription, at: datetime) -> Grant | None:
    """The trial, if its time is over."""
    return sub.trial if sub.trial and sub.trial.until <= at else None


def _later(paid: Grant | None, trial: Grant | None) -> Grant | None:
    """The one of a payment and the trial whose time was over later; of equal ones that which comes first."""
    if paid is None or trial is None:
        return paid or trial
    return max(paid, trial, key=lambda grant: (grant.until, rank(grant, trial)))


def _took_over(grant: Grant, withdrawn: Grant) -> bool:
    """True for a grant that stands and ran within the time of another after that one's money had gone back."""
    since = max(withdrawn.start, withdrawn.withdrawn_at or withdrawn.start)
    return grant.stands and grant.ran and grant.until > since


def grace_end(sub: Subscription, begins: datetime, terms: Terms) -> datetime:
    """The end of a grace that begins at an instant. An end told before a pause is not about the grace after it."""
    told = sub.told_grace
    if told is None or (sub.resumed_at and told.at < sub.resumed_at):
        return later(begins, terms.grace)
    return max(told.until, begins)


def lingering(look: Look) -> Grant | None:
    """The newer payment of another plan that ran out over an older one, while its grace lasts; else None.

    Access goes on by the older payment, but the plan falls back only after the newer one's grace.
    """
    covering, newer = look.covering, look.sub.past[-1] if look.sub.past else None
    if covering is None or newer is None or newer.start <= covering.start or newer.plan == covering.plan:
        return None
    if not newer.ran_out or (look.sub.ended_at and newer.end <= look.sub.ended_at):
        return None
    said = look.sub.renewal
    renews = said.on if said else newer.renews
    return newer if renews and look.at < grace_end(look.sub, newer.end, look.terms) else None
