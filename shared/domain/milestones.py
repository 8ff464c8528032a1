"""Milestones: moments that time alone brings, at offsets before an end or after a beginning."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.events import cause_of
from shared.domain.instants import later
from shared.domain.moments import Moment, MomentKind, caused_by_time
from shared.domain.subscription import ENTITLED, Status, Subscription

Offsets = Mapping[MomentKind, Sequence[timedelta]]
"""The offsets of each kind of milestone: before an end (`trial.ending`), or after a beginning (`lapsed`)."""


class Subject(NamedTuple):
    """The subject of a milestone: a time of the subscription that ends or has begun."""

    name: str
    """The name of the subject. A milestone comes once for each name and offset."""
    at: datetime
    """The end, or the beginning."""
    since: datetime | None = None
    """The first instant at which a milestone before the end can come; None: milestones come after a beginning."""

    def reached_at(self, offset: timedelta) -> datetime:
        """The instant of the milestone at an offset. A time shorter than the offset reaches it as it begins."""
        return later(self.at, offset) if self.since is None else max(self.since, self.at - offset)


class Milestone(NamedTuple):
    """A kind of milestone: the statuses in which it can come, and the subject that the subscription has then."""

    statuses: frozenset[Status]
    subject: Callable[[Subscription], Subject | None]


def milestones(sub: Subscription, offsets: Offsets) -> Iterator[Moment]:
    """Every milestone of the status that the subscription is in now, past and future alike."""
    for kind, wanted in offsets.items():
        if wanted and (subject := subject_of(kind, sub)):
            for offset in wanted:
                yield caused_by_time(kind, sub.id, subject.reached_at(offset), subject.name, offset=offset)


def subject_of(kind: MomentKind, sub: Subscription) -> Subject | None:
    """The subject of a milestone of this kind now; None if there is no such milestone in this state."""
    milestone = OF_KIND[kind]
    return milestone.subject(sub) if sub.status in milestone.statuses else None


def _trial_ending(sub: Subscription) -> Subject | None:
    """The trial, unless the time after it is paid for."""
    if sub.trial_ends_at is None or sub.converted:
        return None
    return Subject(sub.granted_by, sub.trial_ends_at, sub.since)


def _period_ending(sub: Subscription) -> Subject | None:
    """The current period, unless another payment goes on where it ends, as one does under a plan that lingers."""
    period = sub.current
    if period is None or sub.is_paid_at(period.until):
        return None
    return Subject(period.name, period.until, period.start)


def _pause_ending(sub: Subscription) -> Subject | None:
    """The pause that runs, if its end is known. It is named by its end, since a pause may be told twice."""
    if sub.resume_at is None:
        return None
    return Subject(cause_of("pause", sub.resume_at.isoformat()), sub.resume_at, sub.since)


def _expired(sub: Subscription) -> Subject | None:
    return Subject(sub.granted_by, sub.since) if sub.since else None


def _trial_started(sub: Subscription) -> Subject | None:
    """The beginning of the trial; in a document from before it was stored, that of the status."""
    return _beginning(sub.trial_began_at or sub.since)


def _activated(sub: Subscription) -> Subject | None:
    return _beginning(sub.paid_since)


def _beginning(at: datetime | None) -> Subject | None:
    """The subject that began at an instant, which is its name: one told again or extended began when it did."""
    return Subject(cause_of("began", at.isoformat()), at) if at else None


OF_KIND: Mapping[MomentKind, Milestone] = {
    MomentKind.TRIAL_STARTED: Milestone(frozenset({Status.TRIALING}), _trial_started),
    MomentKind.TRIAL_ENDING: Milestone(frozenset({Status.TRIALING}), _trial_ending),
    MomentKind.ACTIVATED: Milestone(ENTITLED, _activated),
    MomentKind.PERIOD_ENDING: Milestone(frozenset({Status.ACTIVE}), _period_ending),
    MomentKind.PAUSED_ENDING: Milestone(frozenset({Status.PAUSED}), _pause_ending),
    MomentKind.LAPSED: Milestone(frozenset({Status.EXPIRED}), _expired),
}
"""Every kind of milestone."""
