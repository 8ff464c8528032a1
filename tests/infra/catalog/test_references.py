import json

from infra.catalog.references import behind, resolved, winning_order
from infra.strict_yaml import read_yaml
from shared.decisioning.document.references import Place, Reference, references
from shared.decisioning.document.schema import CatalogDocument, Clauses
from tests.support.journeys import JOURNEY

DOCUMENT = CatalogDocument.model_validate_json(
    json.dumps(
        {
            "placements": {"banner": {"channel": "in_app", "fallback": "plain"}, "email": {"channel": "email"}},
            "offers": {id_: {"cms_ref": id_, "validity_hours": 1} for id_ in ("plain", "half", "double")},
            "audiences": {"risky": {"all": [{"likely": "has(scores.churn) && scores.churn > 0.5"}]}},
            "scores": {"churn": {"version": 1}},
            "milestones": {"lapsed": [7, 30], "trial.ending": [3]},
            "experiments": {"price": {"variants": [{"id": "a", "offer": "half"}, {"id": "b", "offer": None}]}},
            "campaigns": {
                "one": {
                    "offer": "double",
                    "placement": "banner",
                    "moments": ["lapsed", "trial.ending@7", "renewed"],
                    "priority": 10,
                    "audience": "risky",
                    "experiment": "price",
                },
                "two": {"offer": "gone", "placement": "banner", "moments": ["renewed"], "priority": 20},
                "three": {"offer": "half", "placement": "banner", "moments": ["renewed"], "priority": 10},
            },
            "holdouts": {"pair": {"percent": 10, "campaigns": ["two", "one"]}},
        }
    )
)


def test_a_campaign_rests_on_all_that_it_names_and_on_what_those_name():
    assert behind(resolved(DOCUMENT), Place("campaigns", "one")) == {
        ("offers", "double"),
        ("offers", "half"),
        ("offers", "plain"),
        ("placements", "banner"),
        ("audiences", "risky"),
        ("scores", "churn"),
        ("milestones", "lapsed"),
        ("experiments", "price"),
    }


def test_what_is_not_in_the_catalog_is_referred_to_by_nobody():
    assert ("offers", "gone") not in behind(resolved(DOCUMENT), Place("campaigns", "two"))
    assert behind(resolved(DOCUMENT), Place("campaigns", "nowhere")) == set()


def with_audience(*clauses: dict[str, str]) -> CatalogDocument:
    return DOCUMENT.model_copy(update={"audiences": {"risky": Clauses(all=clauses)}})


def test_an_audience_that_asks_about_offers_refers_to_their_campaigns_but_not_to_what_is_behind_them():
    clauses = [{"new": "offers.three.issued == 0"}, {"no_tour": "offers['fallback.banner'].issued == 0"}]
    asking = DOCUMENT.model_copy(
        update={
            "audiences": CatalogDocument.model_validate(
                {"audiences": {"risky": {"all": tuple(clauses)}}}
            ).audiences
        }
    )
    named = {one.target for one in references(asking) if one.owner == ("audiences", "risky")}
    assert named == {("campaigns", "three"), ("placements", "banner")}
    found = behind(resolved(asking), Place("campaigns", "one"))
    assert ("campaigns", "three") in found
    assert ("campaigns", "two") not in found


def test_campaigns_that_ask_about_each_other_are_no_endless_search():
    clause = [{"new": "offers.one.issued == 0 && offers.three.issued == 0"}]
    asking = DOCUMENT.model_copy(
        update={
            "audiences": CatalogDocument.model_validate({"audiences": {"risky": {"all": tuple(clause)}}}).audiences
        }
    )
    assert ("campaigns", "one") not in behind(resolved(asking), Place("campaigns", "one"))


def test_a_list_of_campaigns_refers_to_each():
    named = [one.target for one in references(DOCUMENT) if one.owner == ("holdouts", "pair")]
    assert named == [("campaigns", "two"), ("campaigns", "one")]


def test_a_campaign_rests_on_what_it_follows_and_on_what_that_names():
    journey = CatalogDocument.model_validate_json(json.dumps(read_yaml(JOURNEY.encode())))
    assert behind(resolved(journey), Place("campaigns", "annual_help")) >= {
        ("campaigns", "annual_banner"),
        ("campaigns", "annual_email"),
        ("offers", "annual_plan"),
    }
    of_email = [one for one in references(journey) if one.owner == ("campaigns", "annual_email")]
    (follows,) = [one for one in of_email if one.target.section == "campaigns"]
    assert (follows.field, follows.target.id) == ("moments[0]", "annual_banner")


def test_the_higher_priority_wins_first_then_the_lower_id():
    assert winning_order(DOCUMENT) == {"banner": ["two", "one", "three"], "email": []}


def test_among_those_of_one_priority_the_higher_rank_wins_and_a_score_counts_as_none():
    terms = {"offer": "plain", "placement": "email", "moments": ["renewed"], "priority": 1}
    ranked = {
        "scored": {**terms, "rank": {"score": "churn"}},
        "high": {**terms, "rank": 0.5},
        "other": terms,
    }
    written = {"placements": {"email": {"channel": "email"}}, "campaigns": ranked}
    document = CatalogDocument.model_validate_json(json.dumps(written))
    assert winning_order(document) == {"email": ["high", "other", "scored"]}


def test_entries_that_refer_to_each_other_do_not_go_on_for_ever():
    a, b = Place("campaigns", "a"), Place("campaigns", "b")
    assert behind([Reference(a, "next", b), Reference(b, "next", a)], a) == {b}
