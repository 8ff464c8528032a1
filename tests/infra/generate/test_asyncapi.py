"""The generated docs/contracts agree with the models: schemas, examples and the AsyncAPI document."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from infra.generate.asyncapi import DOCS, IN, OUT, documents, drift, examples
from shared.contracts.inbound.base import Inbound
from shared.contracts.inbound.envelope import parse_clock, parse_event
from shared.contracts.outbound.base import Outbound
from shared.contracts.outbound.message import FILTERABLE
from shared.contracts.reasons import RejectionReason
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected
from shared.domain.events import PaymentOutcome, Signal
from tests.support.samples import COMMON, PAYMENT, VALID, delivery

MODELS = {model.TOPIC: model for model in (*IN, *OUT)}
WRITTEN = documents()
ASYNCAPI = yaml.safe_load(WRITTEN["asyncapi.yaml"])
EXAMPLES = [(topic, body) for topic in MODELS for body in examples(topic).values()]


def schema_of(topic: str) -> Draft202012Validator:
    schema = json.loads(WRITTEN[f"{topic}.schema.json"])
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def read(topic: str, event: object) -> object:
    return parse_clock(delivery(event)) if topic == Topic.LIFECYCLE_CLOCK else parse_event(topic, delivery(event))


def test_the_documents_have_not_drifted_from_the_models() -> None:
    assert drift(WRITTEN) == []


def test_a_document_that_drifted_is_listed() -> None:
    other = {name: text for name, text in WRITTEN.items() if name != "payment.schema.json"} | {"asyncapi.yaml": ""}
    assert drift(other) == ["asyncapi.yaml", "payment.schema.json"]


def test_every_topic_has_a_schema_and_an_example() -> None:
    assert set(MODELS) == set(Topic)
    assert {topic for topic, _ in EXAMPLES} == set(Topic)
    assert {folder.name for folder in (DOCS / "examples").iterdir()} == set(Topic)


@pytest.mark.parametrize(("topic", "body"), EXAMPLES)
def test_every_example_is_valid_by_schema_and_by_model(topic: str, body: dict[str, Any]) -> None:
    schema_of(topic).validate(body)
    model = MODELS[topic]
    if issubclass(model, Outbound):
        assert model.model_validate(body).model_dump(mode="json", exclude_unset=True) == body
    else:
        assert read(topic, body)


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("payment", {"amount": -1}),
    ("payment", {"amount": 10**12 + 1}),
    ("payment", {"amount": 9.99}),
    ("payment", {"amount": "999"}),
    ("payment", {"event_id": "a/b"}),
    ("payment", {"user_id": "x" * 257}),
    ("payment", {"plan": ""}),
    ("payment", {"plan": "a\tb"}),
    ("payment", {"currency": "eur"}),
    ("payment", {"outcome": "chargeback"}),
    ("payment", {"occurred_at": "2026-03-15T09:30:00"}),
    ("payment", {"occurred_at": "1970-01-01T00:00:00Z"}),
    ("payment", {"schema_version": 2}),
    ("payment", {"final": "yes"}),
    ("payment", {"profile": {"country": "Germany"}}),
    ("payment", {"source": "two words"}),
    ("payment", {"quantity": 0}),
    ("payment", {"quantity": 10**7}),
    ("payment", {"order": 10**9 + 1}),
    ("payment", {"ownership": "rented"}),
    ("payment", {"store": "x" * 65}),
    ("payment", {"product_id": "a\nb"}),
    ("payment", {"grace": "short"}),
    ("payment", {"grace": "none", "grace_until": "2026-03-22T09:30:00Z"}),
    ("trial-start", {"trial_ends_at": "2026-13-01T00:00:00Z"}),
    ("churn-signal", {"reason_code": "moved_abroad"}),
    ("churn-signal", {"signal": "plan_changed"}),
    ("churn-signal", {"signal": "downgrade_scheduled", "to_plan": None}),
    ("churn-signal", {"strength": 1.5}),
    ("churn-signal", {"signal": "SEEN"}),
    ("trigger-feedback", {"kind": "printed"}),
    ("lifecycle-clock", {"shards": [64]}),
    ("lifecycle-clock", {"shards": []}),
]


SCHEMAS = {topic: schema_of(topic) for topic in VALID}


@pytest.mark.parametrize(("topic", "broken"), BROKEN)
def test_what_the_model_refuses_the_schema_refuses(topic: str, broken: dict[str, Any]) -> None:
    event = VALID.get(topic, {}) | broken
    assert not schema_of(topic).is_valid(event)
    with pytest.raises(Rejected):
        read(topic, event)


@pytest.mark.parametrize("field", PAYMENT)
def test_a_missing_field_is_missing_by_the_schema_too(field: str) -> None:
    assert not schema_of("payment").is_valid({name: value for name, value in PAYMENT.items() if name != field})


@pytest.mark.parametrize("field", ["final", "subscription_id", "schema_version", "profile", "grace_until"])
def test_null_is_allowed_by_the_schema_where_it_is_by_the_model(field: str) -> None:
    assert schema_of("payment").is_valid(PAYMENT | {field: None})
    assert read("payment", PAYMENT | {field: None})


DETAILS: dict[str, list[Any]] = {
    "plan": ["premium", None],
    "amount": [0, 999, None],
    "currency": ["EUR", None],
    "period_start": ["2026-03-15T09:30:00Z", None],
    "period_end": ["2026-04-15T09:30:00Z", None],
    "payment_id": ["in_1", None],
    "grace": ["none", None],
    "grace_until": ["2026-03-22T09:30:00Z", None],
}
PAYMENTS = st.fixed_dictionaries(
    {"outcome": st.sampled_from([*PaymentOutcome, "chargeback"])},
    optional={name: st.sampled_from(values) for name, values in DETAILS.items()},
)
SIGNALS = st.fixed_dictionaries(
    {"signal": st.sampled_from([*Signal, "moved"])}, optional={"to_plan": st.sampled_from(["basic", None])}
)


def agrees(topic: str, event: dict[str, Any]) -> bool:
    """True if the schema and the model both accept the event or both refuse it."""
    try:
        read(topic, event)
    except Rejected:
        return not SCHEMAS[topic].is_valid(event)
    return SCHEMAS[topic].is_valid(event)


@given(PAYMENTS)
def test_the_schema_asks_of_each_outcome_what_the_model_asks(body: dict[str, Any]) -> None:
    assert agrees("payment", COMMON | body)


@given(SIGNALS)
def test_the_schema_asks_of_each_signal_what_the_model_asks(body: dict[str, Any]) -> None:
    assert agrees("churn-signal", COMMON | body)


def described(model: type[BaseModel]) -> dict[str, str | None]:
    fields = {**model.model_fields, **model.model_computed_fields}
    return {name: field.description for name, field in fields.items()}


@pytest.mark.parametrize("topic", MODELS)
def test_every_field_has_a_description(topic: str) -> None:
    properties = json.loads(WRITTEN[f"{topic}.schema.json"])["properties"]
    for name, meaning in described(MODELS[topic]).items():
        assert meaning
        assert properties[name]["description"] == meaning


def resolved(reference: str) -> Any:
    place: Any = ASYNCAPI
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for item in part for found in references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for item in part.values() for found in references(item)]


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    for reference in references(ASYNCAPI):
        if reference.startswith("#"):
            assert resolved(reference)
        else:
            assert reference.removeprefix("./") in WRITTEN


def test_each_topic_is_a_channel_that_upbeat_receives_from_or_sends_to() -> None:
    assert {channel["address"] for channel in ASYNCAPI["channels"].values()} == set(Topic)
    for topic, model in MODELS.items():
        action = "receive" if issubclass(model, Inbound) else "send"
        assert ASYNCAPI["operations"][f"{action}-{topic}"]["action"] == action


def test_every_reason_stands_in_the_asyncapi_document() -> None:
    description = ASYNCAPI["info"]["description"]
    assert all(f"| `{reason}` | {reason.meaning} |" in description for reason in RejectionReason)


def test_every_schema_has_an_id_of_its_own() -> None:
    ids = {topic: json.loads(WRITTEN[f"{topic}.schema.json"])["$id"] for topic in MODELS}
    assert ids == {topic: f"urn:upbeat:contracts:{topic}" for topic in MODELS}


def objects(part: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object that a schema describes, with its place."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from objects(item, f"{place}/{number}")
    elif isinstance(part, dict):
        if part.get("type") == "object" or isinstance(part.get("properties"), dict):
            yield place, part
        for name, item in part.items():
            yield from objects(item, f"{place}/{name}")


@pytest.mark.parametrize("model", OUT, ids=lambda model: model.TOPIC)
def test_a_consumer_may_meet_unknown_fields_in_every_object(model: type[Outbound]) -> None:
    found = dict(objects(json.loads(WRITTEN[f"{model.TOPIC}.schema.json"])))
    assert found
    for place, each in found.items():
        assert each.get("additionalProperties", True) is not False, place
        assert each.get("unevaluatedProperties", True) is not False, place


def with_unknown_fields(body: Any) -> Any:
    """The body with one more field in every object but maps, whose values have a type."""
    if isinstance(body, list):
        return [with_unknown_fields(item) for item in body]
    if not isinstance(body, dict):
        return body
    return {name: with_unknown_fields(value) for name, value in body.items()} | {"unheard_of": "x"}


@pytest.mark.parametrize(("topic", "body"), [each for each in EXAMPLES if issubclass(MODELS[each[0]], Outbound)])
def test_an_unknown_field_in_every_object_makes_no_message_invalid(topic: str, body: dict[str, Any]) -> None:
    more = with_unknown_fields(body)
    schema_of(topic).validate(more)
    assert MODELS[topic].model_validate(more)


@pytest.mark.parametrize("model", OUT, ids=lambda model: model.TOPIC)
def test_the_binding_says_where_in_the_body_an_attribute_comes_from(model: type[Outbound]) -> None:
    for body in examples(model.TOPIC).values():
        attributes = model.model_validate(body).message().attributes()
        binding = ASYNCAPI["components"]["messages"][model.TOPIC]["bindings"]["googlepubsub"]["attributes"]
        assert attributes.keys() <= binding.keys()
        for name, value in attributes.items():
            said: Any = model.model_validate(body).message().body
            for step in binding[name].removeprefix("$message.payload#/").split("/"):
                said = said[step]
            assert str(said) == value


@pytest.mark.parametrize("topic", FILTERABLE)
def test_every_attribute_is_described(topic: str) -> None:
    message = ASYNCAPI["components"]["messages"][topic]
    for example in message["examples"]:
        assert example["headers"].keys() <= message["headers"]["properties"].keys()
