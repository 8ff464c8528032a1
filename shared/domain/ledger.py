"""The ledger: grants are found, replaced, cut and retired, within the bounds of what a subscription keeps."""

from datetime import datetime
from operator import attrgetter

from shared.domain.events import PaymentReported
from shared.domain.grants import Grant, first
from shared.domain.subscription import Cut, Subscription

MAX_GRANTS = 12
"""The most payments kept whose time runs or waits: those that stand and end latest."""
MAX_PAST = 8
"""The most payments kept whose time is over: those that ended last."""


def find(sub: Subscription, reported: PaymentReported) -> Grant | None:
    """The payment that a report names: by its id, else by the start of its period if either has no id."""
    known = [*sub.past, *sub.grants]
    if reported.payment_id:
        if same := [grant for grant in known if grant.payment_id == reported.payment_id]:
            return same[-1]
        known = [grant for grant in known if grant.payment_id is None]
    matches = [grant for grant in known if grant.start == reported.period_start]
    return max(matches, key=lambda grant: (grant.end == reported.period_end, grant == sub.current), default=None)


def replace(sub: Subscription, before: Grant, after: Grant) -> Subscription:
    """The subscription with one grant changed; a grant that now ends later runs again."""
    if before == sub.trial:
        return sub._replace(trial=after)
    if before in sub.grants:
        return sub._replace(grants=tuple([after if grant == before else grant for grant in sub.grants]))
    past = tuple([grant for grant in sub.past if grant != before])
    return sub._replace(past=past, grants=(*sub.grants, after))


def retire(sub: Subscription, at: datetime) -> Subscription:
    """The subscription with every payment whose time is over among the past ones, and both within their bounds."""
    over = [grant for grant in sub.grants if grant.until <= at]
    if over:
        past = [*sub.past, *over]
        if len(over) > 1 or (sub.past and _END(over[0]) < _END(sub.past[-1])):
            past.sort(key=_END)
        kept = tuple([grant for grant in sub.grants if grant.until > at])
        sub = sub._replace(grants=kept, past=tuple(past[-MAX_PAST:]))
    return _within_bounds(sub, at) if len(sub.grants) > MAX_GRANTS else sub


_END = attrgetter("until", "start", "at")
"""The order of the payments whose time is over."""


def _within_bounds(sub: Subscription, at: datetime) -> Subscription:
    """The subscription without the grants of least value: withdrawn ones first, then those that end first."""
    current = first([grant for grant in sub.grants if grant.stands and grant.covers(at)], sub.trial)
    kept = [grant for grant in sub.grants if grant is not current]
    while len(kept) >= MAX_GRANTS:
        kept.remove(min(kept, key=_VALUE))
    return sub._replace(grants=tuple([grant for grant in sub.grants if grant is current or grant in kept]))


_VALUE = attrgetter("stands", "until", "start", "at")


def cut_short(sub: Subscription, at: datetime) -> Subscription:
    """The subscription with everything that runs or waits cut at an instant, and no payment pending any more."""
    trial, pending = sub.trial, sub.pending
    if trial and trial.until > at:
        trial = trial._replace(cut=at)
    if pending:
        pending = pending.given_up(at)
    return sub._replace(
        grants=tuple([grant._replace(cut=at) for grant in sub.grants]),
        trial=trial,
        pending=pending,
        cut=Cut(at, sub.plan),
    )
