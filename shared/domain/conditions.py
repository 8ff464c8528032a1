"""Conditions: the facts that must hold for a moment to be worth an offer, and for the offer to stay open."""

from collections.abc import Callable, Mapping

from shared.domain.account import Account
from shared.domain.follow_ups import is_answered_so
from shared.domain.milestones import subject_of
from shared.domain.moments import Moment, MomentKind, is_milestone
from shared.domain.subscription import ENTITLED, Status, Subscription
from shared.domain.triggers import Trigger
from shared.domain.user import User

K = MomentKind
PAYING = frozenset({Status.ACTIVE, Status.TRIALING})

CONDITIONS: Mapping[MomentKind, Callable[[Subscription], bool]] = {
    K.TRIAL_STARTED: lambda sub: sub.status is Status.TRIALING,
    K.TRIAL_ENDING: lambda sub: subject_of(K.TRIAL_ENDING, sub) is not None,
    K.TRIAL_CONVERTED: lambda sub: sub.status in PAYING,
    K.TRIAL_ENDED: lambda sub: sub.status not in PAYING,
    K.ACTIVATED: lambda sub: sub.status in PAYING,
    K.RENEWED: lambda sub: sub.status in PAYING,
    K.PERIOD_ENDING: lambda sub: subject_of(K.PERIOD_ENDING, sub) is not None,
    K.PAYMENT_FAILED: lambda sub: sub.live and sub.failing,
    K.PAYMENT_RECOVERED: lambda sub: sub.status in PAYING and not sub.failing,
    K.PLAN_CHANGED: lambda sub: sub.live,
    K.AUTO_RENEW_OFF: lambda sub: sub.live and not sub.auto_renew,
    K.AUTO_RENEW_ON: lambda sub: sub.live and sub.auto_renew,
    K.PAUSED: lambda sub: sub.status is Status.PAUSED,
    K.PAUSED_ENDING: lambda sub: subject_of(K.PAUSED_ENDING, sub) is not None,
    K.RESUMED: lambda sub: sub.status in ENTITLED,
    K.EXPIRED: lambda sub: sub.status is Status.EXPIRED,
    K.LAPSED: lambda sub: subject_of(K.LAPSED, sub) is not None,
    K.REFUNDED: lambda sub: any(grant.refund and grant.refund.gone for grant in sub.all_grants),
    K.CHURN_RISK_RAISED: lambda sub: sub.live,
    K.FEEDBACK_ABSENT: lambda _: True,
    K.FEEDBACK_CLICKED: lambda _: True,
    K.FEEDBACK_DISMISSED: lambda _: True,
    K.OFFER_REQUESTED: lambda _: True,
}


def is_moment_true(moment: Moment, user: User) -> bool:
    """True while a moment describes the user: the subscription, and the trigger that a follow-up follows."""
    about = moment.subscription_id, moment.grant, moment.offset
    is_true = is_still_true(user.account, moment.kind, *about)
    return is_true and (moment.follows is None or _is_followed(moment.kind, moment.follows, user, is_issued=False))


def is_trigger_true(trigger: Trigger, user: User) -> bool:
    """True while the moment that a trigger was issued for describes the user."""
    about = trigger.subscription_id, trigger.grant, trigger.offset
    if not is_still_true(user.account, trigger.moment, *about):
        return False
    return trigger.follows is None or _is_followed(trigger.moment, trigger.follows, user, is_issued=True)


def _is_followed(kind: MomentKind, trigger_id: str, user: User, *, is_issued: bool) -> bool:
    """True while the document holds the followed trigger, its answer is the follow-up's, and it is true itself.

    Where the followed trigger has expired, nobody revokes it. But once its own moment is no longer true (the
    payment has recovered), there is nothing to follow up.
    """
    followed = user.trigger(trigger_id)
    if followed is None or not is_answered_so(followed, kind, is_issued=is_issued):
        return False
    return is_trigger_true(followed, user)


def is_still_true(
    account: Account, kind: MomentKind, subscription_id: str, grant: str | None, offset: object = None
) -> bool:
    """True while a subscription is in the state that a moment needs.

    Its subscription must be the one that determines the user's status. A milestone (`offset`: it has one) must be
    about what begins or ends now (`grant`): once a trial is extended, an earlier reminder is no longer true.
    """
    sub = account.best
    if sub.id != subscription_id:
        return False
    if not is_milestone(kind, offset):
        return CONDITIONS[kind](sub)
    subject = subject_of(kind, sub)
    return subject is not None and subject.name == grant
