"""Staleness in words: the reason why a moment is not decided any more."""

from shared.contracts.outbound.base import rfc3339
from shared.domain.conditions import is_moment_true, is_trigger_true
from shared.domain.follow_ups import standing_answer
from shared.domain.milestones import subject_of
from shared.domain.moments import Moment, is_milestone
from shared.domain.subscription import Subscription
from shared.domain.triggers import Trigger
from shared.domain.user import User


def why_untrue(moment: Moment, user: User) -> str | None:
    """The fact by which a moment does not describe the user; None if it does."""
    best = user.account.best
    if is_moment_true(moment, user):
        return None
    if moment.subscription_id != best.id:
        return f"subscription {best.id} decides the user's status, not {moment.subscription_id}"
    if moment.follows is not None:
        return _why_not_followed(user.trigger(moment.follows), moment, user)
    if is_milestone(moment.kind, moment.offset) and subject_of(moment.kind, best):
        return "it is about a time that was replaced or extended"
    return f"{moment.kind} is not true: {_state(best)}"


def why_stale(moment: Moment, user: User) -> str:
    """The reason why a moment is stale: it is not true any more, or else too old."""
    return why_untrue(moment, user) or f"it is of {rfc3339(moment.at)}, too long ago"


def _why_not_followed(followed: Trigger | None, moment: Moment, user: User) -> str:
    """The reason why a follow-up is not true, by the trigger that it follows."""
    if followed is None:
        return f"no trigger of {moment.campaign or 'any campaign'} is known that it could follow"
    name = f"the trigger of {followed.campaign_id} that it follows"
    if followed.revoked:
        return f"{name} was revoked ({followed.revoke_reason})"
    if not is_trigger_true(followed, user):
        return f"what {name} is about is not true any more ({followed.moment})"
    answer = standing_answer(followed)
    return f"{name} was {answer.kind}" if answer else f"{name} was not answered"


def _state(sub: Subscription) -> str:
    """The facts that the conditions of moments ask for."""
    renews, failing = ("yes" if fact else "no" for fact in (sub.auto_renew, sub.failing))
    return f"status {sub.status}, auto_renew {renews}, payment_failing {failing}"
