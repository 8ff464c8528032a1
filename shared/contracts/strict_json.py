"""JSON as strict as the contract: every byte string has one meaning, or one reason why it has none."""

import json
from typing import Any, NoReturn

from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected

MAX_DEPTH = 32


def read_object(data: bytes) -> dict[str, Any]:
    """Parse the JSON object that the bytes hold.

    Raises `Rejected`: `not_json` for what is not JSON in UTF-8; `invalid` for NaN and Infinity, a key that
    occurs twice, nesting deeper than 32, an integer of thousands of digits, and all that is not an object.
    """
    value = _parse(data)
    if not isinstance(value, dict):
        raise _invalid("an object", kind_of(value))
    # Few brackets cannot nest deep, and nearly every event has few.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and nests_deeper(value, MAX_DEPTH):
        raise _too_deep()
    return value


def kind_of(value: object) -> str:
    """Say what kind of JSON a value is, without saying anything of the value itself."""
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
        raise _not_json(f"a mistake at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise _invalid("shorter integers", "one of thousands of digits") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _invalid("each key once in an object", "one twice")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise _invalid("finite numbers", "NaN or Infinity")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse_constant)


def nests_deeper(value: Any, levels: int) -> bool:
    """Whether there is anything in a value of JSON beyond so many levels of lists and objects."""
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
