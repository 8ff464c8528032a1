"""The facts about a user that clauses and scores can use: a flat table in which every name always exists."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from cel_expr_python import cel

from shared.domain.account import Account
from shared.domain.events import (
    BEHAVIOURAL,
    Ownership,
    PaymentReported,
    Profile,
    Purchase,
    ReasonCode,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.events import Fact as EventFact
from shared.domain.grants import Grant, GrantKind
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import (
    Cancellation,
    Pause,
    PlanChange,
    PriceIncrease,
    Renewal,
    Said,
    ScheduledPause,
    Status,
    Subscription,
)
from shared.domain.user import User

Facts = dict[str, object]
"""Facts by their full names, such as `subscription.status`."""
Fact = Callable[[User], object]
"""A function that computes one fact."""
ATTRIBUTES = "profile.attributes"
"""The variable with the user's attributes. Each is a fact of its own: `profile.attributes.NAME`."""
ATTRIBUTE = f"{ATTRIBUTES}."
"""The beginning of the name of an attribute as a fact."""
FEATURES = "features"
"""The variable with the user's features. Each is a fact of its own: `features.NAME`."""
FEATURE = f"{FEATURES}."
"""The beginning of the name of a feature as a fact."""


def facts_about(user: User, names: Iterable[str] | None = None) -> Facts:
    """The facts about a user: those in `names`, or all if it is None.

    An unknown fact is None. Times are RFC 3339 text, except `now`, which is a `datetime`.
    """
    return {name: FACTS[name](user) for name in (FACTS if names is None else names)}


OF_SUBSCRIPTION: Mapping[str, Callable[[Subscription, User], object]] = {
    "id": lambda sub, _: sub.id,
    "status": lambda sub, _: sub.status.value,
    "entitled": lambda sub, _: sub.entitled,
    "live": lambda sub, _: sub.live,
    "plan": lambda sub, _: sub.plan,
    "trial_used": lambda _, user: user.account.trial_used,
    "auto_renew": lambda sub, _: sub.auto_renew,
    "auto_renew_reason": lambda sub, _: sub.auto_renew_reason,
    "auto_renew_off_by": lambda sub, _: sub.auto_renew_off_by and sub.auto_renew_off_by.value,
    "reason_code": lambda sub, _: sub.reason_code and sub.reason_code.value,
    "payment_failing": lambda sub, _: sub.failing,
    "price_consent": lambda sub, _: sub.price_consent,
    "pause_scheduled": lambda sub, _: sub.scheduled_pause is not None,
    "scheduled_plan": lambda sub, _: sub.scheduled_plan,
    "since": lambda sub, _: _text(sub.since),
    "period_start": lambda sub, _: _text(sub.period_start),
    "period_end": lambda sub, _: _text(sub.period_end),
    "trial_ends_at": lambda sub, _: _text(sub.trial_ends_at),
    "grace_until": lambda sub, _: _text(sub.grace_until),
    "cancel_at": lambda sub, _: _text(sub.cancel_at),
    "resume_at": lambda sub, _: _text(sub.resume_at),
    "first_paid_at": lambda sub, _: _text(sub.first_paid_at),
    "last_paid_at": lambda sub, _: _text(sub.last_paid_at),
    "days_in_status": lambda sub, user: _days(sub.since, user.now),
    "days_since_first_paid": lambda sub, user: _days(sub.first_paid_at, user.now),
    "days_since_last_paid": lambda sub, user: _days(sub.last_paid_at, user.now),
    "days_until_period_end": lambda sub, user: _days(user.now, sub.period_end),
    "days_until_trial_end": lambda sub, user: _days(user.now, sub.trial_ends_at),
    "period_days": lambda sub, _: _days(sub.period_start, sub.period_end),
    "recent_payments": lambda sub, _: sub.recent_payments,
    "store": lambda sub, _: sub.purchase.store,
    "product_id": lambda sub, _: sub.purchase.product_id,
    "ownership": lambda sub, _: sub.purchase.ownership and sub.purchase.ownership.value,
    "quantity": lambda sub, _: sub.purchase.quantity,
    "current_price": lambda sub, _: sub.purchase.current_price,
    "currency": lambda sub, _: sub.purchase.currency,
}
"""The facts about a subscription. `subscription` in a clause is the best of the user's subscriptions."""

OF_PROFILE: Mapping[str, Callable[[Profile], object]] = {
    "country": lambda profile: profile.country,
    "locale": lambda profile: profile.locale,
    "time_zone": lambda profile: profile.time_zone,
    "student": lambda profile: profile.student,
}
"""The facts about a user's profile."""

OF_SIGNAL: Mapping[str, Callable[[list[BehaviouralSignal], User], object]] = {
    "count": lambda signals, _: len(signals),
    "last_at": lambda signals, _: _text(max(signals).occurred_at) if signals else None,
    "days_since": lambda signals, user: _days(max(signals).occurred_at, user.now) if signals else None,
    "strength": lambda signals, _: max(signals).strength if signals else None,
}
"""The facts about the stored signals of one behavioural kind; `last_at` and the like are of the newest one."""


OF_EVENT: Mapping[str, Callable[[EventFact], object]] = {
    "failure_reason": lambda fact: fact.failure_reason if isinstance(fact, PaymentReported) else None,
    "amount": lambda fact: fact.amount if isinstance(fact, PaymentReported) else None,
    "reason_code": lambda fact: (
        fact.reason_code.value if isinstance(fact, SignalSeen) and fact.reason_code else None
    ),
    "store": lambda fact: fact.purchase.store if isinstance(fact, TrialStarted | PaymentReported) else None,
}
"""The facts about the event that brought the moment; null if another event, or time, brought it."""

PASSING = frozenset({"scores", "offers", *(f"event.{name}" for name in OF_EVENT)})
"""Facts that pass, or that change with every offer: they must not decide on what lasts.

So do all features, of which there may be none for a while: see `passing`.
"""


def passing(names: Iterable[str]) -> set[str]:
    """Those of these facts that pass."""
    return {name for name in names if name in PASSING or name.startswith(FEATURE)}


def every_subscription(user: User, names: Collection[str] = OF_SUBSCRIPTION) -> list[Facts]:
    """The named facts about each of a user's subscriptions."""
    return [dict(zip(names, fields, strict=True)) for fields in fields_of_each(user, names)]


def fields_of_each(user: User, names: Iterable[str]) -> tuple[tuple[object, ...], ...]:
    """The values of the named facts about each of a user's subscriptions."""
    facts = [OF_SUBSCRIPTION[name] for name in names]
    return tuple([tuple([fact(sub, user) for fact in facts]) for sub in user.account.subscriptions])


def _of_best(fact: Callable[[Subscription, User], object]) -> Fact:
    return lambda user: fact(user.subscription, user)


def _of_profile(fact: Callable[[Profile], object]) -> Fact:
    return lambda user: fact(user.profile)


def _of_signal(kind: Signal, fact: Callable[[list[BehaviouralSignal], User], object]) -> Fact:
    return lambda user: fact([signal for signal in user.signals if signal.kind is kind], user)


def _of_event(fact: Callable[[EventFact], object]) -> Fact:
    return lambda user: fact(user.event.fact) if user.event else None


OF_BEST = {f"subscription.{name}": fact for name, fact in OF_SUBSCRIPTION.items()}
"""The facts about the best subscription, by their full names."""

FACTS: Mapping[str, Fact] = {
    "now": lambda user: user.now,
    "subscriptions": every_subscription,
    FEATURES: lambda _: {},
    "scores": lambda _: {},
    "offers": lambda _: {},
    **{name: _of_best(fact) for name, fact in OF_BEST.items()},
    **{f"profile.{name}": _of_profile(fact) for name, fact in OF_PROFILE.items()},
    ATTRIBUTES: lambda _: {},
    **{f"event.{name}": _of_event(fact) for name, fact in OF_EVENT.items()},
    **{
        f"signals.{kind}.{name}": _of_signal(kind, fact)
        for kind in sorted(BEHAVIOURAL)
        for name, fact in OF_SIGNAL.items()
    },
}
"""Every variable of a clause, with the function that computes it."""


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _days(start: datetime | None, end: datetime | None) -> int | None:
    """Whole days from start to end, rounded down; negative if the end is first; None if either is unknown."""
    return None if start is None or end is None else (end - start).days


def _with_all_facts(then: datetime) -> Subscription:
    paid = Grant(GrantKind.PAYMENT, then, then, then, "monthly", 999)
    return Subscription(
        id="main",
        status=Status.GRACE,
        since=then,
        as_of=then,
        current=paid,
        grace_ends=then,
        past=(paid,),
        trial=paid._replace(kind=GrantKind.TRIAL),
        renewal=Renewal(on=False, by=Said.BILLING, at=then, reason="billing", reason_code=ReasonCode.BILLING),
        scheduled_pause=ScheduledPause(then, then, then),
        pause=Pause(then, then),
        plan_change=PlanChange("yearly", then, then),
        cancellation=Cancellation(then, then),
        purchase=Purchase("app_store", "monthly", Ownership.PURCHASED, 1, 999, "EUR"),
        price_increase=PriceIncrease("accepted"),
        first_paid_at=then,
        last_paid_at=then,
    )


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


_THEN = datetime.fromisoformat("2000-01-01T00:00:00Z")
_NOBODY = User("nobody", _THEN, Account(), Profile())
_SOMEBODY = User(
    "somebody",
    _THEN,
    Account((_with_all_facts(_THEN),), trial_used=True),
    Profile("SE", "sv-SE", "Europe/Stockholm", student=True),
    tuple(BehaviouralSignal(kind, _THEN, "", "", strength=0.5) for kind in sorted(BEHAVIOURAL)),
)
SPECIMEN = facts_about(_SOMEBODY) | {
    "event.failure_reason": "card_expired",
    "event.amount": 999,
    "event.reason_code": ReasonCode.VOLUNTARY.value,
    "event.store": "app_store",
}
"""The facts about a user of whom everything is known. None of them is null."""
VARIABLES = {name: _type(value) for name, value in facts_about(_NOBODY).items()}
"""The CEL type of each variable. A fact that is null for a user of whom nothing is known is dynamic."""
