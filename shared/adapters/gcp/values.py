"""Values of Firestore's documents as Python's, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.gcp.protos.firestore_pb2 import Value
from shared.domain.instants import from_micros, to_micros


def put(value: Value, plain: object) -> None:
    """Set a value to an instance of a JSON type, bytes, or an instant. Raises `TypeError` for anything else.

    It is set where it is, because to make a value and to copy it into its document takes twice as long.
    """
    match plain:
        case None:
            value.null_value = 0
        case bool():
            value.boolean_value = plain
        case int():
            value.integer_value = plain
        case float():
            value.double_value = plain
        case str():
            value.string_value = plain
        case bytes():
            value.bytes_value = plain
        case datetime():
            value.timestamp_value.CopyFrom(to_timestamp(plain))
        case list() | tuple():
            value.array_value.SetInParent()  # also an empty one is there
            for item in plain:
                put(value.array_value.values.add(), item)
        case Mapping():
            value.map_value.SetInParent()
            put_all(value.map_value.fields, plain)
        case _:
            raise TypeError(f"expected a value that Firestore can store, found {type(plain).__name__}")


def put_all(values: Mapping[str, Value], fields: Mapping[str, object]) -> None:
    """Set the values of a document's fields. The map of a message makes a value when it is first asked for."""
    for name, plain in fields.items():
        put(values[name], plain)


def to_value(plain: object) -> Value:
    """A value by itself; see `put`."""
    value = Value()
    put(value, plain)
    return value


def from_value(value: Value) -> Any:
    """The value as Python's own. One of a kind that Upbeat never writes becomes None."""
    match kind := value.WhichOneof("value_type"):
        case None | "null_value":
            return None
        case "timestamp_value":
            return from_timestamp(value.timestamp_value)
        case "array_value":
            return [from_value(item) for item in value.array_value.values]
        case "map_value":
            return from_values(value.map_value.fields)
    return getattr(value, kind)


def from_values(fields: Mapping[str, Value]) -> dict[str, Any]:
    """The fields of a document."""
    return {name: from_value(value) for name, value in fields.items()}


def to_timestamp(instant: datetime) -> Timestamp:
    """An instant with a time zone, to the microsecond."""
    seconds, micros = divmod(to_micros(instant), 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1_000)


def from_timestamp(timestamp: Timestamp) -> datetime:
    """The instant, UTC, to the microsecond."""
    return from_micros(timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000)
