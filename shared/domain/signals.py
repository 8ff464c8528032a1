"""Behavioural signals: the newest few of each kind, merged in any order."""

from datetime import datetime
from typing import NamedTuple

from shared.domain.arrival import Arrival, check_same
from shared.domain.events import Event, Signal, SignalSeen

KEPT_PER_KIND = 8
"""The most signals kept of one kind; the oldest are dropped first."""


class BehaviouralSignal(NamedTuple):
    """One behavioural signal, as the user's document keeps it."""

    kind: Signal
    occurred_at: datetime
    cause: str
    """The short name of the event, by which a redelivery is recognised."""
    digest: str
    strength: float | None = None


def was_seen(seen: tuple[BehaviouralSignal, ...], event: Event) -> bool:
    """True if this event was recorded before. Raises `Rejected` (`id_reused`) if only its identity was."""
    cause = event.key.cause
    for known in seen:
        if known.cause == cause:
            check_same(known.digest, event)
            return True
    return False


def record_signal(
    seen: tuple[BehaviouralSignal, ...], event: Event, signal: SignalSeen
) -> tuple[tuple[BehaviouralSignal, ...], Arrival]:
    """The signals with one more, sorted by kind and time; a signal older than the newest 8 of its kind is late.

    Raises `Rejected` (`id_reused`) if the same event was recorded with other content.
    """
    if was_seen(seen, event):
        return seen, Arrival.DUPLICATE
    new = BehaviouralSignal(signal.kind, event.occurred_at, event.key.cause, event.digest, signal.strength)
    same_kind = sorted([*(known for known in seen if known.kind is signal.kind), new])[-KEPT_PER_KIND:]
    if new not in same_kind:
        return seen, Arrival.LATE
    others = (known for known in seen if known.kind is not signal.kind)
    return tuple(sorted([*others, *same_kind])), Arrival.APPLIED
