"""Staleness in words: the reason why a moment is not decided any more."""

from shared.contracts.outbound.base import rfc3339
from shared.domain.conditions import is_still_true
from shared.domain.milestones import subject_of
from shared.domain.moments import Moment, is_milestone
from shared.domain.subscription import Subscription
from shared.domain.user import User


def why_untrue(moment: Moment, user: User) -> str | None:
    """The fact by which a moment does not describe the user; None if it does."""
    best = user.account.best
    if is_still_true(user.account, moment.kind, moment.subscription_id, moment.grant, moment.offset):
        return None
    if moment.subscription_id != best.id:
        return f"subscription {best.id} decides the user's status, not {moment.subscription_id}"
    if is_milestone(moment.kind, moment.offset) and subject_of(moment.kind, best):
        return "it is about a time that was replaced or extended"
    return f"{moment.kind} is not true: {_state(best)}"


def why_stale(moment: Moment, user: User) -> str:
    """The reason why a moment is stale: it is not true any more, or else too old."""
    return why_untrue(moment, user) or f"it is of {rfc3339(moment.at)}, too long ago"


def _state(sub: Subscription) -> str:
    """The facts that the conditions of moments ask for."""
    renews, failing = ("yes" if fact else "no" for fact in (sub.auto_renew, sub.failing))
    return f"status {sub.status}, auto_renew {renews}, payment_failing {failing}"
