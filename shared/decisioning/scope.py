"""What an audience can ask about: a flat table of facts about one user, every name always there."""

from datetime import datetime

from cel_expr_python import cel

from shared.domain.account import Account
from shared.domain.events import BEHAVIOURAL, Profile, Signal
from shared.domain.signals import Behaviour
from shared.domain.subscription import WITHDRAWN, Subscription
from shared.domain.user import User

Facts = dict[str, object]


def scope_of(user: User) -> Facts:
    """Every variable of a clause by its full name. Unknown is null; times are RFC 3339 text, but `now`."""
    best = user.subscription
    facts = {subscription.id: _subscription(subscription, user) for subscription in user.account.subscriptions}
    return {
        "now": user.now,
        "subscriptions": list(facts.values()),
        "features": {},
        "scores": {},
        **_named("subscription", facts.get(best.id) or _subscription(best, user)),
        **_named("profile", _profile(user)),
        **{
            name: value
            for kind in sorted(BEHAVIOURAL)
            for name, value in _named(f"signals.{kind}", _signal(kind, user)).items()
        },
    }


def _subscription(subscription: Subscription, user: User) -> Facts:
    period_start, period_end = subscription.period_start, subscription.period_end
    return {
        "id": subscription.id,
        "status": subscription.shown_status.value,
        "entitled": subscription.entitled,
        "live": subscription.live,
        "plan": subscription.plan,
        "trial_used": user.account.trial_used,
        "auto_renew": subscription.auto_renew,
        "auto_renew_reason": subscription.auto_renew_reason,
        "payment_failing": subscription.failing,
        "price_consent": subscription.price_consent,
        "pause_scheduled": subscription.pause is not None,
        "scheduled_plan": subscription.plan_change.to_plan if subscription.plan_change else None,
        "since": _text(subscription.since),
        "period_start": _text(period_start),
        "period_end": _text(period_end),
        "trial_ends_at": _text(subscription.trial_ends_at),
        "grace_until": _text(subscription.grace_until),
        "cancel_at": _text(subscription.cancel_at),
        "resume_at": _text(subscription.resume_at),
        "first_paid_at": _text(subscription.first_paid_at),
        "last_paid_at": _text(subscription.last_paid_at),
        "days_in_status": _days(subscription.since, user.now),
        "days_since_first_paid": _days(subscription.first_paid_at, user.now),
        "days_since_last_paid": _days(subscription.last_paid_at, user.now),
        "days_until_period_end": _days(user.now, period_end),
        "days_until_trial_end": _days(user.now, subscription.trial_ends_at),
        "period_days": _days(period_start, period_end),
        "recent_payments": sum(p.verdict not in WITHDRAWN for p in subscription.payments),
    }


def _profile(user: User) -> Facts:
    profile = user.profile
    return {
        "country": profile.country,
        "locale": profile.locale,
        "time_zone": profile.time_zone,
        "student": profile.student,
    }


def _signal(kind: Signal, user: User) -> Facts:
    seen = [behaviour for behaviour in user.signals if behaviour.kind == kind]
    newest: Behaviour | None = max(seen, default=None)
    last_at = newest.occurred_at if newest else None
    return {
        "count": len(seen),
        "last_at": _text(last_at),
        "days_since": _days(last_at, user.now),
        "strength": newest.strength if newest else None,
    }


def _named(prefix: str, facts: Facts) -> Facts:
    return {f"{prefix}.{name}": value for name, value in facts.items()}


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _days(start: datetime | None, end: datetime | None) -> int | None:
    """Whole days from start to end, rounded down; negative where the end comes first."""
    return None if start is None or end is None else (end - start).days


def _type(value: object) -> cel.Type:
    match value:
        case bool():
            return cel.Type.BOOL
        case int():
            return cel.Type.INT
        case str():
            return cel.Type.STRING
        case datetime():
            return cel.Type.TIMESTAMP
        case list():
            return cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN))
        case dict():
            return cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        case _:
            return cel.Type.DYN


_NOBODY = User("nobody", datetime.fromisoformat("2000-01-01T00:00:00Z"), Account(), Profile())
VARIABLES = {name: _type(value) for name, value in scope_of(_NOBODY).items()}
"""Each variable and its type. What is null for a user of whom nothing is known can be null: it is dynamic."""
