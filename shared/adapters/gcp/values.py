"""Values of Firestore's documents as Python's, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.gcp.protos.firestore_pb2 import ArrayValue, MapValue, Value
from shared.domain.instants import from_micros, to_micros


def to_value(plain: object) -> Value:
    """The value for an instance of a JSON type, bytes, or an instant. Raises `TypeError` for anything else."""
    match plain:
        case None:
            return Value(null_value=0)
        case bool():
            return Value(boolean_value=plain)
        case int():
            return Value(integer_value=plain)
        case float():
            return Value(double_value=plain)
        case str():
            return Value(string_value=plain)
        case bytes():
            return Value(bytes_value=plain)
        case datetime():
            return Value(timestamp_value=to_timestamp(plain))
        case list() | tuple():
            return Value(array_value=ArrayValue(values=map(to_value, plain)))
        case Mapping():
            return Value(map_value=MapValue(fields=to_values(plain)))
    raise TypeError(f"expected a value that Firestore can store, found {type(plain).__name__}")


def to_values(fields: Mapping[str, object]) -> dict[str, Value]:
    """The values of a document's fields."""
    return {name: to_value(plain) for name, plain in fields.items()}


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
