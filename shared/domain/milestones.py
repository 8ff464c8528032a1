"""Milestones: moments that time brings, at offsets that the catalog names."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from shared.domain.instants import later
from shared.domain.moments import Moment, MomentKind, caused_by_time
from shared.domain.subscription import Status, Subscription

Offsets = Mapping[MomentKind, Sequence[timedelta]]
"""The time before the trial's end for `trial.ending`, after the expiry for `lapsed`."""


def milestones(sub: Subscription, offsets: Offsets) -> Iterator[Moment]:
    """Every milestone of the status that the subscription is in now, past and future alike.

    A trial shorter than an offset reaches that milestone on its first day.
    """
    status = sub.status
    if status is Status.TRIALING and sub.trial_ends_at and sub.since and not sub.converted:
        for offset in offsets.get(MomentKind.TRIAL_ENDING, ()):
            at = max(sub.since, sub.trial_ends_at - offset)
            yield caused_by_time(MomentKind.TRIAL_ENDING, sub.id, at, sub.granted_by, offset=offset)
    if status is Status.EXPIRED and sub.since:
        for offset in offsets.get(MomentKind.LAPSED, ()):
            at = later(sub.since, offset)
            yield caused_by_time(MomentKind.LAPSED, sub.id, at, sub.granted_by, offset=offset)
