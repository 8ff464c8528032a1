"""How a trigger of one replay differs from the same trigger of another, in words."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from infra.terminal.values import line

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")


class Difference(NamedTuple):
    """One field that is not the same."""

    name: str
    exactly: str
    in_general: str
    """So that what is different in the same way has the same words."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """The fields that are not the same, by name."""
    for name in sorted({*before, *after}):
        was, is_ = before.get(name), after.get(name)
        if was != is_:
            exactly = f"{line(was)} -> {line(is_)}"
            yield Difference(name, exactly, _shift(was, is_) or exactly)


def in_general(detail: str | None) -> str | None:
    """A detail without its instants, which hardly any two have in common; nothing if that is all it says."""
    said = _INSTANT.sub("a time", detail or "")
    return None if said in ("", "until a time") else said


def _shift(was: Any, is_: Any) -> str | None:
    """By how much an instant is later, or that a number is higher; None of anything else."""
    if isinstance(was, int | float) and isinstance(is_, int | float) and not isinstance(was, bool):
        return "higher" if is_ > was else "lower"
    if all(isinstance(it, str) and _INSTANT.fullmatch(it) for it in (was, is_)):
        by = datetime.fromisoformat(is_) - datetime.fromisoformat(was)
        return f"{_length(abs(by))} {'later' if by > timedelta() else 'earlier'}"
    return None


def _length(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours / 24:g} days" if hours % 24 == 0 else f"{hours:.4g} hours"
