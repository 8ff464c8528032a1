"""The user's profile: the latest value of each field wins by event time, in any order of arrival."""

from datetime import datetime
from typing import NamedTuple

from shared.domain.events import Event, Profile

_EMPTY = Profile()


class ProfileFact(NamedTuple):
    """The latest value of one profile field, and the event that gave it."""

    field: str
    value: str | bool
    at: datetime
    cause: str
    """The short name of the event; it decides between two values of the same instant."""


def merge(known: tuple[ProfileFact, ...], event: Event) -> tuple[ProfileFact, ...]:
    """The profile facts after an event; a field that the event does not give stays as it is."""
    if event.profile == _EMPTY:
        return known
    latest = {fact.field: fact for fact in known}
    for field in Profile._fields:
        value = getattr(event.profile, field)
        if value is None:
            continue
        fact = ProfileFact(field, value, event.occurred_at, event.key.cause)
        before = latest.get(field)
        if before is None or (before.at, before.cause) < (fact.at, fact.cause):
            latest[field] = fact
    return tuple(latest[field] for field in Profile._fields if field in latest)


def profile(known: tuple[ProfileFact, ...]) -> Profile:
    """The profile made of these facts."""
    if not known:
        return _EMPTY
    return Profile(**{fact.field: fact.value for fact in known})  # type: ignore[arg-type]
