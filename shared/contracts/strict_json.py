"""Strict JSON parsing: every byte string has exactly one meaning, or is rejected with one reason."""

import json
from codecs import BOM_UTF8
from typing import Any, NoReturn

from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected

MAX_DEPTH = 32
"""Maximum nesting of lists and objects, the outermost object included."""


def read_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object from UTF-8 bytes.

    Raises `Rejected`: `not_json` for data that is not JSON in UTF-8; `invalid` for NaN and Infinity, a repeated
    key, nesting deeper than 32 levels, an integer of thousands of digits, or a value that is not an object.
    """
    value = _parse(data)
    if not isinstance(value, dict):
        raise _invalid("an object", kind_of(value))
    # Counting brackets is cheap, and data with few brackets cannot nest deep: nearly every event stops here.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and nests_deeper(value, MAX_DEPTH):
        raise _too_deep()
    return value


def kind_of(value: object) -> str:
    """The JSON type of a value, in words that reveal nothing of the value itself: it may be personal data."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "a negative integer" if value < 0 else "an integer"
        case float():
            return "a decimal number"
        case str():
            return f"a string of {len(value)} characters" if value else "an empty string"
        case list():
            return "a list"
        case _:
            return "an object"


def _parse(data: bytes) -> Any:
    try:
        return _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _not_json(f"a byte that is not UTF-8 at offset {error.start}") from None
    except json.JSONDecodeError as error:
        raise _not_json(_mistake_in(data) or f"a mistake at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _too_deep() from None
    # Python refuses to parse an integer of more than 4,300 digits:
    # https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation
    except ValueError:
        raise _invalid("shorter integers", "one of thousands of digits") from None


def _mistake_in(data: bytes) -> str | None:
    """A mistake that a place in the text would not explain, or None."""
    if not data.strip():
        return "no data" if not data else "only spaces"
    return "a byte-order mark before it" if data.startswith(BOM_UTF8) else None


def _object_with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise _invalid("each key once in an object", "one twice")
    return parsed


def _reject_constant(_: str) -> NoReturn:
    raise _invalid("finite numbers", "NaN or Infinity")


# By default Python's decoder keeps the last of repeated keys, and accepts NaN and Infinity.
_DECODER = json.JSONDecoder(object_pairs_hook=_object_with_unique_keys, parse_constant=_reject_constant)


def nests_deeper(value: Any, levels: int) -> bool:
    """True if a JSON value has more than `levels` levels of nested lists and objects."""
    layer = [value]
    for _ in range(levels):
        containers = [item for item in layer if isinstance(item, dict | list)]
        layer = [item for c in containers for item in (c.values() if isinstance(c, dict) else c)]
    return any(isinstance(item, dict | list) for item in layer)


def _not_json(found: str) -> Rejected:
    return Rejected(RejectionReason.NOT_JSON, f"the data: expected JSON in UTF-8, found {found}")


def _invalid(expected: str, found: str) -> Rejected:
    return Rejected(RejectionReason.INVALID, f"the data: expected {expected}, found {found}")


def _too_deep() -> Rejected:
    return _invalid(f"at most {MAX_DEPTH} levels of nesting", "more")
