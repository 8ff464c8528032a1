"""Catalogs for tests of the whole way: offers at every moment, fleeting ones, rationed ones, and the default."""

from typing import Any

from infra.catalog_file import load_catalog
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.moments import MILESTONES, MomentKind

OFFSETS = {"trial.ending": [3, 1], "lapsed": [1, 7, 30]}


def _catalog(campaigns: dict[str, dict[str, Any]], hours: int) -> Catalog:
    places = {terms["placement"]: {"channel": "in_app"} for terms in campaigns.values()}
    offers = {"offer": {"cms_ref": "offers/offer", "validity_hours": hours}}
    return compile_catalog({"placements": places, "offers": offers, "campaigns": campaigns, "milestones": OFFSETS})


def _at(*moments: str, placement: str, **terms: Any) -> dict[str, Any]:
    return {"offer": "offer", "moments": [*moments], "placement": placement, "priority": 50, **terms}


EVERYTHING = _catalog(
    {f"at-{kind.replace('.', '-')}": _at(kind, placement=f"place-{n}") for n, kind in enumerate(MomentKind)},
    hours=24 * 30,
)
"""Every moment is worth an offer of its own, valid for a month."""

FLEETING = _catalog(
    {f"at-{kind.replace('.', '-')}": _at(kind, placement="one") for kind in MomentKind if kind not in MILESTONES},
    hours=6,
)
"""Offers that compete for one place and expire within hours."""

RATIONED = _catalog(
    {
        "once": _at(*MomentKind, placement="a", cap={"max": 1}),
        "seldom": _at(*MomentKind, placement="b", cap=[{"max": 2, "window_days": 10}, {"max": 3}]),
        "rested": _at(*MomentKind, placement="c", cool_down_hours=72),
        "rival": _at("renewed", "payment.failed", placement="c", priority=90, cap={"max": 1, "window_days": 30}),
    },
    hours=24 * 7,
)
"""Offers with caps and rests, at every moment."""

CATALOGS = {"default": load_catalog(), "everything": EVERYTHING, "fleeting": FLEETING, "rationed": RATIONED}
