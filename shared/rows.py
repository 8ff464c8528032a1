"""Rows: values as plain lists of their fields, by position, for JSON and back.

The fields are those that a class declares: a new one is written and read without a word here. It goes to the end
of its class, with a default. A row that ends early takes the defaults; one with more fields than its class has was
written by a newer version, and is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Row = tuple[Any, ...]
Reader = Callable[[Any], Any]
"""Makes a value of what JSON gives. Raises `ValueError`, `TypeError` or `LookupError` where that is none."""
PLAIN = frozenset({str, int, bool, float, dict, Any})
"""What JSON gives as it is."""


def row_of(value: Any) -> Row:
    """A dataclass or a named tuple as its row, its fields as they are. Raises `TypeError` for anything else."""
    kind: Any = type(value)
    return tuple(value) if isinstance(value, tuple) else _fields_of(kind)(value)


@cache
def _fields_of(kind: Any) -> Callable[[Any], Row]:
    names = [field.name for field in fields(kind)]
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda value: (get(value),)


def reader_of(kind: Any) -> Reader | None:
    """What reads values of a type: time, enumeration, tuple, class of fields, or one of these or null.

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
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
    readers = [(place, read) for place, name in enumerate(names) if (read := reader_of(hints[name]))]

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
