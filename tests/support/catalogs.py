"""Catalogs for tests of the whole pipeline: every moment, short-lived, capped, with every feature, the default."""

import re
from collections.abc import Iterable
from typing import Any

from infra.catalog.load import load_catalog
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.experiments.policy import parse_policy
from shared.decisioning.library import Library
from shared.domain.moments import BY_TIME_ALONE, FOLLOW_UPS, MomentKind
from tests.support import artifacts

RECENTLY = [
    [
        artifacts.split(f"signals.{kind}.days_since", threshold=2, missing="right"),
        artifacts.leaf(0.5),
        artifacts.leaf(0.1),
    ]
    for kind in ("inactivity", "cancel_page_viewed")
]
RISK = artifacts.score(artifacts.trees(*RECENTLY))
"""High for three days after a user was inactive, or visited the cancellation page."""
POLICY = parse_policy("p", {"policy_version": "1", "arms": {"much": 0.5, "none": 0.5}})
LIBRARY = Library(lambda _name, _version: RISK, {"p": POLICY})
SCORES = {"risk": {"version": 1, "raises": {"moment": "churn_risk.raised", "at_least": 0.5, "rearm_below": 0.3}}}
LIFE = tuple(kind for kind in MomentKind if kind not in FOLLOW_UPS)
"""The moments in a subscription's life."""
OFFSETS: dict[str, list[int | str]] = {"trial.ending": [3, 1], "lapsed": [1, 7, 30]}
ALL_OFFSETS: dict[str, list[int | str]] = {
    **OFFSETS,
    "period.ending": [2, "36h"],
    "paused.ending": [1],
    "activated": [10],
}
AFTER_A_BEGINNING = ["activated@10", "activated@36h", "trial.started@1d", "trial.started@60h"]
"""Milestones that only their selectors name, since the kind alone is the moment itself."""
OF_PERIODS = {MomentKind.PERIOD_ENDING, MomentKind.PAUSED_ENDING}


def _catalog(
    campaigns: dict[str, dict[str, Any]], hours: int, offsets: dict[str, list[int | str]] = ALL_OFFSETS
) -> Catalog:
    places = {terms["placement"]: {"channel": "in_app"} for terms in campaigns.values()}
    offers = {"offer": {"cms_ref": "offers/offer", "validity_hours": hours}}
    sections = {"placements": places, "offers": offers, "campaigns": campaigns, "milestones": offsets}
    return compile_catalog({**sections, "scores": SCORES}, LIBRARY)


def _at(*moments: str, placement: str, **terms: Any) -> dict[str, Any]:
    return {"offer": "offer", "moments": [*moments], "placement": placement, "priority": 50, **terms}


def following(campaign: str) -> tuple[str, ...]:
    """Every kind of follow-up of a campaign."""
    return f"feedback.absent@2d:{campaign}", f"feedback.clicked:{campaign}", f"feedback.dismissed:{campaign}"


def _each(moments: Iterable[str], offsets: dict[str, list[int | str]], **more: dict[str, Any]) -> Catalog:
    """A catalog in which each moment leads to an offer of its own, valid for a month, with more campaigns."""
    campaigns = {
        re.sub(r"[.@]", "-", f"at-{moment}"): _at(moment, placement=f"place-{n}")
        for n, moment in enumerate(moments)
    }
    return _catalog(campaigns | more, hours=24 * 30, offsets=offsets)


EVERYTHING = _each(
    (kind for kind in LIFE if kind not in OF_PERIODS),
    OFFSETS,
    after=_at(*following("at-renewed"), placement="after"),
    last=_at(*following("after"), placement="last"),
)
"""Every moment that an event can bring, and the milestones of the ends of trials and subscriptions.

What is offered at a renewal is followed up twice.
"""

TIMED = _each([*AFTER_A_BEGINNING, *sorted(BY_TIME_ALONE), "period.ending@1h", "paused.ending@1h"], ALL_OFFSETS)
"""Every kind of milestone, at several offsets."""

FLEETING = _catalog(
    {f"at-{kind.replace('.', '-')}": _at(kind, placement="one") for kind in LIFE if kind not in BY_TIME_ALONE},
    hours=6,
)
"""Offers that compete for one placement and expire within hours."""

RATIONED = _catalog(
    {
        "once": _at(*LIFE, placement="a", cap={"max": 1}),
        "again": _at(*AFTER_A_BEGINNING, "period.ending@1h", placement="d", cap={"max": 4, "window_days": 20}),
        "seldom": _at(*LIFE, placement="b", cap=[{"max": 2, "window_days": 10}, {"max": 3}]),
        "rested": _at(*LIFE, placement="c", cool_down_hours=72),
        "rival": _at("renewed", "payment.failed", placement="c", priority=90, cap={"max": 1, "window_days": 30}),
    },
    hours=24 * 7,
)
"""Offers with caps and cool-downs, at every moment."""

CHANGES = ["activated", "renewed", "payment.failed", "auto_renew.off", "plan.changed", "churn_risk.raised"]
INTRICATE = compile_catalog(
    {
        "placements": {
            "banner": {"channel": "in_app", "max_triggers": 2, "fallback": "small"},
            "page": {"channel": "in_app"},
            "inbox": {"channel": "email"},
        },
        "offers": {
            "small": {"cms_ref": "offers/small", "validity_hours": 36},
            "large": {"cms_ref": "offers/large", "validity_hours": 24 * 6},
            "mobile": {
                "cms_ref": "offers/mobile",
                "validity_hours": 24 * 3,
                "plans_from": ["basic", "premium", "premium_monthly"],
            },
        },
        "attributes": {"genre": {"type": "string"}, "level": {"type": "number"}, "a-b": {"type": "list"}},
        "audiences": {
            "regular": {"all": [{"modest": "!(subscription.plan in ['family', 'premium_annual'])"}]},
            "fans": {
                "any": [{"jazz": "profile.attributes.genre == 'jazz'"}, {"high": "profile.attributes.level > 3"}]
            },
            "listed": {"all": [{"named": "'jazz' in profile.attributes.a-b"}]},
            "others": {"all_of": ["regular"], "none_of": ["listed"]},
            "either": {"any_of": ["others", "fans"]},
            "paying_much": {"all": [{"much": "event.amount == null || event.amount > 0"}], "any_of": ["regular"]},
        },
        "experiments": {
            "halves": {
                "variants": [
                    {"id": "one", "offer": "large", "weight": 0.5},
                    {"id": "other", "offer": "small", "weight": 0.5},
                ],
                "unit": "subscription",
            },
            "learnt": {
                "variants": [{"id": "much", "offer": "large"}, {"id": "none", "offer": None}],
                "policy": "p",
            },
        },
        "holdouts": {
            "spared": {
                "percent": 100,
                "campaigns": ["held"],
                "starts_at": "2026-02-01T00:00:00Z",
                "ends_at": "2026-03-01T00:00:00Z",
                "audience": "regular",
            },
            "some_fans": {"percent": 50, "campaigns": ["ranked", "written"], "audience": "fans"},
        },
        "milestones": ALL_OFFSETS,
        "scores": SCORES,
        "campaigns": {
            "rare": {
                **_at(
                    *CHANGES, placement="banner", priority=90, experiment="halves", exclusivity_group="one_voice"
                ),
                "cap": [{"max": 2, "window_days": 30, "scope": "offer"}, {"max": 7}],
                "offer": "small",
            },
            "quiet": {
                **_at(
                    *(*LIFE, *AFTER_A_BEGINNING),
                    placement="banner",
                    priority=80,
                    exclusivity_group="one_voice",
                ),
                "quiet_hours": {"start": "22:00", "end": "08:00"},
                "cap": [{"max": 1, "window_days": 2}, {"max": 3, "window_days": 20, "scope": "placement"}],
                "offer": "mobile",
            },
            "ranked": {
                **_at(*CHANGES, placement="banner", rank={"score": "risk"}, audience="either"),
                "suppress_on": [
                    {"event": "dismissed", "scope": "user", "window_days": 3},
                    {"event": "converted", "window_days": 9},
                ],
                "cool_down_hours": {"issued": 24, "clicked": 100},
                "offer": "small",
            },
            "learning": {
                **_at(*CHANGES, "expired", placement="page", experiment="learnt"),
                "quiet_hours": {"start": "02:00", "end": "13:00", "then": "drop"},
                "cap": {"max": 2, "event": "impression", "scope": "channel", "window_days": 15},
                "offer": "large",
            },
            "held": {
                **_at(*CHANGES, "lapsed", placement="inbox", priority=60),
                "cap": {"max": 3, "scope": "user", "window_days": 5},
                "offer": "small",
            },
            "written": {
                **_at(
                    *LIFE,
                    *following("quiet"),
                    placement="inbox",
                    exclusivity_group="one_voice",
                    audience="paying_much",
                ),
                "quiet_hours": {"start": "20:00", "end": "09:30"},
                "suppress_on": [
                    {"event": "accepted", "scope": "offer", "window_days": 20},
                    {"event": "dismissed", "window_days": 5},
                ],
                "cap": [
                    {"max": 2, "event": "converted", "scope": "channel", "window_days": 60},
                    {"max": 4, "window_days": 15},
                ],
                "offer": "large",
            },
        },
    },
    LIBRARY,
)
"""Every feature of a catalog at once, with offers that last for days."""

CATALOGS = {
    "default": load_catalog(),
    "everything": EVERYTHING,
    "timed": TIMED,
    "fleeting": FLEETING,
    "rationed": RATIONED,
    "intricate": INTRICATE,
}
