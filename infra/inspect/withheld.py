"""Offers that won and that the user was not given, and why: the words that every page uses."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.decisioning.losses import NOT_GIVEN, LossReason
from shared.domain.triggers import Trigger

NOTHING = "nothing"
"""The offer of a variant that has none."""
Reasons = Mapping[str, str]
"""Trigger ids, each with the reason in words, such as `holdout all`."""


def is_withheld(candidate: Mapping[str, Any]) -> bool:
    """True of a candidate that won and was not given."""
    return bool(candidate.get("suppressed")) and candidate["reason"] in NOT_GIVEN


def reason_of(candidate: Mapping[str, Any]) -> str:
    """The holdout or the variant that withheld a candidate."""
    return f"{candidate['reason']} {candidate['detail']}"


def recorded(decisions: Iterable[Mapping[str, Any]]) -> Reasons:
    """The reasons of all withheld offers that these decisions tell."""
    candidates = (candidate for body in decisions for candidate in body["candidates"] if is_withheld(candidate))
    return {one["trigger_id"]: reason_of(one) for one in candidates if one.get("trigger_id")}


def offer_of(told: Mapping[str, Any]) -> str:
    """The offer of a candidate or an exposure; `nothing` if the user's variant has none."""
    is_nothing = told["offer_id"] is None or told.get("reason") == LossReason.VARIANT
    return NOTHING if is_nothing else str(told["offer_id"])


def reason_of_stored(trigger: Trigger) -> str:
    """The reason of a trigger whose decision is no longer on record. No trigger holds the name of its holdout."""
    return f"variant {trigger.variant}" if trigger.withheld == LossReason.VARIANT else trigger.withheld


def in_words(reason: str) -> str:
    """The state of an offer that was withheld for a reason."""
    return f"withheld ({reason})"
