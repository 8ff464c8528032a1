"""Makes a page for each message of docs/contracts: fields, attributes and examples, from its JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
NOTE = "<!-- Written by `python -m infra.generate`. -->\n"
INDEX = """# Messages

Every topic, with its message. [Publish and consume](guide.md) says what holds for all of them, and
[Versions of the contract](versions.md) what may change. A JSON Schema of each message and an
[AsyncAPI document](asyncapi.yaml) say the same to programs.

"""
NULL = {"type": "null"}
_RANGES = (
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minimum", "maximum", ""),
)


def pages(asyncapi: Schema, schemas: Mapping[str, Schema]) -> dict[str, str]:
    """The text of each page by its file name, from the AsyncAPI document and the schemas by topic."""
    receives = {topic: f"receive-{topic}" in asyncapi["operations"] for topic in schemas}
    messages = asyncapi["components"]["messages"]
    written = {f"{topic}.md": _page(topic, schemas[topic], messages[topic], receives[topic]) for topic in schemas}
    return {**written, "README.md": _index(schemas, receives)}


def _index(schemas: Mapping[str, Schema], receives: Mapping[str, bool]) -> str:
    parts = []
    for title, is_received in (("Upbeat receives", True), ("Upbeat publishes", False)):
        rows = (
            f"| [`{topic}`]({topic}.md) | {_line(schema['description'])} |"
            for topic, schema in schemas.items()
            if receives[topic] is is_received
        )
        parts.append("\n".join((f"## {title}\n", "| topic | message |", "| --- | --- |", *rows)))
    return NOTE + INDEX + "\n\n".join(parts) + "\n"


def _page(topic: str, schema: Schema, message: Schema, is_received: bool) -> str:
    verb = "receives" if is_received else "publishes"
    parts = [
        f"{NOTE}# {topic}",
        f"Upbeat {verb} this message. {_line(schema['description'])}",
        f"JSON Schema: [`{topic}.schema.json`]({topic}.schema.json).",
        f"## Fields\n\n{_fields(schema, schema)}",
        *(
            f"## {name}\n\n{_line(part.get('description', ''))}\n\n{_fields(part, schema)}"
            for name, part in schema.get("$defs", {}).items()
            if "properties" in part
        ),
        *_rules(schema),
        *_attributes(message),
        *_examples(message),
    ]
    return "\n\n".join(parts) + "\n"


def _fields(part: Schema, schema: Schema) -> str:
    required = part.get("required", ())
    rows = (
        f"| `{name}` | {_type(field, schema)} | {'yes' if name in required else 'no'} | "
        f"{_cell(field.get('description', ''))} |"
        for name, field in part.get("properties", {}).items()
    )
    return "\n".join(("| field | type | required | meaning |", "| --- | --- | --- | --- |", *rows))


def _type(field: Schema, schema: Schema) -> str:
    """The type of a field and its bounds, in words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        part = schema["$defs"][name]
        return f"[{name}](#{name.lower()})" if "properties" in part else _type(part, schema)
    if "anyOf" in field:
        choices = [_type(choice, schema) for choice in field["anyOf"] if choice != NULL]
        return " or ".join(choices) + (", or null" if NULL in field["anyOf"] else "")
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    return ", ".join((_kind(field, schema), *_bounds(field)))


def _kind(field: Schema, schema: Schema) -> str:
    match field.get("type", "any"):
        case "array":
            return f"list of {_type(field['items'], schema)}"
        case "object" if isinstance(field.get("additionalProperties"), Mapping):
            return f"object of {_type(field['additionalProperties'], schema)} by name"
        case "string" if "format" in field:
            return str(field["format"])
        case [*kinds]:
            return " or ".join(kinds)
        case kind:
            return str(kind)


def _bounds(field: Schema) -> Iterator[str]:
    for least, most, unit in _RANGES:
        if least in field and most in field:
            yield f"{field[least]} to {field[most]}{unit}"
        elif least in field or most in field:
            words = "at least" if least in field else "at most"
            yield f"{words} {field.get(least, field.get(most))}{unit}"
    if "exclusiveMaximum" in field:
        yield f"below {field['exclusiveMaximum']}"
    if "pattern" in field and "format" not in field:
        yield f"pattern `{_cell(field['pattern'])}`"


def _rules(schema: Schema) -> Iterator[str]:
    """The rules between fields, as the schema writes them."""
    if "allOf" in schema:
        rules = json.dumps(schema["allOf"], indent=2, ensure_ascii=False)
        yield f"## Rules between fields\n\nAs the schema writes them:\n\n```json\n{rules}\n```"


def _attributes(message: Schema) -> Iterator[str]:
    if "headers" in message:
        named = message["headers"]["properties"].items()
        rows = (f"| `{name}` | {_cell(field['description'])} |" for name, field in named)
        table = "\n".join(("| attribute | meaning |", "| --- | --- |", *rows))
        yield f"## Attributes\n\nOf the Pub/Sub message, for filters of subscriptions.\n\n{table}"


def _examples(message: Schema) -> Iterator[str]:
    if message.get("examples"):
        yield "## Examples"
    for example in message.get("examples", ()):
        body = json.dumps(example["payload"], indent=2, ensure_ascii=False)
        yield f"### {example['name'].replace('-', ' ').replace('_', ' ')}\n\n```json\n{body}\n```"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
