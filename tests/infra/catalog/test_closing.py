"""What a catalog closes of the one before, and the recalls that withdraw it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.catalog.closing import Closed, campaigns_with, closed, is_open, recalls
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OFFER = {"cms_ref": "offers/any", "validity_hours": 24}


def catalog(**changed: Any) -> Catalog:
    """Two campaigns and a fallback; the second has an experiment with two offers."""
    about = {"offer": "any", "placement": "banner", "moments": ["renewed"], "priority": 1}
    sections = {
        "placements": {"banner": {"channel": "in_app", "fallback": "small"}},
        "offers": {"any": OFFER, "small": OFFER, "gift": OFFER},
        "campaigns": {"sale": about, "tips": {**about, "experiment": "x"}},
        "experiments": {
            "x": {
                "variants": [
                    {"id": "a", "weight": 0.5, "offer": "any"},
                    {"id": "b", "weight": 0.5, "offer": "gift"},
                ]
            }
        },
    }
    for path, value in changed.items():
        section, _, entry = path.partition("__")
        if not entry:
            sections[section] = value
        elif value is None:
            del sections[section][entry]
        else:
            sections[section][entry] = sections[section][entry] | value
    return compile_catalog(sections)


ARCHIVED = {"status": "archived"}
ONE_ARM = {"variants": [{"id": "a", "weight": 0.5, "offer": "any"}, {"id": "c", "weight": 0.5, "offer": None}]}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Closed()),
        ({"kill_switch": True}, Closed(everything=True)),
        ({"campaigns__sale": {"state": "paused"}}, Closed(campaigns=("sale",))),
        ({"campaigns__sale": {"state": "archived"}}, Closed(campaigns=("sale",))),
        ({"campaigns__sale": {"state": "draft"}}, Closed(campaigns=("sale",))),
        ({"campaigns__sale": None}, Closed(campaigns=("sale",))),
        ({"campaigns__sale": {"ends_at": NOW.isoformat()}}, Closed(campaigns=("sale",))),
        ({"campaigns__sale": {"starts_at": (NOW + timedelta(hours=1)).isoformat()}}, Closed(campaigns=("sale",))),
        ({"campaigns__sale": {"ends_at": (NOW + timedelta(hours=1)).isoformat()}}, Closed()),
        ({"campaigns__sale": {"priority": 2}}, Closed()),
        ({"offers__small": ARCHIVED}, Closed(campaigns=("fallback.banner",))),
        ({"placements__banner": {"fallback": None}}, Closed(campaigns=("fallback.banner",))),
        (
            {"placements__banner": {"fallback": "gift"}, "offers__small": None},
            Closed(offers={"small": ("fallback.banner",)}),
        ),
        ({"placements__banner": {"fallback": "gift"}}, Closed()),
        ({"offers__gift": ARCHIVED, "experiments__x": ONE_ARM}, Closed(offers={"gift": ("tips",)})),
        ({"offers__gift": None, "experiments__x": ONE_ARM}, Closed(offers={"gift": ("tips",)})),
        (
            {"campaigns__sale": None, "campaigns__tips": {"state": "paused"}},
            Closed(campaigns=("sale", "tips")),
        ),
    ],
)
def test_what_was_offered_and_no_longer_is_is_closed(changed: dict[str, Any], expected: Closed) -> None:
    assert closed(catalog(), catalog(**changed), NOW) == expected
    assert bool(expected) is (expected != Closed())


def test_what_was_closed_before_is_not_closed_again() -> None:
    for changed in ({"kill_switch": True}, {"campaigns__sale": {"state": "paused"}}, {"offers__small": ARCHIVED}):
        assert closed(catalog(**changed), catalog(**changed), NOW) == Closed()
    assert closed(catalog(campaigns__sale={"state": "paused"}), catalog(campaigns__sale=None), NOW) == Closed()
    assert closed(catalog(kill_switch=True), catalog(campaigns__sale=None), NOW) == Closed()


def test_a_campaign_is_open_within_its_schedule() -> None:
    bounded = catalog(
        campaigns__sale={"starts_at": NOW.isoformat(), "ends_at": (NOW + timedelta(hours=1)).isoformat()}
    )
    moments = (NOW - timedelta(seconds=1), NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=1))
    assert [is_open(bounded, "sale", at) for at in moments] == [False, True, True, False]
    assert not is_open(bounded, "gone", NOW)


def test_the_campaigns_of_an_offer_are_those_that_make_it_by_a_variant_too() -> None:
    assert campaigns_with(catalog(), "any") == ("sale", "tips")
    assert campaigns_with(catalog(), "gift") == ("tips",)
    assert campaigns_with(catalog(), "small") == ("fallback.banner",)
    assert campaigns_with(catalog(), "gone") == ()


@pytest.mark.parametrize(
    ("closing", "words"),
    [
        (Closed(), []),
        (Closed(everything=True), [["--all"]]),
        (Closed(campaigns=("a", "b", "c")), [["a", "b"], ["c"]]),
        (Closed(campaigns=("a",), offers={"o": ("b", "c")}), [["a"], ["b", "c", "--offer", "o"]]),
    ],
)
def test_all_that_was_closed_is_recalled(closing: Closed, words: list[list[str]]) -> None:
    assert list(recalls(closing, 2)) == words
