"""Attributes: named values about the user, given by producers; merged in any order of arrival, within bounds.

For each name the value of the latest event wins. What does not fit goes oldest first, so that what is kept is
newer than everything that is not. With values of constant size, the result depends on the set of events alone. It
is so by number in any case; by size, how far back it reaches may depend on the order of arrival if a long value
was replaced by a shorter one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from shared.domain.events import Event

MAX_ATTRIBUTES = 32
"""The most attributes of one user, removed ones included."""
MAX_BYTES = 1536
"""The most bytes of all names and values together: text in UTF-8, 8 for a number, 1 for a boolean."""
NUMBER_BYTES = 8


class Place(NamedTuple):
    """The place of an attribute in the order of time. No two facts about attributes have the same place."""

    at: datetime
    cause: str
    """The short name of the event; it decides between two events of the same instant."""
    name: str


class AttributeFact(NamedTuple):
    """The latest value of one attribute, and the event that gave it."""

    name: str
    value: Any
    """Text, a number, a boolean or a list of texts and numbers. None: removed; it keeps older values away."""
    at: datetime
    cause: str

    @property
    def place(self) -> Place:
        """The place in the order of time."""
        return Place(self.at, self.cause, self.name)

    @property
    def size(self) -> int:
        """The bytes that count towards `MAX_BYTES`."""
        return len(self.name) + _size(self.value)


class Attributes(NamedTuple):
    """The attributes of one user."""

    facts: tuple[AttributeFact, ...] = ()
    """Sorted by name."""
    floor: Place | None = None
    """The newest place that was ever dropped: nothing at or before it is taken, so that no old value returns."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The values by name, without those that were removed."""
        return {fact.name: fact.value for fact in self.facts if fact.value is not None}

    def get(self, name: str) -> Any:
        """The value of one attribute; None if it is unknown."""
        for known, value, _, _ in self.facts:
            if known == name:
                return value
        return None

    def newest(self, number: int) -> "Attributes":
        """The attributes without all but the newest."""
        newest_first = _newest_first(self.facts)
        return _kept(newest_first[:number], newest_first[number:], self.floor)


NO_ATTRIBUTES = Attributes()


def merge(known: Attributes, event: Event) -> Attributes:
    """The attributes after an event; the very same ones if it adds nothing."""
    if not event.attributes:
        return known
    latest = {fact.name: fact for fact in known.facts}
    for name, value in event.attributes:
        new, before = AttributeFact(name, value, event.occurred_at, event.key.cause), latest.get(name)
        is_too_old = known.floor is not None and new.place <= known.floor
        if not is_too_old and (before is None or before.place < new.place):
            latest[name] = new
    changed = _within_bounds(latest.values(), known.floor)
    return known if changed == known else changed


def _within_bounds(facts: Iterable[AttributeFact], floor: Place | None) -> Attributes:
    """The newest of the facts that fit."""
    newest_first = _newest_first(facts)
    sizes = accumulate(fact.size for fact in newest_first)
    number = min(sum(size <= MAX_BYTES for size in sizes), MAX_ATTRIBUTES)  # sizes only grow
    return _kept(newest_first[:number], newest_first[number:], floor)


def _kept(kept: Iterable[AttributeFact], dropped: Sequence[AttributeFact], floor: Place | None) -> Attributes:
    """The attributes that are kept, after others were dropped, of which the first is the newest."""
    return Attributes(tuple(sorted(kept, key=lambda fact: fact.name)), dropped[0].place if dropped else floor)


def _newest_first(facts: Iterable[AttributeFact]) -> list[AttributeFact]:
    return sorted(facts, key=lambda fact: fact.place, reverse=True)


def _size(value: Any) -> int:
    match value:
        case None:
            return 0
        case bool():
            return 1
        case str():
            return len(value.encode())
        case list():
            return sum(map(_size, value))
        case _:
            return NUMBER_BYTES
