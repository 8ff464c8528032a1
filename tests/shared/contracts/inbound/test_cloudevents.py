"""CloudEvents in binary and structured mode give the same event as the plain event in them."""

import json
from base64 import b64encode
from typing import Any

import pytest

from shared.contracts.inbound.envelope import parse_event
from shared.contracts.reasons import RejectionReason
from shared.domain.events import Event
from tests.support.samples import PAYMENT, delivery, refusal

LEFT_OUT = {name: value for name, value in PAYMENT.items() if name not in {"event_id", "occurred_at"}}
AROUND = {"id": "ce-77", "source": "//billing/eu", "time": "2026-03-15T09:31:00Z"}
STRUCTURED = {"specversion": "1.0", "type": "example.payment", "datacontenttype": "application/json", **AROUND}
BINARY = {f"ce-{name}": text for name, text in STRUCTURED.items()}
FILLED_IN = LEFT_OUT | {"event_id": "ce-77", "source": "//billing/eu", "occurred_at": "2026-03-15T09:31:00Z"}


def parsed(event: object, **attributes: str) -> Event:
    return parse_event("payment", delivery(event, **attributes))


PLAIN = parsed(FILLED_IN)


def test_binary_mode_fills_in_what_the_event_leaves_out() -> None:
    assert parsed(LEFT_OUT, **BINARY) == PLAIN
    assert parsed(LEFT_OUT | {"event_id": None}, **BINARY) == PLAIN


def test_attributes_without_the_ce_prefix_fill_in_nothing() -> None:
    assert parsed(LEFT_OUT, **BINARY, id="other", source="other", time="other") == PLAIN
    assert parsed(LEFT_OUT, id="other", source="other", time="other", **BINARY) == PLAIN


def test_structured_mode_fills_in_what_the_event_leaves_out() -> None:
    encoded = b64encode(json.dumps(LEFT_OUT).encode()).decode()
    assert parsed(STRUCTURED | {"data": LEFT_OUT}) == PLAIN
    assert parsed(STRUCTURED | {"data_base64": encoded}) == PLAIN
    assert parsed(STRUCTURED | {"data": None, "data_base64": encoded}) == PLAIN


def test_the_content_type_alone_makes_a_structured_event() -> None:
    envelope = AROUND | {"data": LEFT_OUT}
    assert parsed(envelope, **{"content-type": "application/cloudevents+json; charset=utf-8"}) == PLAIN


def test_the_events_own_fields_take_precedence() -> None:
    own = PAYMENT | {"source": "app"}
    assert parsed(own, **BINARY) == parsed(own)
    assert parsed(STRUCTURED | {"data": own}) == parsed(own)


def test_an_event_may_have_fields_named_like_those_of_a_cloudevent() -> None:
    alike = PAYMENT | {"id": "7", "type": "payment", "data": {"any": "thing"}}
    assert parsed(alike) == parsed(PAYMENT)


def test_an_attribute_that_fills_in_obeys_the_rules_of_its_field() -> None:
    assert refusal(LEFT_OUT, **BINARY | {"ce-id": "a/b"}).detail.startswith("event_id: expected 1 to 256")
    assert refusal(LEFT_OUT, **BINARY | {"ce-time": "today"}).detail.startswith(
        "occurred_at: expected an RFC 3339"
    )
    assert refusal(STRUCTURED | {"source": "two words", "data": LEFT_OUT}).detail.startswith("source: expected")


def test_an_event_without_a_time_anywhere_is_refused() -> None:
    untimed = {name: text for name, text in BINARY.items() if name != "ce-time"}
    assert refusal(LEFT_OUT, **untimed).detail == "occurred_at: expected a value, found none"


BROKEN: list[dict[str, Any]] = [
    STRUCTURED,
    STRUCTURED | {"data": None},
    STRUCTURED | {"data": "text"},
    STRUCTURED | {"data": [PAYMENT]},
    STRUCTURED | {"data": json.dumps(PAYMENT)},
    STRUCTURED | {"data_base64": 5},
    STRUCTURED | {"data_base64": "?!"},
    STRUCTURED | {"data_base64": "é"},
    STRUCTURED | {"data_base64": b64encode(b"[]").decode()},
]


@pytest.mark.parametrize("envelope", BROKEN)
def test_a_cloudevent_without_an_event_is_refused(envelope: dict[str, Any]) -> None:
    assert refusal(envelope).reason == RejectionReason.INVALID


def test_base64_data_is_parsed_as_strictly_as_plain_data() -> None:
    twice = b64encode(b'{"amount": 1, "amount": 2}').decode()
    assert "each key once" in refusal(STRUCTURED | {"data_base64": twice}).detail
    assert refusal(STRUCTURED | {"data_base64": b64encode(b"\xff").decode()}).reason == RejectionReason.NOT_JSON


def test_a_batch_of_cloudevents_is_refused() -> None:
    batch = json.dumps([STRUCTURED | {"data": PAYMENT}]).encode()
    assert (
        refusal(batch, **{"content-type": "application/cloudevents-batch+json"}).reason == RejectionReason.INVALID
    )
