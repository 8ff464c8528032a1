"""Two catalogs that take turns during a run: offers at most moments, which revoke and replace each other."""

from typing import Any

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog

PLACES = {
    "banner": {"channel": "in_app"},
    "page": {"channel": "in_app", "max_triggers": 2},
    "inbox": {"channel": "email", "holds": "decision"},
}
OFFERS = {name: {"cms_ref": f"offers/{name}", "validity_hours": 48} for name in ("small", "large")}


def _at(*moments: str, place: str, priority: int, **terms: Any) -> dict[str, Any]:
    return {"moments": [*moments], "placement": place, "priority": priority, "offer": "small", **terms}


CAMPAIGNS = {
    "welcome": _at("trial.started", "activated", place="banner", priority=40),
    "rescue": _at("payment.failed", place="banner", priority=90),
    "thanks": _at("renewed", "payment.recovered", "resumed", place="page", priority=30),
    "stay": _at("auto_renew.off", place="page", priority=70, offer="large"),
    "return": _at("expired", "refunded", place="inbox", priority=50, offer="large"),
    "upgrade": _at("plan.changed", "auto_renew.on", place="inbox", priority=20),
    "help": _at("feedback.clicked:welcome", "feedback.dismissed:stay", place="inbox", priority=60),
}
HOLDOUTS = {"tenth": {"percent": 10, "campaigns": ["thanks", "upgrade"]}}


def _compiled(campaigns: dict[str, Any]) -> Catalog:
    sections = {"placements": PLACES, "offers": OFFERS, "holdouts": HOLDOUTS}
    return compile_catalog(sections | {"campaigns": campaigns})


FIRST = _compiled(CAMPAIGNS)
SECOND = _compiled(
    CAMPAIGNS
    | {
        "thanks": _at("renewed", "payment.recovered", place="page", priority=80),
        "welcome": _at("trial.started", "activated", place="banner", priority=40, state="paused"),
        "stay": _at("auto_renew.off", place="page", priority=70, cap={"max": 2}),
    }
)
"""With other priorities, a cap, and a campaign paused, whose open offers are then revoked."""
