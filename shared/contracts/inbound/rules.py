"""Rules about several fields of an inbound message: the rejection of one that is broken, and their JSON Schema."""

from collections.abc import Iterable
from typing import Any, LiteralString, NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


class Problem(NamedTuple):
    """A field that breaks a rule, in the words of a rejection."""

    field: str
    expected: LiteralString = "a value"
    found: str = "none"


def broken(title: str, problems: Iterable[Problem]) -> ValidationError:
    """The error of a message with these problems. Like that of a single field, it holds no value of the input."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("expected", problem.expected, {"found": problem.found}),
            loc=(problem.field,),
            input=None,
        )
        for problem in problems
    ]
    return ValidationError.from_exception_data(title, errors, hide_input=True)


def has(*names: str) -> dict[str, Any]:
    """The JSON Schema of a message that has a value in each of these fields; null is no value."""
    values = {name: {"not": {"type": "null"}} for name in sorted(names)}
    return {"required": sorted(names), "properties": values}


def if_one_of(field: str, values: Iterable[str], then: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a message that also matches `then` if the field has one of these values."""
    return {"if": {"required": [field], "properties": {field: {"enum": sorted(values)}}}, "then": then}
