"""A misspelt field is ignored as every unknown one, and is pointed out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.envelope import EVENTS, parse_event
from shared.contracts.inbound.events import Payment
from shared.contracts.inbound.misspelt import MAX_TOLD, misspelt
from tests.support.samples import PAYMENT, VALID, delivery

JSON = (
    st.none() | st.integers() | st.text(max_size=5) | st.dictionaries(st.text(max_size=12), st.none(), max_size=3)
)


def told(given: dict[str, Any], topic: str = "payment") -> tuple[str, ...]:
    return parse_event(topic, delivery(VALID[topic] | given)).misspelt


@pytest.mark.parametrize(
    ("topic", "name", "meant"),
    [
        ("payment", "paymentId", "payment_id"),
        ("payment", "payment-id", "payment_id"),
        ("payment", "autorenew", "auto_renew"),
        ("payment", "grace_untill", "grace_until"),
        ("payment", "current_prize", "current_price"),
        ("payment", "failure_reasons", "failure_reason"),
        ("payment", "enviroment", "environment"),
        ("payment", "SUBSCRIPTION_ID", "subscription_id"),
        ("payment", "profil", "profile"),
        ("payment", "country", "profile.country"),
        ("payment", "timezone", "profile.time_zone"),
        ("trial-start", "auto_renews", "auto_renew"),
        ("churn-signal", "reasonCode", "reason_code"),
        ("churn-signal", "effectiveAt", "effective_at"),
    ],
)
def test_the_field_that_is_meant_is_told(topic: str, name: str, meant: str) -> None:
    assert told({name: "x"}, topic) == (f"{name} ({meant}?)",)


def test_a_fact_of_the_profile_is_told_with_its_path() -> None:
    assert told({"profile": {"timezone": "Europe/Berlin", "countri": "DE", "locale": "de"}}) == (
        "profile.timezone (profile.time_zone?)",
        "profile.countri (profile.country?)",
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"currencyy": "EUR"},  # there is a currency beside it
        {"timezone": "UTC", "profile": {"time_zone": "UTC"}},
        {"customer_segment": "a", "invoice": {"payment_Id": 1}, "x": 1, "": 1, "note": "n"},
        {"order_id": 1, "sourceId": 1, "store-url": 1, "_": 1},
        {"a" * 41: 1, "payment\nid": 1, "payment id": 1, "päyment_id": 1, "7payment_id": 1},
        {"profile": {"attributes": {"timezone": "x"}}},
        {"profile": None},
    ],
)
def test_other_unknown_fields_are_not_told(given: dict[str, Any]) -> None:
    assert told(given) == ()


def test_a_null_beside_it_does_not_hide_a_misspelt_field() -> None:
    assert told({"payment_id": None, "paymentid": "in_1"}) == ("paymentid (payment_id?)",)


def test_a_misspelt_field_changes_nothing_of_the_event() -> None:
    plain, other = (parse_event("payment", delivery(PAYMENT | given)) for given in ({}, {"paymentid": "in_1"}))
    assert other._replace(misspelt=()) == plain


def test_an_event_with_thousands_of_them_tells_a_few() -> None:
    many = {f"payment_i{'d' * number}": 1 for number in range(2, 20)} | {f"paymentid_{n}": 1 for n in range(3000)}
    assert len(told(many)) == MAX_TOLD


@pytest.mark.parametrize("profile", [[], "DE", 5, True])
def test_a_profile_that_is_none_is_left_to_validation(profile: Any) -> None:
    assert misspelt(Payment, {"profile": profile, "amont": 1}) == ("amont (amount?)",)


@given(st.sampled_from(sorted(EVENTS)), st.dictionaries(st.text(max_size=12), JSON, max_size=6))
def test_any_object_is_looked_at_without_an_error(topic: str, content: dict[str, Any]) -> None:
    assert len(misspelt(EVENTS[topic], content)) <= MAX_TOLD
