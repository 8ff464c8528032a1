"""Rows: named tuples, which JSON knows as plain lists of their fields, read back by what their classes declare.

A field that is new is read without a word here. It goes to the end of its class, with a default. A row that ends
early takes the defaults; one with more fields than its class has was written by a newer version, and is refused.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Reader = Callable[[Any], Any]
"""Makes a value of what JSON gives. Raises `ValueError`, `TypeError` or `LookupError` where that is none."""
PLAIN = frozenset({str, int, bool, float, dict, Any})
"""What JSON gives as it is."""


def reader_of(kind: Any) -> Reader | None:
    """What reads values of a type: time, enumeration, tuple, named tuple, or one of these or null.

    None for a type whose values JSON gives as they are. Raises `TypeError` for a type that it does not know.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if (origin or kind) in PLAIN:
        return None
    if origin in {Union, UnionType}:
        return _one_of([reader_of(one) for one in arguments if one is not NoneType])
    if origin is tuple:
        return _all_of(reader_of(arguments[0])) if arguments[-1] is ... else _each_of(map(reader_of, arguments))
    if kind is datetime:
        return datetime.fromisoformat
    if issubclass(kind, Enum):
        return {member.value: member for member in kind}.__getitem__
    return _of_fields(kind)


def _one_of(readers: list[Reader | None]) -> Reader | None:
    """One type or null, or any of several that JSON gives as they are."""
    read, *others = readers
    if others and any(readers):
        raise TypeError("several types, which JSON cannot tell apart")
    return read and (lambda value: None if value is None else read(value))


def _all_of(read: Reader | None) -> Reader:
    return (lambda row: tuple(map(read, _listed(row)))) if read else (lambda row: tuple(_listed(row)))


def _each_of(readers: Iterable[Reader | None]) -> Reader:
    known = tuple(readers)
    return lambda row: tuple(
        read(value) if read else value for read, value in zip(known, _listed(row), strict=True)
    )


@cache
def _of_fields(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = [(place, read) for place, name in enumerate(kind._fields) if (read := reader_of(hints[name]))]

    def read_row(row: Any) -> Any:
        values = _listed(row)
        for place, read in readers:
            if place >= len(values):
                break
            values[place] = read(values[place])
        return kind(*values)

    return read_row


def _listed(row: Any) -> list[Any]:
    if type(row) is not list:
        raise TypeError("not a list")
    return row
