"""The status machine as a table: conditions in order, of which the first that holds gives the status."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shared.domain.grants import Grant
from shared.domain.instants import later
from shared.domain.look import Look, lingering
from shared.domain.subscription import Status


def _no_grace(_: Look) -> None:
    return None


class Condition(NamedTuple):
    """One row of the table: a condition in words, the status that it gives, and what is current and grace then."""

    words: str
    status: Status
    holds: Callable[[Look], object]
    current: Callable[[Look], Grant | None]
    grace_ends: Callable[[Look], datetime | None] = _no_grace


def _covering_or_lapsed(look: Look) -> Grant | None:
    return look.covering or look.lapsed or look.sub.current


def _last_known(look: Look) -> Grant | None:
    """The grant that was current when the subscription ended: what is over later without having run is not."""
    ended = look.sub.status is Status.EXPIRED or look.last is None
    return look.sub.current if ended else look.last


CONDITIONS = (
    Condition(
        "a trial covers now, and no pause runs",
        Status.TRIALING,
        lambda look: look.covering and look.covering.is_trial and not look.sub.pause,
        lambda look: look.covering,
    ),
    Condition(
        "a payment that stands covers now, and no pause runs",
        Status.ACTIVE,
        lambda look: look.covering and not look.sub.pause,
        lambda look: lingering(look) or look.covering,
    ),
    Condition(
        "a payment whose money went back would cover now; nothing took over, pends or ended since",
        Status.REVOKED,
        lambda look: look.withdrawn and not (look.covering or look.is_over or look.pends_since_withdrawal),
        lambda look: look.withdrawn,
    ),
    Condition(
        "a pause runs, and something covers now or renews",
        Status.PAUSED,
        lambda look: look.sub.pause and (look.covering or (look.lapsed and look.renews)),
        _covering_or_lapsed,
    ),
    Condition(
        "the time ran out, its grace has not, and it renews or auto-renew went off within the grace",
        Status.GRACE,
        lambda look: look.lapsed and look.at < look.grace_ends and look.keeps_grace,
        lambda look: look.lapsed,
        lambda look: look.grace_ends,
    ),
    Condition(
        "a pending payment gives grace until it settles",
        Status.GRACE,
        lambda look: look.pending_grace,
        lambda look: look.lapsed or look.last,
        lambda look: look.sub.pending and look.sub.pending.grace_until,
    ),
    Condition(
        "a payment that stands waits for its start",
        Status.PENDING,
        lambda look: look.waiting,
        lambda look: look.waiting,
    ),
    Condition(
        "the grace ran out, the hold has not, and it renews",
        Status.ON_HOLD,
        lambda look: look.lapsed and look.renews and look.at < later(look.grace_ends, look.terms.hold),
        lambda look: look.lapsed,
        lambda look: look.grace_ends,
    ),
    Condition(
        "a pending payment may still settle",
        Status.PENDING,
        lambda look: look.payment_pends,
        lambda look: look.last,
    ),
    Condition(
        "there was something once",
        Status.EXPIRED,
        lambda look: look.last or look.sub.grants or look.sub.pending or look.sub.ended_at,
        _last_known,
    ),
    Condition("none of these", Status.NONE, lambda look: True, lambda look: None),  # noqa: ARG005
)
"""The conditions in order: the first that holds gives the status."""
