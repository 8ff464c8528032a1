"""Generates docs/contracts from the models: a schema for each message, an AsyncAPI and an OpenAPI document."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import JsonSchemaMode

from shared.contracts.inbound.base import Inbound
from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.inbound.events import LifecycleClock
from shared.contracts.json_schemas import Schemas
from shared.contracts.outbound.base import Outbound
from shared.contracts.outbound.catalog_published import CatalogPublished
from shared.contracts.outbound.dead_letter import DeadLetter
from shared.contracts.outbound.decision import DecisionMessage
from shared.contracts.outbound.exposure import Exposure
from shared.contracts.outbound.message import FILTERABLE
from shared.contracts.outbound.subscription_change import SubscriptionChange
from shared.contracts.outbound.upsell_trigger import UpsellTrigger
from shared.contracts.reasons import RejectionReason
from shared.entrypoints.api import openapi

DOCS = Path(__file__).parents[2] / "docs" / "contracts"
API_EXAMPLES = DOCS / "api-examples.json"
"""By the method of the API, the request and the answer of an example; a test runs them as one story."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID = "urn:upbeat:contracts:"
"""With a topic after it, the `$id` of the topic's schema: a name that says nothing of where the schema is kept."""
BINDING = "0.2.0"
"""The version of AsyncAPI's bindings for Pub/Sub: https://www.asyncapi.com/docs/reference/bindings/googlepubsub."""
IN: tuple[type[Inbound], ...] = (*EVENTS.values(), LifecycleClock)
OUT: tuple[type[Outbound], ...] = (
    UpsellTrigger,
    SubscriptionChange,
    DecisionMessage,
    Exposure,
    DeadLetter,
    CatalogPublished,
)

Model = type[Inbound] | type[Outbound]
MODELS: tuple[Model, ...] = (*IN, *OUT)


def documents() -> dict[str, str]:
    """The text of every generated document, by its file name in docs/contracts."""
    schemas = {f"{model.TOPIC}.schema.json": _json(_schema(model)) for model in MODELS}
    return {
        **schemas,
        "asyncapi.yaml": _yaml(_asyncapi()),
        "openapi.yaml": _yaml(openapi.document(json.loads(API_EXAMPLES.read_text()))),
    }


def examples(topic: str) -> dict[str, Any]:
    """The examples of a topic, by name."""
    files = sorted((DOCS / "examples" / topic).glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def _schema(model: Model) -> dict[str, Any]:
    mode: JsonSchemaMode = "validation" if issubclass(model, Inbound) else "serialization"
    return {
        "$schema": DIALECT,
        "$id": SCHEMA_ID + model.TOPIC,
        **model.model_json_schema(schema_generator=Schemas, mode=mode),
    }


def _asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "Upbeat", "version": "1.0.0", "description": _guide()},
        "defaultContentType": "application/json",
        "channels": {model.TOPIC: _channel(model) for model in MODELS},
        "operations": dict(_operation(model) for model in MODELS),
        "components": {"messages": {model.TOPIC: _message(model) for model in MODELS}},
    }


def _guide() -> str:
    """The guide, followed by the table of rejection reasons."""
    rows = [f"| `{reason}` | {reason.meaning} |" for reason in RejectionReason]
    table = "\n".join(["| reason | meaning |", "| --- | --- |", *rows])
    return f"{(DOCS / 'guide.md').read_text()}\n## Rejection reasons\n\n{table}\n"


def _channel(model: Model) -> dict[str, Any]:
    message = {"$ref": f"#/components/messages/{model.TOPIC}"}
    return {"address": model.TOPIC, "description": model.__doc__, "messages": {model.TOPIC: message}}


def _operation(model: Model) -> tuple[str, dict[str, Any]]:
    action = "receive" if issubclass(model, Inbound) else "send"
    return f"{action}-{model.TOPIC}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{model.TOPIC}"},
        "messages": [{"$ref": f"#/channels/{model.TOPIC}/messages/{model.TOPIC}"}],
    }


def _message(model: Model) -> dict[str, Any]:
    """The AsyncAPI message of a model; outbound messages also have headers, the Pub/Sub attributes.

    The bindings for channels are left out: they demand a schema registered in Pub/Sub, and the topics have none.
    """
    schema = {"$ref": f"./{model.TOPIC}.schema.json"}
    message: dict[str, Any] = {"name": model.TOPIC, "summary": model.__doc__}
    binding: dict[str, Any] = {"bindingVersion": BINDING}
    if issubclass(model, Outbound):
        message["headers"] = {"type": "object", "properties": _attributes(model)}
        binding["attributes"] = {name: f"$message.payload#/{place}" for name, place in _pointers(model).items()}
    return message | {
        "bindings": {"googlepubsub": binding},
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
        "examples": [_example(model, name, body) for name, body in examples(model.TOPIC).items()],
    }


def _pointers(model: type[Outbound]) -> dict[str, str]:
    """The place of each attribute in the body, as a JSON pointer without its first slash."""
    return {
        name: place.replace(".", "/") for name, place in {"message_id": "message_id", **_places(model)}.items()
    }


def _places(model: type[Outbound]) -> dict[str, str]:
    return {"schema_version": "schema_version", **FILTERABLE[model.TOPIC]}


def _attributes(model: type[Outbound]) -> dict[str, Any]:
    places = _places(model)
    descriptions = {name: f"Copy of the body's `{place}`." for name, place in places.items()}
    descriptions["message_id"] = "The id of the message, the same if it is delivered or published again."
    return {name: {"type": "string", "description": text} for name, text in descriptions.items()}


def _example(model: Model, name: str, body: dict[str, Any]) -> dict[str, Any]:
    example = {"name": name, "payload": body}
    if issubclass(model, Outbound):
        example["headers"] = model.model_validate(body).message().attributes()
    return example


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: dict[str, Any]) -> str:
    head = "# Written by `python -m infra.generate.asyncapi`.\n"
    return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """A YAML dumper that writes multi-line text as a literal block."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def main() -> int:
    """Write the documents, or with `--check` list those that differ from the models; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.generate.asyncapi", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a document differs from the models"
    )
    written = documents()
    if not parser.parse_args().check:
        for name, text in written.items():
            (DOCS / name).write_text(text)
        return 0
    drifted = drift(written)
    for name in drifted:
        print(
            f"docs/contracts/{name} differs from the models: run python -m infra.generate.asyncapi",
            file=sys.stderr,
        )
    return 1 if drifted else 0


def drift(written: dict[str, str]) -> list[str]:
    """The names of the documents that are missing, differ from the models, or no longer have a model."""
    kept = {file.name: file.read_text() for file in (*DOCS.glob("*.schema.json"), *DOCS.glob("*.yaml"))}
    return sorted(name for name in written.keys() | kept.keys() if written.get(name) != kept.get(name))


if __name__ == "__main__":
    sys.exit(main())
