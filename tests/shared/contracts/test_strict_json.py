"""Data that is not an unambiguous JSON object is rejected, with the right reason."""

import json

import pytest

from shared.contracts.inbound.envelope import parse_event
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import MAX_DEPTH
from tests.support.samples import PAYMENT, delivery, refusal


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


PAYMENT_JSON = json.dumps(PAYMENT)
NOT_JSON = {
    "empty": b"",
    "spaces": b"  \n",
    "cut off": PAYMENT_JSON[:-1].encode(),
    "trailing data": f"{PAYMENT_JSON} x".encode(),
    "single quotes": b"{'event_id': 'e-1'}",
    "invalid UTF-8": b'{"event_id": "\xff\xfe"}',
    "Latin-1": '{"plan": "prämie"}'.encode("latin-1"),
    "UTF-16": PAYMENT_JSON.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + PAYMENT_JSON.encode(),
    "control character in a string": b'{"plan": "a\nb"}',
    "protobuf": bytes(range(128)),
}


@pytest.mark.parametrize("data", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    assert refusal(data).reason == RejectionReason.NOT_JSON


INVALID_JSON = {
    "a list": b"[]",
    "a string": b'"payment"',
    "null": b"null",
    "NaN": PAYMENT_JSON.replace("999", "NaN").encode(),
    "Infinity in an unknown field": f'{{"x": -Infinity, {PAYMENT_JSON[1:]}'.encode(),
    "a key twice": f'{{"amount": 1, {PAYMENT_JSON[1:]}'.encode(),
    "an unknown key twice": f'{{"x": 1, "x": 1, {PAYMENT_JSON[1:]}'.encode(),
    "a key twice further down": f'{{"profile": {{"country": "DE", "country": "FR"}}, {PAYMENT_JSON[1:]}'.encode(),
    "an escaped key twice": f'{{"\\u0061mount": 1, {PAYMENT_JSON[1:]}'.encode(),
    "an integer of 5,000 digits": PAYMENT_JSON.replace("999", "9" * 5000).encode(),
    "nesting one too deep": f'{{"x": {nested(MAX_DEPTH)}, {PAYMENT_JSON[1:]}'.encode(),
    "nesting that ends no recursion": nested(30_000).encode(),
    "objects that end no recursion": (b'{"x":' * 10_000 + b"1" + b"}" * 10_000),
}


@pytest.mark.parametrize("data", INVALID_JSON.values(), ids=INVALID_JSON)
def test_json_with_no_or_two_meanings_is_refused(data: bytes) -> None:
    assert refusal(data).reason == RejectionReason.INVALID


def test_nesting_up_to_the_bound_is_accepted() -> None:
    deep = PAYMENT | {"x": json.loads(nested(MAX_DEPTH - 1)), "y": [{}] * 100}
    assert parse_event("payment", delivery(deep)) == parse_event("payment", delivery(PAYMENT))


def test_data_over_64_kib_is_refused_before_it_is_read() -> None:
    rejected = refusal(b"x" * 1_000_000)
    assert rejected.reason == RejectionReason.TOO_LARGE
    assert rejected.detail == "the data: expected at most 65536 bytes, found 1000000"
    assert refusal(b" " * (64 * 1024)).reason == RejectionReason.NOT_JSON


def test_a_topic_without_events_is_refused() -> None:
    assert refusal(PAYMENT, topic="payments").reason == RejectionReason.UNKNOWN_TOPIC
    assert refusal({}, topic="lifecycle-clock").reason == RejectionReason.UNKNOWN_TOPIC
