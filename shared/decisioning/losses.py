"""Losses: the reasons why a campaign made no offer. Their values are part of the message contract."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class LossReason(StrEnum):
    """The reason why a candidate lost. The members are in the order of the gates."""

    STALE = "stale"
    """The moment no longer held, or was too old, when it was decided."""
    KILL_SWITCH = "kill_switch"
    """The catalog's kill switch is on."""
    STATE = "state"
    """The campaign is not live, or its offer is not approved."""
    NOT_STARTED = "not_started"
    """The decision is before the campaign's `starts_at`."""
    ENDED = "ended"
    """The decision is at or after the campaign's `ends_at`."""
    PLAN = "plan"
    """The offer is not open to the user's plan."""
    HAS_PLAN = "has_plan"
    """The plan to which the offer leads is the user's plan already."""
    AUDIENCE = "audience"
    """The user is not in the campaign's audience."""
    SUPPRESSED = "suppressed"
    """The user's feedback to an earlier trigger forbids another one (`suppress_on`)."""
    EXCLUSIVITY = "exclusivity"
    """Another campaign of the exclusivity group has an open trigger."""
    CAP = "cap"
    """One of the campaign's caps is used up."""
    COOL_DOWN = "cool_down"
    """The campaign's cool-down after a trigger or feedback is not over."""
    QUIET_HOURS = "quiet_hours"
    """It is a quiet hour or day, and the campaign drops the moment."""
    DEFERRED = "deferred"
    """It is a quiet hour or day; the moment is decided again at the next instant that is not quiet."""
    SCORE = "score"
    """The campaign requires the score that ranks it, and that has no value for the user."""
    FALLBACK = "fallback"
    """The candidate is a fallback, and the user was eligible for a campaign of the placement."""
    OUTRANKED = "outranked"
    """Other candidates won the placement."""
    POLICY = "policy"
    """The policy that picks the experiment's variant is missing or invalid."""
    HOLDOUT = "holdout"
    """The campaign won, but the user is in a holdout that covers it."""
    VARIANT = "variant"
    """The campaign won, but the user's variant of the experiment offers nothing."""


INELIGIBLE = frozenset(
    {
        LossReason.STALE,
        LossReason.KILL_SWITCH,
        LossReason.STATE,
        LossReason.NOT_STARTED,
        LossReason.ENDED,
        LossReason.PLAN,
        LossReason.HAS_PLAN,
        LossReason.AUDIENCE,
    }
)
"""Reasons that mean the user was never eligible for the campaign."""
AT_REST = frozenset({LossReason.CAP, LossReason.COOL_DOWN})
"""Reasons that keep an offer from an eligible user for a while; it is told all the same, to measure lift."""


NOT_GIVEN = frozenset({LossReason.HOLDOUT, LossReason.VARIANT})
"""Reasons that keep an offer that won from the user, to measure its effect."""


class Loss(NamedTuple):
    """The reason why a candidate lost, with its detail."""

    reason: LossReason
    detail: str | None = None
    """The failing clause, the cap, the winning campaign or the like."""
    until: datetime | None = None
    """The instant (UTC) at which a deferred candidate is decided again; None if it was not deferred."""
