"""Rows: named tuples stored in JSON as lists of their fields, and read back by the declared types of those fields.

A new field needs no code here: add it at the end of its class, with a default. A row with fewer fields than its
class takes the defaults. A row with more fields was written by a newer version, and is rejected.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from shared.domain.offsets import offset_text, parse_offset

Reader = Callable[[Any], Any]
"""Converts a JSON value. Raises `ValueError`, `TypeError` or `LookupError` if the value does not fit the type."""
JSON_TYPES = frozenset({str, int, bool, float, dict, Any})
"""Types whose values JSON returns without conversion."""


def reader_of(kind: Any) -> Reader | None:
    """The reader for a type: a datetime, an offset, an enumeration, a (named) tuple, or one of these or None.

    Returns None for a type that needs no conversion. Raises `TypeError` for a type that is not supported.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if (origin or kind) in JSON_TYPES:
        return None
    if origin in {Union, UnionType}:
        return _union_reader([reader_of(member) for member in arguments if member is not NoneType])
    if origin is tuple:
        if arguments[-1] is ...:
            return _list_reader(reader_of(arguments[0]))
        return _tuple_reader(map(reader_of, arguments))
    if kind is datetime:
        return datetime.fromisoformat
    if kind is timedelta:
        return _read_offset
    if issubclass(kind, Enum):
        return {member.value: member for member in kind}.__getitem__
    return _named_tuple_reader(kind)


def to_json(value: Any) -> Any:
    """A value that JSON does not know as one that it does: a named tuple as a list, an offset as text.

    Raises `TypeError` for any other type.
    """
    return offset_text(value) if type(value) is timedelta else tuple(value)


def _read_offset(written: Any) -> timedelta:
    """An offset from its text, or from a number of days as older versions wrote it."""
    return parse_offset(str(written))


def _union_reader(readers: list[Reader | None]) -> Reader | None:
    """The reader for one type or None, or for several types that need no conversion."""
    read, *others = readers
    if others and any(readers):
        raise TypeError("expected one type or None: JSON cannot tell several converted types apart")
    return read and (lambda value: None if value is None else read(value))


def _list_reader(read: Reader | None) -> Reader:
    """The reader for a tuple of any length whose items have one type."""
    return (lambda row: tuple(map(read, _as_list(row)))) if read else (lambda row: tuple(_as_list(row)))


def _tuple_reader(readers: Iterable[Reader | None]) -> Reader:
    """The reader for a tuple of fixed length whose items each have their own type."""
    item_readers = tuple(readers)
    return lambda row: tuple(
        read(value) if read else value for read, value in zip(item_readers, _as_list(row), strict=True)
    )


@cache
def _named_tuple_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = [(place, read) for place, name in enumerate(kind._fields) if (read := reader_of(hints[name]))]

    def read_row(row: Any) -> Any:
        values = _as_list(row)
        for place, read in readers:
            if place >= len(values):
                break
            values[place] = read(values[place])
        return kind(*values)

    return read_row


def _as_list(row: Any) -> list[Any]:
    if type(row) is not list:
        raise TypeError(f"expected a list, found {type(row).__name__}")
    return row
