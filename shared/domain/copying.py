"""Copying of named tuples with many fields, which the fold and every processing copy several times."""

from typing import Any, TypeVar

Kind = TypeVar("Kind", bound=type[tuple[Any, ...]])


def copied_quickly(kind: Kind) -> Kind:
    """A named tuple whose `_replace` takes half the time: the standard one looks up every field by its name.

    A class decorator, since a named tuple may not define `_replace`. Raises `KeyError` for an unknown field.
    """
    places = {name: place for place, name in enumerate(kind._fields)}  # type: ignore[attr-defined]
    new = tuple.__new__

    def replace(self: tuple[Any, ...], /, **changes: Any) -> tuple[Any, ...]:
        values = [*self]
        for name, value in changes.items():
            values[places[name]] = value
        return new(kind, values)

    kind._replace = replace  # type: ignore[attr-defined]
    return kind
