"""A holdout with an audience: only users who are in the audience when it is decided are held out."""

from typing import Any

import pytest

from infra.catalog.consequences import consequences
from infra.catalog.diff import diff
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog
from tests.support.builders import campaign, catalog, decide, moment, user, written
from tests.support.candidates import candidates_of

PAYERS = {"all": [{"pays": "subscription.recent_payments > 0"}]}
SWEDES = {"all": [{"from_sweden": "profile.country == 'SE'"}]}


def held(percent: float = 100, audience: str = "swedes", **more: Any) -> Catalog:
    audiences = {"swedes": SWEDES, "payers": PAYERS, "both": {"all_of": ["swedes", "payers"]}}
    sections = {"audiences": audiences, "holdouts": {"h": {"percent": percent, "audience": audience}}}
    return catalog(**{**sections, **more})


@pytest.mark.parametrize(("country", "reason"), [("SE", "holdout"), ("DE", None), (None, None)])
@pytest.mark.parametrize("audience", ["swedes", "both"])
def test_only_users_of_the_audience_are_held_out(audience: str, country: str | None, reason: str | None) -> None:
    made = decide(held(audience=audience), user(country=country), [moment()])
    (candidate,) = candidates_of(made)
    assert (candidate.reason, candidate.holdout) == (reason, "h" if reason else None)
    assert candidate.holdouts == (("h",) if reason else ())
    assert [one.withheld for one in made.won] == ["holdout" if reason else ""]


def test_of_the_audience_the_same_users_are_held_out_as_of_all() -> None:
    ids = [f"user-{number}" for number in range(200)]

    def out(of: Catalog) -> list[str]:
        return [id_ for id_ in ids if not decide(of, user(user_id=id_, country="SE"), [moment()]).issued]

    everybody = catalog(holdouts={"h": {"percent": 20}})
    assert out(held(20)) == out(everybody)
    assert 20 < len(out(everybody)) < 60


def test_a_fallback_is_held_out_by_the_same_audience() -> None:
    placements = {"banner": {"channel": "in_app", "fallback": "annual"}, "inbox": {"channel": "email"}}
    nobody = {"swedes": SWEDES, "nobody": {"all": [{"no": "false"}]}}
    made = held(placements=placements, audiences=nobody, campaigns={"upgrade": campaign(audience="nobody")})
    reasons = {
        country: [one.reason for one in candidates_of(decide(made, user(country=country), [moment()]))]
        for country in ("SE", "DE")
    }
    assert reasons == {"SE": ["audience", "holdout"], "DE": ["audience", None]}


@pytest.mark.parametrize(
    ("clause", "fact"),
    [
        ("scores.risk > 0.5", "scores"),
        ("event.amount > 5", "event.amount"),
        ("event.store == 'x' && event.amount > 5", "event.amount, event.store"),
    ],
)
def test_an_audience_that_changes_by_what_happens_is_refused(clause: str, fact: str) -> None:
    audiences = {"inner": {"all": [{"c": clause}]}, "outer": {"none_of": ["inner"]}}
    sections = {"audiences": audiences, "scores": {"risk": {"version": 1}}}
    with pytest.raises(InvalidCatalog) as refused:
        compile_catalog(written(**sections, holdouts={"h": {"percent": 5, "audience": "outer"}}))
    expected = f"an audience that does not ask for {fact}, by which users would come and go"
    assert refused.value.problems == [f'holdouts.h.audience: expected {expected}, found "outer"']


def test_a_missing_audience_is_told_once() -> None:
    with pytest.raises(InvalidCatalog) as refused:
        compile_catalog(written(audiences={"swedes": SWEDES}, holdouts={"h": {"percent": 5, "audience": "swede"}}))
    (told,) = refused.value.problems
    assert told == 'holdouts.h.audience: expected one of the audiences (swedes?), found "swede"'


@pytest.mark.parametrize(("campaigns", "affected"), [(None, {"upgrade", "other"}), (["other"], {"other"})])
def test_a_diff_names_the_campaigns_whose_held_out_users_a_changed_audience_decides_on(
    campaigns: list[str] | None, affected: set[str]
) -> None:
    holdout = {"percent": 5, "audience": "outer"} | ({"campaigns": campaigns} if campaigns else {})

    def version(country: str) -> Catalog:
        audiences = {
            "inner": {"all": [{"from": f"profile.country == '{country}'"}]},
            "outer": {"none_of": ["inner"]},
        }
        both = {"upgrade": campaign(), "other": campaign(placement="inbox")}
        return catalog(audiences=audiences, campaigns=both, holdouts={"h": holdout})

    before, after = version("SE"), version("DE")
    found = consequences(diff(before, after), before, after).affected
    assert {one.campaign_id for one in found} == affected
    assert {one.by for one in found} == {("audiences.inner",)}
