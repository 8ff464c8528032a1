import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.inspect.reasons import at_top, by_field
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.errors import Rejected


def refusal(data):
    with pytest.raises(Rejected) as rejected:
        parse_event("payment", Delivery(data, {}))
    return by_field(rejected.value.detail)


def test_each_sentence_of_a_real_refusal_stands_by_its_field():
    found = refusal(b'{"event_id":"a b","user_id":1,"occurred_at":"today","outcome":"failed"}')
    assert [*found] == ["event_id", "user_id", "occurred_at"]
    assert found["user_id"].startswith("user_id: expected 1 to 256")


def test_a_field_of_the_profile_has_its_whole_path():
    found = refusal(
        b'{"event_id":"a","user_id":"u","occurred_at":"2026-03-01T09:00:00Z","outcome":"failed","profile":{"country":"de"}}'
    )
    assert [*found] == ["profile.country"]
    assert at_top("profile.country") == "profile"
    assert at_top("items[0].x") == "items"


def test_what_is_about_no_field_is_kept():
    assert refusal(b"\xff") == {"": "the data: expected JSON in UTF-8, found a byte that is not UTF-8 at offset 0"}
    assert by_field("") == {}


@given(st.text())
def test_no_word_of_a_detail_is_lost(detail):
    assert sorted("; ".join(by_field(detail).values())) == sorted(detail)
