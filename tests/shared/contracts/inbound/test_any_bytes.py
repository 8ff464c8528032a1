"""Property-based tests: any bytes give a delivery, an event or a rejection, never another error."""

import json
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.envelope import EVENTS, Delivery, decode, parse_clock, parse_event
from shared.contracts.inbound.fields import EARLIEST
from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected
from shared.domain.events import Event
from tests.support.samples import VALID, push

T = TypeVar("T")
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**301)
    | st.floats()
    | ANY_TEXT
    | st.sampled_from(
        [
            "succeeded",
            "2026-03-15T09:30:00Z",
            "9999-12-31T23:59:59-23:59",
            "EUR",
            "e-1",
            "none",
            "family",
            "refunded",
        ]
    )
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3), max_leaves=8
)
FIELDS = sorted({field for model in EVENTS.values() for field in model.model_fields} | {"specversion", "data"})
TOPICS = st.sampled_from([*EVENTS, "lifecycle-clock", "no-topic", ""])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["content-type", "ce-id", "ce-source", "ce-time", "ce-type"]) | ANY_TEXT,
    st.sampled_from(["application/cloudevents+json", "application/json"]) | ANY_TEXT,
    max_size=4,
)


@st.composite
def nearly_valid(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event with some fields replaced by arbitrary values."""
    event = draw(st.sampled_from(list(VALID.values())))
    return event | draw(st.dictionaries(st.sampled_from(FIELDS) | ANY_TEXT, JSON, max_size=3))


def outcome_of(work: Callable[[], T]) -> T | Rejected:
    """The result of the work, or its rejection; any other error propagates."""
    try:
        return work()
    except Rejected as rejected:
        return rejected


DATA = st.binary(max_size=200) | (nearly_valid() | JSON).map(lambda event: json.dumps(event).encode())


@given(st.binary(max_size=500))
def test_any_body_is_a_delivery_or_no_push(body: bytes) -> None:
    outcome = outcome_of(partial(decode, body))
    assert isinstance(outcome, Delivery) or outcome.reason == RejectionReason.BAD_ENVELOPE


@given(JSON, JSON, JSON, JSON)
def test_any_push_of_wrong_parts_is_a_delivery_or_no_push(
    data: Any, attributes: Any, id_: Any, attempt: Any
) -> None:
    message = {"data": data, "attributes": attributes, "messageId": id_}
    body = json.dumps({"message": message, "deliveryAttempt": attempt}).encode()
    outcome = outcome_of(partial(decode, body))
    assert isinstance(outcome, Delivery) or outcome.reason == RejectionReason.BAD_ENVELOPE


@given(st.binary(max_size=500), st.dictionaries(st.text(), st.text(), max_size=4))
def test_whatever_is_published_arrives_byte_for_byte(data: bytes, attributes: dict[str, str]) -> None:
    delivery = decode(json.dumps(push(data, attributes)).encode())
    assert (delivery.data, delivery.attributes) == (data, attributes)


@given(TOPICS, DATA, ATTRIBUTES)
def test_any_data_is_an_event_or_refused(topic: str, data: bytes, attributes: dict[str, str]) -> None:
    outcome = outcome_of(partial(parse_event, topic, Delivery(data, attributes)))
    if isinstance(outcome, Rejected):
        assert outcome.reason in RejectionReason
    else:
        assert outcome.key.topic == topic
        assert outcome.occurred_at >= EARLIEST
        assert orjson.dumps(outcome, default=tuple)  # every text in it can be stored and sent


@given(DATA | st.dictionaries(st.just("shards"), JSON).map(lambda tick: json.dumps(tick).encode()))
def test_any_tick_asks_for_shards_that_exist_or_is_refused(data: bytes) -> None:
    outcome = outcome_of(partial(parse_clock, Delivery(data, {})))
    assert isinstance(outcome, Rejected) or set(outcome.shards) <= set(range(64))


@given(JSON)
def test_any_payload_of_a_cloudevent_is_an_event_or_refused(payload: Any) -> None:
    for part in ({"data": payload}, {"data_base64": b64encode(json.dumps(payload).encode()).decode()}):
        envelope = {"specversion": "1.0", "id": "1", "source": "s", "type": "t"} | part
        delivery = Delivery(json.dumps(envelope).encode(), {})
        assert isinstance(outcome_of(partial(parse_event, "payment", delivery)), Event | Rejected)
