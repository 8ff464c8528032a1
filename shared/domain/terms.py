"""The terms of business: how long things last where an event does not say."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """Durations that are policy, not law; every one is a setting (`UPBEAT_GRACE_DAYS` and so on)."""

    grace: timedelta = timedelta(days=7)
    """How long access lasts after a period ended unpaid."""
    hold: timedelta = timedelta(days=60)
    """How long an unpaid subscription can still be recovered after grace."""
    pending: timedelta = timedelta(hours=72)
    """How long a first payment may stay pending."""
    clock_skew: timedelta = timedelta(minutes=5)
    """How far ahead of our clock a producer's clock may run."""
    freshness: timedelta = timedelta(hours=72)
    """How old a moment may be and still be decided; older is stale."""
    redelivery: timedelta = timedelta(days=14)
    """The longest time a message can come again: retention plus a redrive of dead letters."""
