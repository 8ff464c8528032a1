"""The user's profile: of each field, what was said last wins, in whatever order it comes in."""

from datetime import datetime
from typing import NamedTuple

from shared.domain.events import Event, Profile

NOTHING_SAID = Profile()


class ProfileFact(NamedTuple):
    """What was said last of one field of the profile, and when."""

    field: str
    value: str | bool
    at: datetime
    cause: str


def merge(known: tuple[ProfileFact, ...], event: Event) -> tuple[ProfileFact, ...]:
    """What is known of the profile after an event; a field that the event does not give stays as it is."""
    if event.profile == NOTHING_SAID:
        return known
    latest = {said.field: said for said in known}
    for field in Profile._fields:
        value = getattr(event.profile, field)
        if value is None:
            continue
        said = ProfileFact(field, value, event.occurred_at, event.key.cause)
        before = latest.get(field)
        if before is None or (before.at, before.cause) < (said.at, said.cause):
            latest[field] = said
    return tuple(latest[field] for field in Profile._fields if field in latest)


def profile(known: tuple[ProfileFact, ...]) -> Profile:
    """The profile that these facts make."""
    return Profile(**{said.field: said.value for said in known})  # type: ignore[arg-type]
