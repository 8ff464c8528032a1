"""Writes docs/contracts from the contracts' models: a JSON Schema for each message, and AsyncAPI around them."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from shared.contracts.inbound.base import Inbound
from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.inbound.events import LifecycleClock
from shared.contracts.outbound.base import Outbound
from shared.contracts.outbound.message import FILTERABLE
from shared.contracts.outbound.messages import (
    DeadLetter,
    DecisionMessage,
    Exposure,
    SubscriptionChange,
    UpsellTrigger,
)
from shared.contracts.reasons import RejectionReason

DOCS = Path(__file__).parents[2] / "docs" / "contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
IN: tuple[type[Inbound], ...] = (*EVENTS.values(), LifecycleClock)
OUT: tuple[type[Outbound], ...] = (UpsellTrigger, SubscriptionChange, DecisionMessage, Exposure, DeadLetter)

Model = type[Inbound] | type[Outbound]
MODELS: tuple[Model, ...] = (*IN, *OUT)


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
    """Write every generated document, by its name in docs/contracts."""
    schemas = {f"{model.TOPIC}.schema.json": _json(_schema(model)) for model in MODELS}
    return {**schemas, "asyncapi.yaml": _yaml(_asyncapi())}


def examples(topic: str) -> dict[str, Any]:
    """Read the examples of a topic, by name."""
    files = sorted((DOCS / "examples" / topic).glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def _schema(model: Model) -> dict[str, Any]:
    mode: JsonSchemaMode = "validation" if issubclass(model, Inbound) else "serialization"
    return {"$schema": DIALECT, **model.model_json_schema(schema_generator=Schemas, mode=mode)}


def _asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Upbeat", "version": "1.0.0", "description": _guide()},
        "defaultContentType": "application/json",
        "channels": {model.TOPIC: _channel(model) for model in MODELS},
        "operations": dict(_operation(model) for model in MODELS),
        "components": {"messages": {model.TOPIC: _message(model) for model in MODELS}},
    }


def _guide() -> str:
    """Read the guide, and add the table of reasons."""
    rows = [f"| `{reason}` | {reason.meaning} |" for reason in RejectionReason]
    table = "\n".join(["| reason | meaning |", "| --- | --- |", *rows])
    return f"{(DOCS / 'guide.md').read_text()}\n## Refusals\n\n{table}\n"


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
    """Describe a message; one that goes out has attributes too."""
    schema = {"$ref": f"./{model.TOPIC}.schema.json"}
    told: dict[str, Any] = {"name": model.TOPIC, "summary": model.__doc__}
    if issubclass(model, Outbound):
        told["headers"] = {"type": "object", "properties": _attributes(model)}
    return told | {
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
        "examples": [_example(model, name, body) for name, body in examples(model.TOPIC).items()],
    }


def _attributes(model: type[Outbound]) -> dict[str, Any]:
    places = {"schema_version": "schema_version", **FILTERABLE[model.TOPIC]}
    said = {name: f"The body's `{place}`." for name, place in places.items()}
    said["message_id"] = "The same whenever this message comes again."
    return {name: {"type": "string", "description": text} for name, text in said.items()}


def _example(model: Model, name: str, body: dict[str, Any]) -> dict[str, Any]:
    told = {"name": name, "payload": body}
    if issubclass(model, Outbound):
        told["headers"] = model.model_validate(body).message().attributes()
    return told


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: dict[str, Any]) -> str:
    head = "# Written by `python -m infra.generate.asyncapi`.\n"
    return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as it reads."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def main() -> int:
    """Write the documents, or with `--check` tell which are not as they would be written."""
    parser = argparse.ArgumentParser(prog="python -m infra.generate.asyncapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a document has drifted")
    written = documents()
    if not parser.parse_args().check:
        for name, text in written.items():
            (DOCS / name).write_text(text)
        return 0
    drifted = drift(written)
    for name in drifted:
        print(
            f"docs/contracts/{name} is not what the models say: run python -m infra.generate.asyncapi",
            file=sys.stderr,
        )
    return 1 if drifted else 0


def drift(written: dict[str, str]) -> list[str]:
    """List the documents that are missing, differ, or belong to no model any more."""
    kept = {file.name: file.read_text() for file in (*DOCS.glob("*.schema.json"), *DOCS.glob("*.yaml"))}
    return sorted(name for name in written.keys() | kept.keys() if written.get(name) != kept.get(name))


if __name__ == "__main__":
    sys.exit(main())
