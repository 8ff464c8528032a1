"""The things that are due for a user: what the clock will bring next."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from shared.decisioning.catalog import Catalog
from shared.domain.deadlines import next_deadline
from shared.domain.follow_ups import follow_ups
from shared.domain.milestones import milestones
from shared.domain.moments import Moment
from shared.domain.terms import Terms
from shared.record.user_record import UserRecord


class Due(NamedTuple):
    """One thing that is due."""

    at: datetime
    """UTC."""
    what: str
    """In words, such as `lapsed@7d`."""


def due(record: UserRecord, catalog: Catalog | None, now: datetime, terms: Terms) -> list[Due]:
    """The things that time will bring after `now` (UTC), soonest first, by a catalog's milestones and follow-ups.

    Without a catalog, deferred decisions and the next change of each subscription alone.
    """
    return sorted(one for one in _due(record, catalog, now, terms) if one.at > now)


def _due(record: UserRecord, catalog: Catalog | None, now: datetime, terms: Terms) -> Iterator[Due]:
    for deferred in record.deferred:
        yield Due(deferred.until, f"{deferred.campaign_id} is decided again: it was deferred for quiet hours")
    account, _ = record.history.at(now, terms)
    for sub in account.subscriptions:
        if at := next_deadline(sub, terms):
            then = record.history.at(at, terms)[0].get(sub.id)
            yield Due(at, f"subscription {sub.id}: {sub.status} -> {then.status}, unless an event comes before")
    if catalog:
        moments = (
            *milestones(account.best, catalog.milestones),
            *follow_ups(record.triggers, catalog.follow_ups, now, terms),
        )
        yield from (Due(moment.at, f"{moment_name(moment)} is decided") for moment in moments)


def moment_name(moment: Moment) -> str:
    """A moment as a catalog names it."""
    name = f"{moment.kind}@{moment.offset_text}" if moment.offset else str(moment.kind)
    return f"{name}:{moment.campaign}" if moment.campaign else name
