"""Parsing of Pub/Sub push bodies into deliveries; any other body is rejected as `bad_envelope`."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts.inbound.envelope import Delivery, check_not_future, decode, parse_clock, parse_event
from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected
from tests.support.samples import PAYMENT, delivery, push

DATA = json.dumps(PAYMENT).encode()


def decoded(body: object) -> Delivery:
    return decode(json.dumps(body).encode())


def test_a_push_of_production_is_decoded_whole() -> None:
    assert decoded(push(DATA, {"origin": "eu"}, deliveryAttempt=3)) == Delivery(
        data=DATA,
        attributes={"origin": "eu"},
        message_id="11203345760",
        publish_time="2026-03-15T09:30:01.5Z",
        delivery_attempt=3,
        subscription="projects/p/subscriptions/payment",
    )


def test_a_minimal_push_is_enough() -> None:
    assert decoded({"message": {"data": b64encode(DATA).decode()}}) == Delivery(DATA, {})


@pytest.mark.parametrize("name", ["messageId", "message_id"])
def test_either_spelling_of_a_message_id_is_read(name: str) -> None:
    assert decoded({"message": {name: "7"}}).message_id == "7"


@pytest.mark.parametrize("message", [{}, {"data": ""}, {"data": None}, {"attributes": None}])
def test_a_message_without_data_is_a_delivery_of_no_bytes(message: dict[str, Any]) -> None:
    assert decoded({"message": message}) == Delivery(b"", {})


NO_PUSHES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "invalid UTF-8": b'{"message": "\xff"}',
    "the event itself": DATA,
    "a list": b"[]",
    "null": b"null",
    "no message": b'{"subscription": "s"}',
    "a message of another kind": b'{"message": "m"}',
    "endless nesting": b"[" * 100_000,
    **{
        f"{name} of another kind": json.dumps({"message": {name: bad}}).encode()
        for name, bad in {"attributes": ["a"], "messageId": 7, "publishTime": 7.5, "data": {"a": 1}}.items()
    },
    "attributes that are no strings": b'{"message": {"attributes": {"a": 1}}}',
    "an attempt of another kind": b'{"message": {}, "deliveryAttempt": true}',
    "a subscription of another kind": b'{"message": {}, "subscription": 5}',
    "base64 garbage": b'{"message": {"data": "?!"}}',
    "base64 cut short": b'{"message": {"data": "eyJ"}}',
    "base64 with a line break": b'{"message": {"data": "ey\\nJ9"}}',
    "base64 not in ASCII": '{"message": {"data": "é"}}'.encode(),
}


@pytest.mark.parametrize("body", NO_PUSHES.values(), ids=NO_PUSHES)
def test_what_is_no_push_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        decode(body)
    assert caught.value.reason == RejectionReason.BAD_ENVELOPE


def test_an_event_arrives_through_its_envelope() -> None:
    assert parse_event("payment", decoded(push(DATA))) == parse_event("payment", delivery(PAYMENT))


def test_an_empty_tick_asks_for_every_shard() -> None:
    assert parse_clock(Delivery(b"", {})).shards == tuple(range(64))
    assert parse_clock(delivery({"shards": None})).shards == tuple(range(64))


def test_a_tick_may_ask_for_some_shards() -> None:
    assert parse_clock(delivery({"shards": [63, 0]})).shards == (63, 0)


def test_a_tick_that_continues_another_one_says_its_id() -> None:
    assert parse_clock(delivery({"shards": [1], "tick_id": "0123456789abcdef"})).tick_id == "0123456789abcdef"
    assert parse_clock(delivery({})).tick_id is None


@pytest.mark.parametrize("tick_id", ["", 5, "a b", "x" * 257, ["a"], {}])
def test_an_id_of_a_tick_that_is_no_id_is_refused(tick_id: object) -> None:
    with pytest.raises(Rejected) as caught:
        parse_clock(delivery({"tick_id": tick_id}))
    assert caught.value.detail.startswith("tick_id: expected")


@pytest.mark.parametrize("shards", [[], [64], [-1], ["1"], [1.0], [True], 5, "all", [0] * 65])
def test_shards_out_of_range_or_of_another_type_are_refused(shards: object) -> None:
    with pytest.raises(Rejected) as caught:
        parse_clock(delivery({"shards": shards}))
    assert caught.value.reason == RejectionReason.INVALID
    assert caught.value.detail.startswith("shards")


SKEW = timedelta(minutes=5)
NOW = datetime(2026, 3, 15, 9, 25, tzinfo=UTC)


def test_an_event_ahead_by_exactly_the_allowed_skew_is_accepted() -> None:
    check_not_future(parse_event("payment", delivery(PAYMENT)), NOW, SKEW)


@pytest.mark.parametrize(
    "occurred_at", ["2026-03-15T09:30:00.000001Z", "4468-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_an_event_further_ahead_is_refused(occurred_at: str) -> None:
    event = parse_event("payment", delivery(PAYMENT | {"occurred_at": occurred_at}))
    with pytest.raises(Rejected) as caught:
        check_not_future(event, NOW, SKEW)
    assert caught.value.reason == RejectionReason.FUTURE_DATED
    assert "at most 300 seconds ahead" in caught.value.detail
