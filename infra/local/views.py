"""What a person or a report sees of a user's document, as of one instant."""

from datetime import datetime
from typing import Any

from shared.domain.subscription import Subscription
from shared.domain.terms import Terms
from shared.packing import unpack


def view(blob: bytes, now: datetime, terms: Terms) -> dict[str, Any]:
    """The user at `now`: the best subscription, and all of them where there are several."""
    record = unpack(blob)
    account, _ = record.history.at(now, terms)
    seen = {
        "user_id": record.user_id,
        **facts(account.best),
        "trial_used": account.trial_used,
    }
    if len(account.subscriptions) > 1:
        seen["subscriptions"] = [facts(sub) for sub in account.subscriptions]
    return seen


def facts(sub: Subscription) -> dict[str, Any]:
    """A subscription's status and the facts beside it; instants in UTC."""
    return {
        "subscription_id": sub.id,
        "status": sub.shown_status,
        "entitled": sub.entitled,
        "plan": sub.plan,
        "period_start": sub.period_start,
        "period_end": sub.period_end,
        "trial_ends_at": sub.trial_ends_at,
        "auto_renew": sub.auto_renew,
        "auto_renew_reason": sub.auto_renew_reason,
        "grace_until": sub.grace_until,
        "resume_at": sub.resume_at,
        "cancel_at": sub.cancel_at,
        "pause": sub.pause,
        "scheduled_plan_change": sub.plan_change,
        "price_consent": sub.price_consent,
        "first_paid_at": sub.first_paid_at,
        "last_paid_at": sub.last_paid_at,
    }
