"""What a stored document says, by name: the same text for as long as the document is read as the same record.

Fields are stored by position and shown by name, so that two that changed places show. A field at its default is
left out, so that one that came later changes nothing.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from shared.domain.grants import Grant
from shared.domain.history import History
from shared.domain.ring import RingFact, Row, from_row, place_of
from shared.domain.sketches import Sketch
from shared.record.user_record import Pending, UserRecord

NAMES = [("campaign", "upgrade"), ("offer", "annual"), ("user", "")]
"""Names for which the counts of a sketch are shown."""
NO_DEFAULT = object()


def view(value: Any) -> Any:
    """A part of a record as JSON, with all that is derived from its text alone."""
    match value:
        case History():
            return _fields(value) | {"ring": [_event(row) for row in value.ring]}
        case Pending():
            return _fields(value) | {"payload": [[one.topic, one.message_id, one.body] for one in value.messages]}
        case Grant():
            return _fields(value) | {"name": value.name}
        case Sketch():
            return _fields(value) | {"estimates": [value.estimate(*name) for name in NAMES]}
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case datetime():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g} seconds"
        case tuple() if hasattr(value, "_fields"):
            return _fields(value)
        case tuple() | list():
            return [view(item) for item in value]
        case dict():
            return {name: view(item) for name, item in value.items()}
        case _:
            return value


def _fields(row: Any) -> dict[str, Any]:
    defaults = row._field_defaults
    return {name: view(item) for name, item in row._asdict().items() if item != defaults.get(name, NO_DEFAULT)}


def _event(row: Row) -> dict[str, Any]:
    """An event of the ring, its short name and its place, which a document keeps of the newest one in the base."""
    event = from_row(row, "")
    return _fields(event) | {"cause": event.key.cause, "place": view(place_of(row))}


def row_types(kind: Any = UserRecord) -> Iterator[type]:
    """The named tuples and enumerations that a type is made of, itself included; the ring's facts too."""
    if get_origin(kind) in {tuple, Union, UnionType}:
        for part in get_args(kind):
            yield from row_types(part)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield kind
    elif hasattr(kind, "_fields"):
        yield kind
        for part in get_type_hints(kind).values():
            yield from row_types(part)
        if kind is History:
            yield from row_types(RingFact)


def parts(value: Any) -> Iterator[Any]:
    """The named tuples and members of enumerations in a value, itself included; the ring's facts too."""
    if isinstance(value, Enum):
        yield value
    elif isinstance(value, tuple):
        if hasattr(value, "_fields"):
            yield value
        for item in value:
            yield from parts(item)
        if isinstance(value, History):
            for row in value.ring:
                yield from parts(from_row(row, "").fact)
