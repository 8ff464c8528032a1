"""Settling: the status of a subscription is derived from its facts."""

from datetime import datetime
from typing import Any

from shared.domain.grants import Grant
from shared.domain.look import Look
from shared.domain.machine import CONDITIONS
from shared.domain.schedules import carry_out
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms


def settle(sub: Subscription, at: datetime, terms: Terms) -> Subscription:
    """The subscription at an instant: what is due takes effect, then the first condition that holds decides."""
    look = Look(carry_out(sub, at, terms), at, terms)
    for condition in CONDITIONS:  # the last one always holds
        if condition.holds(look):
            break
    current, status = condition.current(look), condition.status
    changes = _facts_on_entry(status, at) if status is not sub.status else {}
    if current is not sub.current and _fell_back(sub.current, current):
        changes |= {"failed_at": None, "told_grace": None}
    return look.sub._replace(as_of=at, current=current, grace_ends=condition.grace_ends(look), **changes)


def _fell_back(before: Grant | None, after: Grant | None) -> bool:
    """True if an older payment of another plan is current again, because the newer one ran out."""
    if before is None or after is None or after.is_trial or before.is_trial:
        return False
    return after.start < before.start and after.plan != before.plan and before.ran_out


def _facts_on_entry(status: Status, at: datetime) -> dict[str, Any]:
    """The facts that change on entry into a status. A pause that cannot go on ends for good."""
    entered: dict[str, Any] = {"status": status, "since": at}
    match status:
        case Status.PAUSED:
            return entered
        case Status.EXPIRED:
            return entered | {
                "ended_at": at,
                "failed_at": None,
                "told_grace": None,
                "scheduled_pause": None,
                "pause": None,
                "plan_change": None,
                "cancellation": None,
                "activated_at": None,
            }
        case Status.REVOKED:
            return entered | {"ended_at": at, "pause": None}
        case _:
            return entered | {"pause": None}
