"""Attributes of an event: an ill-formed one is dropped, and never costs the event."""

import re
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator, WithJsonSchema

from shared.contracts.strict_json import kind_of

MAX_TEXT = 32
"""The most characters of a text."""
MAX_ITEMS = 8
"""The most items of a list."""
MAX_NUMBER = 2**53
"""The greatest distance of a number from 0. Up to here every whole number is exact in JSON and in clauses."""
MAX_TOLD = 8
"""The most dropped attributes that are told one by one."""
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
"""As the names in a catalog."""
TEXT_PATTERN = r"^[^\x00-\x1F\x7F-\x9F\uD800-\uDFFF]*$"
"""Without control characters, since texts are shown on pages, and without halves of characters."""
A_NAME = "1 to 64 letters, digits, _ or -, of which the first is a letter or digit"
A_SCALAR = f"a text of at most {MAX_TEXT} characters without control characters, or a number up to 2^53"
A_VALUE = f"{A_SCALAR}, or true or false, or a list of at most {MAX_ITEMS} such texts and numbers"

_is_name = re.compile(NAME_PATTERN).fullmatch
_is_text = re.compile(TEXT_PATTERN).fullmatch


class GivenAttributes(NamedTuple):
    """The attributes of one event."""

    kept: tuple[tuple[str, Any], ...] = ()
    """Names and values; None removes the attribute."""
    dropped: tuple[str, ...] = ()
    """A sentence for each ill-formed attribute: its name and what was expected and found, never its value."""


NOTHING_GIVEN = GivenAttributes()


def read_attributes(given: object) -> GivenAttributes:
    """The attributes in the JSON of an event. Raises nothing, whatever is given."""
    if given is None:
        return NOTHING_GIVEN
    if not isinstance(given, dict):
        return GivenAttributes(dropped=(f"attributes: expected an object, found {kind_of(given)}",))
    mistakes = {name: mistake for name, value in given.items() if (mistake := _mistake(name, value))}
    told = (*mistakes.values(),)
    if len(told) > MAX_TOLD:
        told = (*told[:MAX_TOLD], f"and {len(told) - MAX_TOLD} more")
    return GivenAttributes(tuple((name, value) for name, value in given.items() if name not in mistakes), told)


def _mistake(name: str, value: object) -> str | None:
    """The sentence about an ill-formed attribute, or None. It repeats no ill-formed name, which may be a value."""
    if not _is_name(name):
        return f"a name: expected {A_NAME}, found {kind_of(name)}"
    if value is None or isinstance(value, bool) or _is_scalar(value):
        return None
    if not isinstance(value, list):
        return f"{name}: expected {A_VALUE}, found {kind_of(value)}"
    if len(value) > MAX_ITEMS:
        return f"{name}: expected a list of at most {MAX_ITEMS} items, found {len(value)}"
    wrong = [item for item in value if not _is_scalar(item)]
    return (
        f"{name}: expected a list in which each item is {A_SCALAR}, found {kind_of(wrong[0])}" if wrong else None
    )


def _is_scalar(value: object) -> bool:
    """True for a text or a number within its bounds."""
    if isinstance(value, str):
        return len(value) <= MAX_TEXT and _is_text(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -MAX_NUMBER <= value <= MAX_NUMBER


_SCALAR = [
    {"type": "string", "maxLength": MAX_TEXT, "pattern": r"^[^\x00-\x1F\x7F-\x9F]*$"},
    {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER},
]
Attributes = Annotated[
    GivenAttributes,
    PlainValidator(read_attributes),
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "propertyNames": {"pattern": NAME_PATTERN},
            "additionalProperties": {
                "anyOf": [
                    *_SCALAR,
                    {"type": ["boolean", "null"]},
                    {"type": "array", "maxItems": MAX_ITEMS, "items": {"anyOf": _SCALAR}},
                ]
            },
        }
    ),
]
"""The attributes in an event. The JSON Schema says what is kept; what it refuses is dropped by Upbeat."""
