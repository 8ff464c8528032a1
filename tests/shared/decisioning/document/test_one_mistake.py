"""One mistake gives one message, and what is well-formed or only misspelt around it is still checked."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.load import DEFAULT_CATALOG
from infra.strict_yaml import read_yaml
from tests.shared.decisioning.document.test_any_catalog import WRITTEN, part, places, problems
from tests.support.builders import campaign, written
from tests.support.journeys import JOURNEY

CATALOGS = {
    "the example": WRITTEN,
    "the default": read_yaml(DEFAULT_CATALOG.read_bytes()),
    "the journey": read_yaml(JOURNEY.encode()),
}
TOLD_BY_EACH_EXPERIMENT = {"plans_from", "policy"}
"""Fields on which each variant of each experiment depends. Every one of them has to be mended."""
PLACES = [
    (name, *place)
    for name, catalog in CATALOGS.items()
    for place in places(catalog)
    if not TOLD_BY_EACH_EXPERIMENT & {*place}
]


def misspelt(word: str) -> str:
    return word[:-1] if len(word) > 1 else f"{word}q"


def catalog_with(place: tuple[Any, ...], mistake: str) -> dict[str, Any]:
    """One of the catalogs with a mistake in one place."""
    name, *way, last = place
    catalog = deepcopy(CATALOGS[name])
    container = part(catalog, tuple(way))
    if mistake == "misspelt name" and isinstance(last, str):
        container[misspelt(last)] = container.pop(last)
    elif mistake == "misspelt text" and isinstance(container[last], str):
        container[last] = misspelt(container[last])
    elif mistake == "null":
        container[last] = None
    elif mistake == "a number":
        container[last] = -7
    return catalog


@given(st.sampled_from(PLACES), st.sampled_from(["misspelt name", "misspelt text", "null", "a number"]))
def test_one_mistake_anywhere_gives_one_message_at_most(place: tuple[Any, ...], mistake: str) -> None:
    told = problems(catalog_with(place, mistake))
    assert len(told) <= 1, told


OFFERS = {"annual": {"cms_ref": "x", "validity_hours": 1}}
GONE = 'expected one of the offers (annual?), found "anual"'


def test_a_malformed_entry_does_not_hide_what_it_names_and_is_not_there() -> None:
    found = problems(written(offers=OFFERS, campaigns={"one": campaign(offer="anual", priority="high")}))
    assert found == [
        'campaigns.one.priority: expected a whole number, found "high"',
        f"campaigns.one.offer: {GONE}",
    ]


def test_a_malformed_variant_does_not_hide_what_others_name() -> None:
    variants = [{"id": "a", "weight": "half", "offer": "annual"}, {"id": "b", "weight": 0.5, "offer": "anual"}]
    found = problems(written(offers=OFFERS, experiments={"price": {"variants": variants}}))
    assert found == [
        'experiments.price.variants[0].weight: expected a number, found "half"',
        f"experiments.price.variants[1].offer: {GONE}",
    ]


def test_a_malformed_reference_is_not_dangling_as_well() -> None:
    (found,) = problems(written(offers=OFFERS, campaigns={"one": campaign(offer="a year")}))
    assert found.startswith("campaigns.one.offer: expected 1 to 64 letters")


def test_a_missing_entry_is_told_once_with_the_fields_that_name_it() -> None:
    two = {name: campaign(offer="anual") for name in ("one", "two")}
    assert problems(written(offers=OFFERS, campaigns=two)) == [
        f"campaigns.one.offer: {GONE} (also in campaigns.two.offer)"
    ]
    three = two | {"three": campaign(offer="anual")}
    assert problems(written(offers=OFFERS, campaigns=three)) == [
        f"campaigns.one.offer: {GONE} (also in campaigns.two.offer and 1 more)"
    ]


def test_a_score_whose_name_has_a_hyphen_is_known_in_clauses() -> None:
    texts = ["scores.churn-risk > 0.5", "scores['churn-risk'] > 0.5", "has(scores.churn-risk)"]
    audiences = {"risky": {"all": [{f"c-{index}": text} for index, text in enumerate(texts)]}}
    assert problems({"audiences": audiences, "scores": {"churn-risk": {"version": 1}}}) == []
    (found,) = problems({"audiences": audiences, "scores": {"churn-ris": {"version": 1}}})
    assert found.startswith("audiences.risky.all[0].c-0: expected one of the scores (churn-ris?)")


def test_a_misspelt_section_is_checked_as_the_section_that_it_means() -> None:
    catalog = written(offers=OFFERS, campaigns={"one": campaign(offer="annual", priority="high")})
    catalog["campaign"] = catalog.pop("campaigns")
    first, second = problems(catalog)
    assert first.startswith("campaign: expected a known field (campaigns?)")
    assert second == 'campaigns.one.priority: expected a whole number, found "high"'


def test_the_type_of_a_misspelt_field_is_not_judged_since_the_guess_may_be_wrong() -> None:
    (found,) = problems(written(offers=OFFERS, campaigns={"one": campaign(offer="annual", starts="today")}))
    assert found.startswith("campaigns.one.starts: expected a known field (starts_at?)")


def test_two_groups_of_one_whose_names_are_alike_are_one_mistake() -> None:
    two = {name: campaign(offer="annual", exclusivity_group=name) for name in ("staying", "stayng")}
    (found,) = problems(written(offers=OFFERS, campaigns=two))
    assert found.endswith('expected a group of several campaigns (stayng?), found "staying"')
