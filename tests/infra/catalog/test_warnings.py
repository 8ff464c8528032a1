"""Warnings: told of what cannot come true, silent about what can, and never a reason to refuse a catalog."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.load import load_catalog
from infra.catalog.warnings import allowed_statuses, warnings
from shared.decisioning.audiences.audience import activate
from shared.decisioning.audiences.clauses import compile_clause
from shared.decisioning.audiences.facts import SPECIMEN
from shared.domain.moments import MomentKind, MomentSelector
from shared.domain.subscription import ENTITLED, LIVE, Status
from tests.support.builders import campaign, catalog

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def told(**sections: Any) -> list[str]:
    return [*warnings(catalog(**sections).document, NOW)]


def about(*clauses: str, quantifier: str = "all", moments: tuple[str, ...] = ("refunded",)) -> list[str]:
    """The warnings about an audience of these clauses, and about a campaign for it."""
    audience = {quantifier: [{f"c{index}": text} for index, text in enumerate(clauses)]}
    return told(
        audiences={"wanted": audience},
        scores={"risk": {"version": 1}},
        campaigns={"upgrade": campaign(audience="wanted", moments=[*moments])},
    )


def test_the_default_catalog_has_no_warning() -> None:
    assert [*warnings(load_catalog().document, NOW)] == []


def test_a_campaign_that_ended_is_told_until_it_is_archived() -> None:
    over = campaign(ends_at="2026-01-01T00:00:00Z")
    assert told(campaigns={"upgrade": over}) == [
        'campaigns.upgrade.ends_at: expected a time to come, or state: archived, found "2026-01-01T00:00:00+00:00"'
    ]
    assert told(campaigns={"upgrade": {**over, "state": "archived"}}) == []
    assert told(campaigns={"upgrade": campaign(ends_at="2026-06-01T00:00:01Z")}) == []


A_ZONE = "the name of an IANA time zone"
IMPOSSIBLE = {
    "subscription.recent_payments >= 12": "a clause that can be true (subscription.recent_payments is 0 to 8)",
    "signals.inactivity.count == 9": "a clause that can be true (signals.inactivity.count is 0 to 8)",
    "scores.risk > 1.0": "a clause that can be true (scores.risk is 0 to 1)",
    "subscription.entitled && !subscription.live": "a clause that can be true",
    "subscription.plan == 'a' && (subscription.plan == 'b')": "a clause that can be true",
    "subscription.status == 'active' && subscription.status == 'expired'": "a clause that can be true",
    "subscription.auto_renew_off_by == 'nobody'": "a clause that can be true",
    "profile.country in ['SE', 'UK']": "the ISO 3166-1 code of a country (GB?) instead of 'UK'",
    "profile.country == 'se'": "the ISO 3166-1 code of a country (SE?) instead of 'se'",
    "profile.country == 'QQ'": "the ISO 3166-1 code of a country instead of 'QQ'",
    "subscription.currency == 'eur'": "the ISO 4217 code of a currency (EUR?) instead of 'eur'",
    "subscription.currency in ['EUR', 'BTC']": "the ISO 4217 code of a currency instead of 'BTC'",
    "profile.time_zone == 'europe/berlin'": f"{A_ZONE} (Europe/Berlin?) instead of 'europe/berlin'",
    'profile.time_zone in ["Europe/Berlin", "Berlin"]': f"{A_ZONE} (Europe/Berlin?) instead of 'Berlin'",
    "profile.time_zone != 'New York'": f"{A_ZONE} (America/New_York?) instead of 'New York'",
    "profile.time_zone == 'Mars/Olympus'": f"{A_ZONE} instead of 'Mars/Olympus'",
    "now > timestamp('2026-01-01')": "a time with its offset (2026-01-01T00:00:00Z) instead of '2026-01-01'",
}


@pytest.mark.parametrize(("clause", "expected"), IMPOSSIBLE.items())
def test_a_clause_that_can_never_be_true_is_told_once(clause: str, expected: str) -> None:
    (sentence,) = about(clause)
    assert sentence.startswith(f"audiences.wanted.all[0].c0: expected {expected}")
    assert sentence.endswith(f"found {json.dumps(clause)}")


def test_clauses_that_cannot_be_true_together_are_told_at_the_last_of_them() -> None:
    days = "subscription.days_since_first_paid"
    (sentence,) = about(f"{days} < 30", "subscription.auto_renew", f"{days} >= 30")
    assert sentence == (
        f'audiences.wanted.all[2].c2: expected a clause that can be true beside c0, found "{days} >= 30"'
    )
    assert about(f"{days} < 30", f"{days} >= 30", quantifier="any") == []


@pytest.mark.parametrize(
    ("clause", "is_possible"),
    [
        ("features.value > 5 && features.value < 3", False),
        ("features.value > 5 && features.value < 7", True),
        ("features.segment == 'a' && features.segment == 'b'", False),
        ("features.segment == 'a' || features.segment == 'b'", True),
        ("features.vip == true && features.vip == false", False),
        ("features.value == null && features.value > 1", False),
        ("features.value > 5 && features.other < 3", True),
    ],
)
def test_clauses_about_features_are_judged_as_others(clause: str, is_possible: bool) -> None:
    types = {"value": "number", "other": "number", "segment": "string", "vip": "bool"}
    declared = {name: {"type": type_, "max_age_hours": 48} for name, type_ in types.items()}
    found = told(features=declared, audiences={"wanted": {"all": [{"c0": clause}]}})
    assert [one.startswith("audiences.wanted.all[0].c0: expected a clause that can be true") for one in found] == (
        [] if is_possible else [True]
    )


@pytest.mark.parametrize(
    "clause", ["now > timestamp('2026-01-01T00:00:00Z')", "now > timestamp(subscription.since)"]
)
def test_a_time_with_its_offset_is_no_mistake(clause: str) -> None:
    assert about(clause) == []


@pytest.mark.parametrize(
    "kept",
    [
        "subscription.recent_payments >= 8",
        "profile.country == 'XK'",
        "subscription.currency in ['EUR', 'XXX', 'DEM']",
        "profile.time_zone in ['US/Pacific', 'Etc/GMT+12', 'UTC']",
    ],
)
def test_a_clause_at_the_bound_is_possible(kept: str) -> None:
    assert about(kept) == []


@pytest.mark.parametrize(
    "possible",
    [
        "issued >= 3",
        "issued > 0 && offers.often.issued < 3",
        "clicked >= 100",
        "last_issued_days == null",
        "issued == 0",
    ],
)
def test_what_a_user_can_have_been_offered_is_no_mistake(possible: str) -> None:
    assert of_offers(f"offers.often.{possible}") == []


@pytest.mark.parametrize(
    ("impossible", "expected"),
    [
        ("offers.often.issued >= 100", " (offers.often.issued is 0 to 3)"),
        ("offers['often'].issued > 3", " (offers.often.issued is 0 to 3)"),
        ("offers.upgrade.issued < 0", " (offers.upgrade.issued is 0 or more)"),
        ("offers.upgrade.last_clicked_days < 0", " (offers.upgrade.last_clicked_days is 0 or more)"),
        ("offers.upgrade.clicked == null", " (offers.upgrade.clicked is 0 or more)"),
    ],
)
def test_what_no_user_can_have_been_offered_is_told(impossible: str, expected: str) -> None:
    sentence = f'audiences.wanted.all[0].c0: expected a clause that can be true{expected}, found "{impossible}"'
    assert of_offers(impossible) == [sentence]


def of_offers(clause: str) -> list[str]:
    """The warnings about a clause that may ask about a campaign which makes at most three offers ever."""
    caps = [{"max": 3}, {"max": 1, "window_days": 7}, {"max": 1, "scope": "user", "calendar_days": 1}]
    return told(
        audiences={"wanted": {"all": [{"c0": clause}]}},
        campaigns={"upgrade": campaign(audience="wanted"), "often": campaign(cap=caps)},
    )


def test_a_fallback_that_is_never_offered_is_told() -> None:
    placements = {"banner": {"channel": "in_app", "fallback": "annual"}}
    day, night = {"start": "08:00", "end": "20:00"}, {"start": "20:00", "end": "08:00"}
    campaigns = {"days": campaign(quiet_hours=night), "nights": campaign(quiet_hours=day)}
    expected = "campaigns whose quiet hours and days leave one hour of the week open to all of them"
    sentence = f'placements.banner.fallback: expected {expected}, found "annual"'
    assert told(placements=placements, campaigns=campaigns) == [sentence]
    assert told(placements=placements, campaigns={"days": campaign(quiet_hours=night, days=["mon-fri"])}) == []


def test_the_status_of_an_audience_must_be_one_that_the_moment_allows() -> None:
    (sentence,) = about("subscription.status == 'active'", moments=("lapsed@7", "renewed"))
    assert sentence == (
        "campaigns.upgrade.moments[0]: expected a moment at which the status can be active, "
        'as in audience wanted (it is expired then), found "lapsed@7"'
    )
    assert about("subscription.status == 'active'", "subscription.plan == 'x'", quantifier="any") == []
    assert about("!subscription.entitled", moments=("paused", "auto_renew.off", "expired")) == []
    assert len(about("!subscription.live", moments=("paused", "auto_renew.off", "expired"))) == 2


def test_an_impossible_audience_is_not_told_of_its_campaigns_as_well() -> None:
    assert len(about("subscription.entitled && !subscription.live", moments=("lapsed@7", "renewed"))) == 1


@pytest.mark.parametrize("kind", MomentKind)
def test_every_moment_allows_a_status(kind: MomentKind) -> None:
    assert allowed_statuses(MomentSelector(kind))


def test_a_milestone_allows_the_statuses_in_which_it_comes() -> None:
    moments = ("activated@7", "trial.started@3", "period.ending@3", "paused.ending@36h", "lapsed@1")
    found = about("subscription.status == 'grace'", moments=moments)
    assert [message.split(":")[0] for message in found] == [f"campaigns.upgrade.moments[{n}]" for n in range(1, 5)]
    assert len(about("subscription.status == 'paused'", moments=moments)) == 4
    assert about("subscription.status == 'trialing'", moments=("activated", "activated@7")) == []


def test_offsets_of_a_moment_that_campaigns_hear_at_once_are_told() -> None:
    milestones = {"activated": [7, "36h"]}
    expected = "activated@7d or activated@36h, or no milestones.activated"
    assert told(milestones=milestones, campaigns={"upgrade": campaign(moments=["activated"])}) == [
        f'campaigns.upgrade.moments[0]: expected {expected}, found "activated"'
    ]
    assert told(milestones=milestones, campaigns={"upgrade": campaign(moments=["activated@7"])}) == []


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "subscription.recent_payments": st.integers(0, 8),
    "subscription.days_in_status": st.none() | st.integers(-3, 12),
    "signals.inactivity.strength": st.none() | st.floats(0, 1),
    "subscription.plan": st.none() | st.sampled_from(["a", "b", "c"]),
}
NUMBERS = st.builds(
    "{} {} {}".format, st.sampled_from([*VALUES][:2]), st.sampled_from(["<", ">=", "=="]), st.integers(0, 9)
)
SHARES = st.builds(
    "{} {} {}".format, st.just([*VALUES][2]), st.sampled_from(["<", ">="]), st.sampled_from([0.25, 0.5])
)
WORDS = st.builds("{} {} '{}'".format, st.just([*VALUES][3]), st.sampled_from(["==", "!="]), st.sampled_from("ab"))
STATUSES = st.builds("subscription.status {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(Status))
FLAGS = st.sampled_from(["subscription.entitled", "!subscription.live"])
ATOMS = NUMBERS | SHARES | WORDS | STATUSES | FLAGS
CLAUSES = st.recursive(
    ATOMS, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner)
)


@given(st.lists(CLAUSES, min_size=1, max_size=3), st.sampled_from(Status), st.fixed_dictionaries(VALUES))
def test_clauses_that_are_all_true_of_somebody_are_never_called_contradictory(
    texts: list[str], status: Status, values: dict[str, Any]
) -> None:
    derived = {"status": status.value, "entitled": status in ENTITLED, "live": status in LIVE}
    facts = {**SPECIMEN, **values, **{f"subscription.{name}": value for name, value in derived.items()}}
    if all(compile_clause("c", text).failure(activate(facts)) is None for text in texts):
        assert about(*texts) == []
