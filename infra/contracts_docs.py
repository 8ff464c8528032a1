"""Writes docs/contracts from the contracts' own models: a JSON Schema for each message, and AsyncAPI around them."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from shared.contracts.envelope import EVENTS
from shared.contracts.event import Inbound
from shared.contracts.inbound import LifecycleClock
from shared.contracts.message import FILTERABLE, Message
from shared.contracts.messages import DeadLetter, DecisionMessage, SubscriptionChange, UpsellTrigger
from shared.contracts.outbound import Outbound
from shared.contracts.reasons import Reason

DOCS = Path(__file__).parent.parent / "docs" / "contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
IN: tuple[type[Inbound], ...] = (*EVENTS.values(), LifecycleClock)
OUT: tuple[type[Outbound], ...] = (UpsellTrigger, SubscriptionChange, DecisionMessage, DeadLetter)
ATTRIBUTES = {
    "message_id": "The message's own id, the same whenever it comes again.",
    "schema_version": "The version of this contract.",
}
"""What is said of the attributes that every message out has."""
GUIDE = """\
Upbeat keeps every user's subscription state right, and decides which one offer a user should be shown next.

## For producers

Publish JSON in UTF-8 as the data of a Pub/Sub message: the event itself, or a CloudEvent in binary (`ce-` attributes)
or structured mode, whose `id`, `source` and `time` stand in for an `event_id`, `source` or `occurred_at` left out.

- Publish in any order, as often as you like, as late as you must. An event is recognised by topic, `source` and
  `event_id`; the same again changes nothing, the same with other content is refused as `id_reused`.
- Times are RFC 3339 with an offset, from 1990 to 9999. Amounts are whole minor units (cents).
- Types are strict: `"5"` and `5.0` are no integer. Unknown fields are ignored; `null` is the same as left out.
- At most 64 KiB, at most 32 levels of nesting, no key twice in one object, no NaN.

What can never succeed is acknowledged and goes to `dead-letter` with one of these reasons, and a `detail` that names the
place, what was expected there and the kind of thing found, never a value:

{reasons}

## For consumers

Delivery is at least once and in no order.

- Drop what you have seen: every message has a deterministic `message_id` attribute.
- Put a user's messages in order by `sequence`: of two, the greater is the newer.
- `revoked` is final: ignore an `issued` whose `trigger_id` you saw revoked, or whose `expires_at` has passed.
- Filter by attributes: a subscription's filter does not see the data.
- Expect new fields; they do not raise `schema_version`.
"""


class Schemas(GenerateJsonSchema):
    """Pydantic's schemas without its decoration: no titles made of names, no default that says nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        """Tell that a field's name is title enough."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Let null stand for a field left out, in messages in, as it does when they are read."""
        told = super().default_schema(schema)
        if told.get("default") is None:
            told.pop("default", None)
        elif self.mode == "validation":
            default = told.pop("default")
            told = {"anyOf": [told, {"type": "null"}], "default": default}
        return told


def documents() -> dict[str, str]:
    """Write every document, by its name in docs/contracts."""
    schemas = {f"{model.TOPIC}.schema.json": _json(_schema(model)) for model in (*IN, *OUT)}
    return {**schemas, "asyncapi.yaml": _yaml(_asyncapi())}


def examples(topic: str) -> dict[str, Any]:
    """Read the examples of a topic, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((DOCS / "examples" / topic).glob("*.json"))}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    mode: JsonSchemaMode = "validation" if issubclass(model, Inbound) else "serialization"
    return {"$schema": DIALECT, **model.model_json_schema(schema_generator=Schemas, mode=mode)}


def _asyncapi() -> dict[str, Any]:
    reasons = "\n".join(["| reason | what it means |", "| --- | --- |", *(f"| `{r}` | {r.meaning} |" for r in Reason)])
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Upbeat", "version": "1.0.0", "description": GUIDE.format(reasons=reasons)},
        "defaultContentType": "application/json",
        "channels": {model.TOPIC: _channel(model) for model in (*IN, *OUT)},
        "operations": {
            **{f"receive-{model.TOPIC}": _operation("receive", model) for model in IN},
            **{f"send-{model.TOPIC}": _operation("send", model) for model in OUT},
        },
        "components": {"messages": {model.TOPIC: _message(model) for model in (*IN, *OUT)}},
    }


def _channel(model: type[Inbound] | type[Outbound]) -> dict[str, Any]:
    return {
        "address": model.TOPIC,
        "description": model.__doc__,
        "messages": {model.TOPIC: {"$ref": f"#/components/messages/{model.TOPIC}"}},
    }


def _operation(action: str, model: type[Inbound] | type[Outbound]) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{model.TOPIC}"}}


def _message(model: type[Inbound] | type[Outbound]) -> dict[str, Any]:
    schema = {"$ref": f"./{model.TOPIC}.schema.json"}
    told = {
        "name": model.TOPIC,
        "summary": model.__doc__,
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
    }
    if issubclass(model, Inbound):
        return told | {"examples": [_example(name, body) for name, body in examples(model.TOPIC).items()]}
    ...
