"""The coefficients of the churn-risk score that no data has trained: log-odds set by judgement, with reasons."""

from collections.abc import Mapping
from typing import Any

REFERENCE_RISK = 0.1
"""Probability that a subscriber with three payments and no problem pays nothing in the next 60 days.

It is 5% a month, for two months.
"""

AUTO_RENEW_OFF = 3.5
"""The subscription ends unless auto-renew is turned on again: a risk of 0.1 becomes 0.79."""
PAYMENT_FAILING = 1.2
"""Most failed payments recover: a risk of 0.1 becomes 0.27, before the effect of the status."""
STATUS_LOG_ODDS: Mapping[str, float] = {
    "active": 0.0,
    "pending": 0.0,
    "none": 0.0,
    "trialing": 0.6,
    "paused": 0.8,
    "grace": 0.6,
    "on_hold": 1.5,
    "expired": 3.0,
    "revoked": 3.0,
}
"""A payment is less likely the further the status is from paid access."""
SIGNAL_LOG_ODDS: Mapping[str, tuple[float, int]] = {
    "inactivity": (1.4, 30),
    "cancel_page_viewed": (1.9, 30),
    "support_contact": (0.4, 14),
    "refund_requested": (1.6, 30),
    "payment_method_expiring": (0.5, 45),
}
"""A signal's log-odds on its day, and the days in which they decline to zero, linearly."""
REPEATED_CANCEL_PAGE = 0.7
"""A user who returns to the cancel page is more likely to mean it."""


def numeric_terms() -> list[dict[str, Any]]:
    """The terms of the churn signals."""
    declining = [
        _declining(f"signals.{signal}.days_since", weight, days)
        for signal, (weight, days) in SIGNAL_LOG_ODDS.items()
    ]
    repeated = {
        "feature": "signals.cancel_page_viewed.count",
        "coefficient": REPEATED_CANCEL_PAGE,
        "center": 1,
        "min": 1,
        "max": 2,
        "missing": {"contribute": 0},
    }
    return [*declining, repeated]


def categorical_terms() -> list[dict[str, Any]]:
    """The terms of the subscription's state."""
    return [
        _categories("subscription.auto_renew", {"true": 0.0, "false": AUTO_RENEW_OFF}),
        _categories("subscription.payment_failing", {"false": 0.0, "true": PAYMENT_FAILING}),
        _categories("subscription.status", STATUS_LOG_ODDS),
    ]


def _declining(feature: str, weight: float, days: int) -> dict[str, Any]:
    return {
        "feature": feature,
        "coefficient": -weight,
        "center": days,
        "scale": days,
        "min": 0,
        "max": days,
        "missing": {"contribute": 0},
    }


def _categories(feature: str, coefficients: Mapping[str, float]) -> dict[str, Any]:
    return {"feature": feature, "categories": coefficients, "other": "fail", "missing": "fail"}
