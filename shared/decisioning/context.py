"""The context of a decision: what its clauses and scores knew, within a bound."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

MAX_CONTEXT = 512
"""The most bytes of a context as compact JSON: it is stored in the user's document until it is published."""

Values = dict[str, object]
"""The values of facts, attributes and scores as JSON, by their full names; None where one is unknown."""


class Context(NamedTuple):
    """The values that a decision asked for, and the names of those for which there was no room."""

    values: Values
    left_out: tuple[str, ...]
    features_missing: tuple[str, ...] = ()
    """The reasons why features that the decision asked for counted as null: see `told`."""


def fit(values: Values) -> Context:
    """The values within the bound, each of them whole.

    They are taken in their order. One that does not fit is left out, and a shorter one after it may still fit.
    """
    if len(orjson.dumps(values)) <= MAX_CONTEXT:
        return Context(values, ())
    kept: Values = {}
    left_out: list[str] = []
    room = MAX_CONTEXT - 1  # for the opening brace; each entry is followed by a comma or the closing brace
    for name, value in values.items():
        size = len(orjson.dumps((name, value))) - 1
        if size <= room:
            kept[name] = value
            room -= size
        else:
            left_out.append(name)
    return Context(kept, tuple(left_out))


def flat(values: Mapping[str, object], prefix: str = "") -> Values:
    """Values, of a map each by itself under its dotted name."""
    told: Values = {}
    for name, value in values.items():
        if isinstance(value, dict):
            told |= flat(dict(sorted(value.items())), f"{prefix}{name}.")
        else:
            told[prefix + name] = [*value] if isinstance(value, tuple) else value
    return told
