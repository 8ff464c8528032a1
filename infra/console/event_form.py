"""An event as a form: one input for each field of the topic's JSON Schema, and the event that was typed in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from infra.terminal.values import NO_JSON
from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.topics import Topic

PREFIX = "f."
"""Before the path of a field, gives the name of its input."""
FURTHER = "further"
"""The input with further fields, as a JSON object."""
NOT_SHOWN = frozenset({"schema_version"})
TOPICS = tuple(topic for topic in EVENTS if topic != Topic.LIFECYCLE_DUE)
"""The topics that producers and consumers publish to."""

Json = Mapping[str, Any]


class Field(NamedTuple):
    """One input."""

    path: str
    """Such as `amount` or `profile.country`."""
    kind: str
    """The kind of its value: text, integer, number, flag, time or json."""
    required: bool
    choices: tuple[str, ...]
    """The values of a closed list; none for any other field."""
    about: str
    default: str
    """The value that counts if it is left empty; empty if there is none."""


@cache
def fields_of(topic: str) -> tuple[Field, ...]:
    """The fields of a topic's events, in the order of the contract."""
    schema = EVENTS[topic].model_json_schema()
    return tuple(_fields(schema, schema.get("$defs", {}), ""))


def values_of(topic: str, event: Json) -> dict[str, str]:
    """The texts of an event in the inputs; fields that have no input are in the one for further fields."""
    values, rest = {}, {name: value for name, value in event.items() if name not in NOT_SHOWN}
    for field in fields_of(topic):
        outer, _, inner = field.path.partition(".")
        holder = rest.get(outer)
        if inner and isinstance(holder, dict) and inner in holder:
            values[field.path] = _text(holder[inner])
            rest[outer] = {name: value for name, value in holder.items() if name != inner}
        elif not inner and outer in rest:
            values[field.path] = _text(rest.pop(outer))
    rest = {name: value for name, value in rest.items() if value != {}}
    return values | ({FURTHER: json.dumps(rest, indent=1, ensure_ascii=False)} if rest else {})


def event_of(topic: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The event that inputs make. An empty one is left out; what is not of its kind stays the text that it is.

    Raises one of `NO_JSON` if the further fields are no JSON object.
    """
    event: dict[str, Any] = {}
    for field in fields_of(topic):
        if text := values.get(field.path, ""):
            outer, _, inner = field.path.partition(".")
            (event.setdefault(outer, {}) if inner else event)[inner or outer] = _value(field.kind, text)
    if further := values.get(FURTHER, "").strip():
        given = json.loads(further)
        if not isinstance(given, dict):
            raise ValueError("expected a JSON object")
        for name, value in given.items():
            before = event.get(name)
            event[name] = before | value if isinstance(before, dict) and isinstance(value, dict) else value
    return event


def typed_in(query: Mapping[str, str]) -> dict[str, str]:
    """The inputs of a form by the paths of their fields."""
    return {name.removeprefix(PREFIX): text for name, text in query.items() if name.startswith(PREFIX)}


def _fields(schema: Json, named: Json, outer: str) -> Iterator[Field]:
    required: Sequence[str] = schema.get("required", ())
    for name, given in schema["properties"].items():
        if name in NOT_SHOWN:
            continue
        plain, path = _plain(given, named), f"{outer}{name}"
        if "properties" in plain:
            yield from _fields(plain, named, f"{path}.")
        else:
            default, about = given.get("default"), given.get("description", "")
            shown = _text(default) if isinstance(default, str | int | float) else ""
            choices = tuple(map(str, plain.get("enum", [plain["const"]] if "const" in plain else [])))
            yield Field(path, _kind(plain), name in required, choices, about.replace("`", ""), shown)


def _plain(schema: Json, named: Json) -> Json:
    """A field's schema without the null that means the same as to leave it out, and without references."""
    for option in schema.get("anyOf", ()):
        if option != {"type": "null"}:
            return _plain(option, named)
    reference = schema.get("$ref")
    return _plain(named[reference.rpartition("/")[2]], named) if reference else schema


def _kind(schema: Json) -> str:
    match schema.get("type"):
        case "integer" | "number" as kind:
            return str(kind)
        case "boolean":
            return "flag"
        case "string":
            return "time" if schema.get("format") == "date-time" else "text"
        case _:
            return "json"


def _value(kind: str, text: str) -> Any:
    if kind in ("text", "time"):
        return text
    try:
        return json.loads(text)
    except NO_JSON:
        return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
