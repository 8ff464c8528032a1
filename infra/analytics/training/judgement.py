"""What no data has trained in the churn-risk score: log-odds set by judgement, each with its reason."""

from collections.abc import Mapping
from typing import Any

REFERENCE_RISK = 0.1
"""Of a subscriber with three payments and nothing amiss, to pay nothing in the next 60 days: 5% a month, twice."""

AUTO_RENEW_OFF = 3.5
"""It ends unless it is turned on again: 0.1 becomes 0.79."""
PAYMENT_FAILING = 1.2
"""Most of these payments recover: 0.1 becomes 0.27, before what the status adds."""
OF_STATUS: Mapping[str, float] = {
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
"""The further from paid access, the less likely is a payment."""
FADING: Mapping[str, tuple[float, int]] = {
    "inactivity": (1.4, 30),
    "cancel_page_viewed": (1.9, 30),
    "support_contact": (0.4, 14),
    "refund_requested": (1.6, 30),
    "payment_method_expiring": (0.5, 45),
}
"""The weight of a signal on its day, and in how many days it fades to nothing, day by day the same."""
SECOND_LOOK = 0.7
"""Whoever comes back to the cancel page means it."""


def numeric_terms() -> list[dict[str, Any]]:
    """The terms of the signals."""
    fading = [_fading(f"signals.{signal}.days_since", weight, days) for signal, (weight, days) in FADING.items()]
    second_look = {
        "feature": "signals.cancel_page_viewed.count",
        "coefficient": SECOND_LOOK,
        "center": 1,
        "min": 1,
        "max": 2,
        "missing": {"contribute": 0},
    }
    return [*fading, second_look]


def categorical_terms() -> list[dict[str, Any]]:
    """The terms of the subscription's own state."""
    return [
        _categories("subscription.auto_renew", {"true": 0.0, "false": AUTO_RENEW_OFF}),
        _categories("subscription.payment_failing", {"false": 0.0, "true": PAYMENT_FAILING}),
        _categories("subscription.status", OF_STATUS),
    ]


def _fading(feature: str, weight: float, days: int) -> dict[str, Any]:
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
