"""Conversion of facts to the inputs of scores: numbers and categories."""

from collections.abc import Mapping
from math import isfinite

Facts = Mapping[str, object]
"""The facts about a user, by the names that clauses use."""
NUMBERS = (int, float)
"""The types of numbers, booleans included. With `int | float`, `isinstance` takes three times as long."""


class Unusable(ValueError):
    """A score cannot be computed. The text names the fact and the reason, but never the value of a fact."""


def number(feature: str, fact: object) -> float:
    """A fact as a number; true is 1 and false is 0. Raises `Unusable` if it is no finite number."""
    if not isinstance(fact, NUMBERS):
        raise Unusable(f"{feature}: expected a number, found {_kind(fact)}")
    try:
        found = float(fact)
    except OverflowError:
        raise Unusable(f"{feature}: expected a finite number, found one that is too large") from None
    if not isfinite(found):
        raise Unusable(f"{feature}: expected a finite number, found one that is not")
    return found


def category(feature: str, fact: object) -> str:
    """A fact as a category: text, `true` or `false` for a boolean, the digits of a whole number.

    Raises `Unusable` for any other type, and for whole numbers from 2^63 on.
    """
    if isinstance(fact, str):
        return fact
    if isinstance(fact, bool):
        return "true" if fact else "false"
    if isinstance(fact, int) and abs(fact) < 2**63:  # see sys.get_int_max_str_digits for larger ones
        return str(fact)
    raise Unusable(f"{feature}: expected text, a boolean or a whole number, found {_kind(fact)}")


def _kind(fact: object) -> str:
    match fact:
        case None:
            return "nothing"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case _:
            return f"a {type(fact).__name__}"
