"""The clause that kept a user out of an audience, in plain and composed audiences, with the values on record."""

from typing import Any

import pytest

from shared.decisioning.compile import compile_catalog
from shared.decisioning.decide import decide
from shared.decisioning.situation import Situation
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Subscription
from shared.queries.failed_clause import FailedClause, failed_clause
from tests.support.builders import user

AUDIENCES: dict[str, Any] = {
    "paying": {"all": [{"active": "subscription.status == 'active'"}]},
    "students": {"all": [{"student": "profile.student == true"}]},
    "gone": {"all": [{"gone": "subscription.status == 'none'"}]},
    "any": {"any": [{"abroad": "profile.country == 'SE'"}, {"young": "profile.student == true"}]},
    "payers": {"all": [{"here": "subscription.status == 'none'"}], "all_of": ["paying"]},
    "either": {"any_of": ["paying", "students"]},
    "none": {"none_of": ["gone"]},
    "unknown": {"none_of": ["students"]},
    "offered": {"all": [{"offered": "offers.c.issued > 0"}]},
    "scored": {"all": [{"risky": "scores.risk >= 0.5"}]},
    "attributed": {"all": [{"level": "profile.attributes.level >= 7"}]},
    "late": {"all": [{"late": "now > timestamp('2999-01-01T00:00:00Z')"}]},
    "several": {"all": [{"two": "subscriptions.filter(s, s.entitled).size() >= 2"}]},
}


def told(audience: str) -> FailedClause | None:
    """The sentence about a user of whom nothing is known, by a campaign of this audience."""
    catalog = compile_catalog(
        {
            "placements": {"p": {"channel": "in_app"}},
            "offers": {"o": {"cms_ref": "o", "validity_hours": 48}},
            "attributes": {"level": {"type": "number"}},
            "scores": {"risk": {"version": 1}},
            "audiences": AUDIENCES,
            "campaigns": {
                "c": {
                    "offer": "o",
                    "placement": "p",
                    "moments": ["activated"],
                    "priority": 1,
                    "audience": audience,
                }
            },
        }
    )
    somebody = user(Subscription("main"))
    moment = Moment(MomentKind.ACTIVATED, "main", somebody.now, "cause")
    decision = decide(Situation(catalog, somebody), [moment])
    (candidate,) = decision.candidates
    assert candidate["reason"] == "audience"
    return failed_clause(catalog, {"context": decision.context.values}, candidate)


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("paying", FailedClause("active", "subscription.status == 'active'", {"subscription.status": "none"})),
        ("students", FailedClause("student", "profile.student == true", {"profile.student": None})),
        (
            "any",
            FailedClause(
                "abroad",
                "(profile.country == 'SE') || (profile.student == true)",
                {"profile.country": None, "profile.student": None},
            ),
        ),
        (
            "payers",
            FailedClause("paying.active", "subscription.status == 'active'", {"subscription.status": "none"}),
        ),
        (
            "either",
            FailedClause("paying.active", "subscription.status == 'active'", {"subscription.status": "none"}),
        ),
        (
            "none",
            FailedClause("none_of.gone", "!(((subscription.status == 'none')))", {"subscription.status": "none"}),
        ),
        (
            "unknown",
            FailedClause("none_of.students.student", "profile.student == true", {"profile.student": None}),
        ),
        ("offered", FailedClause("offered", "offers.c.issued > 0", {"offers.c.issued": 0})),
        ("scored", FailedClause("risky", "scores.risk >= 0.5", {"scores.risk": None})),
        (
            "attributed",
            FailedClause("level", "profile.attributes.level >= 7", {"profile.attributes.level": None}),
        ),
        ("late", FailedClause("late", "now > timestamp('2999-01-01T00:00:00Z')", {})),
        (
            "several",
            FailedClause("two", "subscriptions.filter(s, s.entitled).size() >= 2", {}, ("subscriptions",)),
        ),
    ],
)
def test_the_clause_and_the_values_that_it_asked_for_are_told(audience: str, expected: FailedClause) -> None:
    assert told(audience) == expected


def test_a_catalog_that_lacks_the_campaign_or_the_clause_tells_nothing() -> None:
    empty = compile_catalog({})
    lost = {"campaign_id": "c", "detail": "active"}
    assert failed_clause(empty, {}, lost) is None
    catalog = compile_catalog(
        {
            "placements": {"p": {"channel": "in_app"}},
            "offers": {"o": {"cms_ref": "o", "validity_hours": 48}},
            "audiences": {"paying": AUDIENCES["paying"]},
            "campaigns": {
                "c": {
                    "offer": "o",
                    "placement": "p",
                    "moments": ["activated"],
                    "priority": 1,
                    "audience": "paying",
                }
            },
        }
    )
    for detail in ("other", "", None, "activ", "active.x", "none_of.paying"):
        assert failed_clause(catalog, {}, {"campaign_id": "c", "detail": detail}) is None
    found = failed_clause(catalog, {}, {"campaign_id": "c", "detail": "active: no such key"})
    assert found == FailedClause("active", "subscription.status == 'active'", {}, ("subscription.status",))
