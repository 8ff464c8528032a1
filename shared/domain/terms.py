"""Terms of business: the durations that apply if an event gives none."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """Durations that are business policy. Each is a setting (`UPBEAT_GRACE_DAYS` and so on)."""

    grace: timedelta = timedelta(days=7)
    """Duration of access after a period ended unpaid."""
    hold: timedelta = timedelta(days=60)
    """Time after grace in which a payment still recovers the subscription."""
    pending: timedelta = timedelta(hours=72)
    """The longest time that a first payment may stay pending."""
    clock_skew: timedelta = timedelta(minutes=5)
    """The most by which a producer's clock may run ahead of ours."""
    freshness: timedelta = timedelta(hours=72)
    """The greatest age at which a moment is still decided; an older moment is stale."""
    redelivery: timedelta = timedelta(days=14)
    """The longest time after which a message can be redelivered: retention plus a redrive of dead letters."""
