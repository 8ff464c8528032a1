"""Milestones: moments that time brings, at offsets in days that the catalog names."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from shared.domain.instants import later
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Status, Subscription

Offsets = Mapping[MomentKind, Sequence[int]]
"""Whole days: before the trial's end for `trial.ending`, after the expiry for `lapsed`."""


def milestones(sub: Subscription, offsets: Offsets) -> Iterator[Moment]:
    """Every milestone that lies on a subscription's way from where it stands, past and future alike.

    A trial shorter than an offset is ending from its first day.
    """
    status = sub.shown_status
    if status is Status.TRIALING and sub.trial_ends_at and sub.since:
        for days in offsets.get(MomentKind.TRIAL_ENDING, ()):
            at = max(sub.since, sub.trial_ends_at - timedelta(days=days))
            yield _milestone(MomentKind.TRIAL_ENDING, sub, at, days)
    if status is Status.EXPIRED and sub.since:
        for days in offsets.get(MomentKind.LAPSED, ()):
            yield _milestone(MomentKind.LAPSED, sub, later(sub.since, timedelta(days=days)), days)


def _milestone(kind: MomentKind, sub: Subscription, at: datetime, days: int) -> Moment:
    return Moment(kind, sub.id, at, f"{kind}/{sub.id}/{days}/{sub.granted_by}", days)
