"""Attributes of an event: well-formed ones are kept, ill-formed ones dropped, and the event is valid anyway."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.attributes import MAX_TOLD, read_attributes
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.events import Event

PAYMENT = {
    "event_id": "e-1",
    "user_id": "user-1",
    "occurred_at": "2026-03-15T09:30:00Z",
    "outcome": "failed",
}


def parsed(attributes: Any, topic: str = "payment", **fields: Any) -> Event:
    event = {**PAYMENT, **fields, "profile": {"country": "DE", "attributes": attributes}}
    return parse_event(topic, Delivery(json.dumps(event).encode(), {}))


@pytest.mark.parametrize(
    "value", ["jazz", "", "ö" * 32, 0, -7, 2**53, 0.25, True, False, [], ["jazz", 3, 0.5], ["a" * 32] * 8]
)
def test_a_text_a_number_a_boolean_and_a_short_list_are_kept_as_they_are(value: Any) -> None:
    event = parsed({"fav-genre": value})
    assert (event.attributes, event.dropped) == ((("fav-genre", value),), ())
    assert event.profile.country == "DE"


@pytest.mark.parametrize(
    ("topic", "own"),
    [
        ("trial-start", {"plan": "basic", "trial_ends_at": "2026-04-15T09:30:00Z"}),
        ("churn-signal", {"signal": "inactivity"}),
        ("trigger-feedback", {"trigger_id": "t-1", "kind": "clicked"}),
    ],
)
def test_every_topic_carries_attributes(topic: str, own: dict[str, Any]) -> None:
    assert parsed({"level": 3}, topic, **own).attributes == (("level", 3),)


def test_null_is_kept_since_it_removes_an_attribute() -> None:
    assert parsed({"genre": None}).attributes == (("genre", None),)


TEXT_OR_NUMBER = "a text of at most 32 characters without control characters, or a number up to 2^53"
ANY_VALUE = f"{TEXT_OR_NUMBER}, or true or false, or a list of at most 8 such texts and numbers"
A_NAME = "1 to 64 letters, digits, _ or -, of which the first is a letter or digit"
ILL_FORMED = {
    "a long text": ({"a": "x" * 33}, f"a: expected {ANY_VALUE}, found a string of 33 characters"),
    "a control character": ({"a": "x\ny"}, f"a: expected {ANY_VALUE}, found a string of 3 characters"),
    "half a character": ({"a": "\ud800"}, f"a: expected {ANY_VALUE}, found a string of 1 characters"),
    "a huge number": ({"a": 2**53 + 1}, f"a: expected {ANY_VALUE}, found an integer"),
    "a number of 400 digits": ({"a": -(10**400)}, f"a: expected {ANY_VALUE}, found a negative integer"),
    "an object": ({"a": {"b": 1}}, f"a: expected {ANY_VALUE}, found an object"),
    "a long list": ({"a": [1] * 9}, "a: expected a list of at most 8 items, found 9"),
    "a list of lists": (
        {"a": [1, []]},
        f"a: expected a list in which each item is {TEXT_OR_NUMBER}, found a list",
    ),
    "a list with null": ({"a": [None]}, f"a: expected a list in which each item is {TEXT_OR_NUMBER}, found null"),
    "a list with a boolean": (
        {"a": [True]},
        f"a: expected a list in which each item is {TEXT_OR_NUMBER}, found a boolean",
    ),
    "an empty name": ({"": 1}, f"a name: expected {A_NAME}, found an empty string"),
    "a name that may be personal": (
        {"a@b.example": 1},
        f"a name: expected {A_NAME}, found a string of 11 characters",
    ),
    "a long name": ({"a" * 65: 1}, f"a name: expected {A_NAME}, found a string of 65 characters"),
    "no object": ([1], "attributes: expected an object, found a list"),
    "a word": ("genre", "attributes: expected an object, found a string of 5 characters"),
}


@pytest.mark.parametrize(("attributes", "told"), ILL_FORMED.values(), ids=ILL_FORMED)
def test_an_ill_formed_attribute_is_dropped_and_told_without_its_value(attributes: Any, told: str) -> None:
    event = parsed(attributes)
    assert (event.attributes, event.dropped) == ((), (told,))
    if isinstance(attributes, dict):
        assert parsed({**attributes, "level": 3}).attributes == (("level", 3),)


def test_a_number_beyond_all_is_dropped() -> None:
    event = json.dumps({**PAYMENT, "profile": {"attributes": {"a": 0}}}).replace('"a": 0', '"a": 1e999')
    assert parse_event("payment", Delivery(event.encode(), {})).dropped[0].startswith("a: expected")


def test_of_very_many_ill_formed_attributes_the_first_are_told() -> None:
    event = parsed({f"a{number}": {} for number in range(100)})
    assert len(event.dropped) == MAX_TOLD + 1
    assert event.dropped[-1] == "and 92 more"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_whatever_an_attribute_is_the_event_is_valid_and_no_value_is_told(value: Any) -> None:
    found = read_attributes({"name": value, "other": "secret" * 10})
    assert found.kept in {(), (("name", value),)} if not isinstance(value, list) else True
    assert bool(found.kept) == (len(found.dropped) == 1)
    assert "secret" not in "".join(found.dropped)


def test_attributes_count_in_the_digest_in_any_order_and_dropped_ones_do_not() -> None:
    digest = parsed({"a": 1, "b": [2]}).digest
    assert digest == parsed({"b": [2], "a": 1, "c": {}, "a@b": 1}).digest
    assert (
        len({digest, parsed({"a": 2, "b": [2]}).digest, parsed({"a": 1}).digest, parsed({"a": None}).digest}) == 4
    )
    without = {parsed(given).digest for given in [None, {}, {"a": {}}, []]}
    assert without == {
        parse_event("payment", Delivery(json.dumps({**PAYMENT, "profile": {"country": "DE"}}).encode(), {})).digest
    }
