"""The reasons why a campaign made no offer, and why an offer was taken back, in words."""

from collections.abc import Mapping
from typing import Any

from infra.terminal.wording import with_short_times
from shared.decisioning.losses import LossReason
from shared.decisioning.upholding import EVICTED, MOMENT
from shared.domain.triggers import REPLACED

LOSSES: Mapping[str, str] = {
    LossReason.STALE: "too late",
    LossReason.KILL_SWITCH: "the catalog's kill switch is on",
    LossReason.STATE: "not live",
    LossReason.NOT_STARTED: "it has not started",
    LossReason.ENDED: "it has ended",
    LossReason.PLAN: "its offer is not for the user's plan",
    LossReason.HAS_PLAN: "the user has that plan already",
    LossReason.AUDIENCE: "not in its audience",
    LossReason.SUPPRESSED: "an answer of the user rules it out",
    LossReason.EXCLUSIVITY: "another of its group has an offer",
    LossReason.CAP: "its cap is used up",
    LossReason.COOL_DOWN: "it rests",
    LossReason.QUIET_HOURS: "dropped in quiet hours",
    LossReason.DEFERRED: "deferred for quiet hours",
    LossReason.SCORE: "its score has no value",
    LossReason.FALLBACK: "only a fallback, and this one was open to the user",
    LossReason.OUTRANKED: "another has the place",
    LossReason.POLICY: "its experiment's policy cannot be used",
    LossReason.HOLDOUT: "the user is held out",
    LossReason.VARIANT: "the user's variant offers nothing",
}
"""The reasons of decisions; the detail follows in brackets."""
REVOCATIONS: Mapping[str, str] = {
    **LOSSES,
    MOMENT: "no longer true",
    REPLACED: "another offer took its place",
    EVICTED: "too old to be watched",
}
"""The reasons for which an offer was taken back."""


def why_lost(candidate: Mapping[str, Any]) -> str:
    """The reason why a candidate made no offer, with its detail."""
    reason, detail = candidate["reason"], candidate["detail"]
    words = LOSSES.get(reason, reason)
    return f"{words} ({with_short_times(detail)})" if detail else words


def why_revoked(reason: str | None) -> str:
    """The reason why an offer was taken back; a rule that was asked again is told as for a decision."""
    return REVOCATIONS.get(reason or "", reason or "no reason is told")
