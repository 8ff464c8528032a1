"""How a fact becomes what a score can count with: a number, or a category."""

from collections.abc import Mapping
from math import isfinite

Facts = Mapping[str, object]
"""What is known of a user, by the names that clauses use."""


NUMBERS = (int, float)
"""Booleans too. As a tuple, since isinstance takes three times as long with `int | float`."""


class Unusable(ValueError):
    """A fact, or a sum of them, that no score can be made of; says which and why, but no value of a fact."""


def number(feature: str, fact: object) -> float:
    """A fact as a number: true is 1 and false is 0. Raises `Unusable` for text, NaN and all that is no number."""
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
    """A fact as a category: `true` and `false` for a boolean, its digits for a whole number.

    Raises `Unusable` for what is none of these.
    """
    if isinstance(fact, str):
        return fact
    if isinstance(fact, bool):
        return "true" if fact else "false"
    if isinstance(fact, int) and abs(fact) < 2**63:  # the digits of larger ones may be more than Python writes
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
