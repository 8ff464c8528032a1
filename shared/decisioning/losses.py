"""Losses: why a campaign made no offer, in words that are part of the contract."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class LossReason(StrEnum):
    """Why a candidate lost, in the order of the gates."""

    STALE = "stale"
    """The moment was over, or too old, before it could be decided."""
    KILL_SWITCH = "kill_switch"
    STATE = "state"
    """The campaign is not live, or its offer not approved."""
    NOT_STARTED = "not_started"
    ENDED = "ended"
    PLAN = "plan"
    """The offer is not open to the user's plan."""
    AUDIENCE = "audience"
    SUPPRESSED = "suppressed"
    """The user's answer to an earlier trigger forbids another."""
    HOLDOUT = "holdout"
    EXCLUSIVITY = "exclusivity"
    """Another campaign of the group has an open trigger."""
    CAP = "cap"
    COOL_DOWN = "cool_down"
    QUIET_HOURS = "quiet_hours"
    DEFERRED = "deferred"
    """Put off until the quiet hours are over, and decided afresh then."""
    SCORE = "score"
    """The score that ranks the campaign cannot be used."""
    FALLBACK = "fallback"
    """A campaign of the placement was open to the user, who needs no fallback."""
    OUTRANKED = "outranked"
    """Other candidates won the placement."""
    POLICY = "policy"
    """The policy that picks the variant cannot be used."""
    VARIANT = "variant"
    """It won, and the user's variant of the experiment is to get nothing."""


INELIGIBLE = frozenset(
    {
        LossReason.STALE,
        LossReason.KILL_SWITCH,
        LossReason.STATE,
        LossReason.NOT_STARTED,
        LossReason.ENDED,
        LossReason.PLAN,
        LossReason.AUDIENCE,
    }
)
"""The campaign was never open to the user."""
WITHHELD = frozenset({LossReason.HOLDOUT, LossReason.CAP, LossReason.COOL_DOWN})
"""The user was spared an offer that was meant for them: what it would have been is worth knowing."""


class Loss(NamedTuple):
    """Why a candidate lost, and what exactly stood in the way."""

    reason: LossReason
    detail: str | None = None
    until: datetime | None = None
    """Of what was put off: when it is decided afresh."""
