"""A JSON object taken apart without loss: each member as a value, and as the very text it was written in."""

import json
import re
from typing import Any, NamedTuple

_decode_at = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*")


class Member(NamedTuple):
    """One member of an object."""

    value: Any
    text: str


def members(text: str) -> dict[str, Member]:
    """The members of the JSON object that a text holds; of a name that occurs twice the last, as JSON parsers do.

    What a member holds is for whoever takes it to refuse: NaN and names that occur twice are let through there.
    Raises `JSONDecodeError` for what is no object, `ValueError` for a number of thousands of digits,
    `RecursionError` for one nested too deep.
    """
    found: dict[str, Member] = {}
    at = _after("{", text, 0)
    more = not text.startswith("}", at)
    while more:
        name, at = _decode_at(text, at)
        if not isinstance(name, str):
            raise json.JSONDecodeError("expected a name", text, at)
        start = _after(":", text, at)
        value, end = _decode_at(text, start)
        found[name] = Member(value, text[start:end])
        at = _skip(text, end)
        more = not text.startswith("}", at)
        at = _after(",", text, at) if more else at
    if _after("}", text, at) != len(text):
        raise json.JSONDecodeError("expected the end", text, at)
    return found


def _after(mark: str, text: str, at: int) -> int:
    """The place after a mark and the white space around it."""
    at = _skip(text, at)
    if not text.startswith(mark, at):
        raise json.JSONDecodeError(f"expected {mark}", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """The place after white space."""
    match = _space.match(text, at)
    return match.end() if match else at
