"""Describes the differences between a trigger of one replay and the same trigger of another replay."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from infra.terminal.values import line

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")


class Difference(NamedTuple):
    """One field whose values differ."""

    name: str
    exact: str
    general: str
    """A wording without specific instants and numbers, so that similar differences can be grouped."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """The fields whose values differ, sorted by name; a missing field counts as not set."""
    for name in sorted({*before, *after}):
        was, is_ = before.get(name), after.get(name)
        if was != is_:
            exact = f"{line(was)} -> {line(is_)}"
            yield Difference(name, exact, _general(was, is_) or exact)


def without_instants(detail: str | None) -> str | None:
    """A detail with its instants removed, since they differ for nearly every trigger.

    None if nothing else is left of the detail.
    """
    wording = _INSTANT.sub("a time", detail or "")
    return None if wording in ("", "until a time") else wording


def _general(was: Any, is_: Any) -> str | None:
    """The shift of an instant, or the direction of a number's change; None for any other value."""
    if isinstance(was, int | float) and isinstance(is_, int | float) and not isinstance(was, bool):
        return "higher" if is_ > was else "lower"
    if all(isinstance(value, str) and _INSTANT.fullmatch(value) for value in (was, is_)):
        shift = datetime.fromisoformat(is_) - datetime.fromisoformat(was)
        return f"{_length(abs(shift))} {'later' if shift > timedelta() else 'earlier'}"
    return None


def _length(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours / 24:g} days" if hours % 24 == 0 else f"{hours:.4g} hours"
