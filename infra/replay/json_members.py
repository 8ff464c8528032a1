"""Splits a JSON object into its members without loss: each with its value and its source text."""

import json
import re
from typing import Any, NamedTuple

_decode_at = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*")


class Member(NamedTuple):
    """One member of a JSON object: the parsed value and its source text."""

    value: Any
    text: str


def members(text: str) -> dict[str, Member]:
    """The members of a JSON object, by name. The last member wins if a name occurs twice, as in JSON parsers.

    Values are not validated: NaN and duplicate names inside a value are accepted, and the caller can reject them.
    Raises `JSONDecodeError` if the text is not a JSON object, `ValueError` for a number with thousands of digits,
    and `RecursionError` for nesting that is too deep.
    """
    by_name: dict[str, Member] = {}
    at = _after("{", text, 0)
    more = not text.startswith("}", at)
    while more:
        name, at = _decode_at(text, at)
        if not isinstance(name, str):
            raise json.JSONDecodeError("expected a name", text, at)
        start = _after(":", text, at)
        value, end = _decode_at(text, start)
        by_name[name] = Member(value, text[start:end])
        at = _skip(text, end)
        more = not text.startswith("}", at)
        at = _after(",", text, at) if more else at
    if _after("}", text, at) != len(text):
        raise json.JSONDecodeError("expected the end", text, at)
    return by_name


def _after(mark: str, text: str, at: int) -> int:
    """The position after `mark` and the white space around it. Raises `JSONDecodeError` if `mark` is missing."""
    at = _skip(text, at)
    if not text.startswith(mark, at):
        raise json.JSONDecodeError(f"expected {mark}", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """The position after any white space."""
    match = _space.match(text, at)
    return match.end() if match else at
