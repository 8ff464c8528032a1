"""A user's document as it was at an instant of the past, as far as the document itself tells it.

The ring tells it as it is known now: the events that occurred up to the instant, whenever they arrived.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from shared.domain.instants import from_micros
from shared.domain.ring import OCCURRED_AT
from shared.domain.signals import KEPT_PER_KIND, BehaviouralSignal
from shared.domain.tallies import Tallies
from shared.domain.terms import Terms
from shared.queries.past_triggers import revocations, triggers_at
from shared.queries.user_view import View, everything
from shared.record.user_record import Fired, UserRecord

UNKNOWN = ("scores_up", "deferred", "next_due_at")
"""Fields of `everything` that nothing kept tells of the past."""
DECIDED_BY = frozenset({"subscriptions", "profile", "attributes", "signals", "triggers", "assignments"})
"""Parts of a document by which a decision is made."""


class Past(NamedTuple):
    """A user's document at an instant of the past."""

    record: UserRecord
    """The document as far as it is known; the rest is empty."""
    source: str
    """`ring` or `raw log`."""
    known: str
    """`now` or `then`: by the events that are known now, or by those that were known at the instant."""
    incomplete: tuple[str, ...] = ()
    """Parts of the document of which something may be missing."""
    unknown_revocations: frozenset[str] = frozenset()
    """Ids of the triggers that were revoked, before or after the instant: nothing kept tells which."""

    @property
    def undecidable(self) -> tuple[str, ...]:
        """The parts that a decision at the instant would ask for, and that are incomplete."""
        revocations = ("revocations",) if self.unknown_revocations else ()
        return tuple(part for part in self.incomplete if part in DECIDED_BY) + revocations


def is_past(record: UserRecord, at: datetime) -> bool:
    """True if the document has changed since an instant: then it no longer says what it was at it."""
    if record.as_of is not None:
        return at < record.as_of
    ring = record.history.ring
    return bool(ring) and at < from_micros(ring[-1][OCCURRED_AT])


def ring_begins(record: UserRecord) -> datetime | None:
    """The first instant (UTC) that the ring tells; None if it tells every instant."""
    mark = record.history.mark
    return from_micros(mark[OCCURRED_AT]) if mark else None


def from_ring(record: UserRecord, at: datetime, terms: Terms) -> Past | None:
    """The document at an instant (UTC), as it is known now; None if the ring does not reach back that far."""
    begins = ring_begins(record)
    if begins and at < begins:
        return None
    messages = ((message.topic, message.body) for message in record.pending_messages)
    triggers, unknown = triggers_at(record.triggers, at, revocations(messages))
    known = what_stays(record, at)._replace(
        history=record.history.up_to(at, terms, record.user_id),
        profile=tuple(fact for fact in record.profile if fact.at <= at),
        attributes=record.attributes._replace(
            facts=tuple(fact for fact in record.attributes.facts if fact.at <= at)
        ),
        signals=tuple(one for one in record.signals if one.occurred_at <= at),
        triggers=tuple(
            one._replace(feedback=tuple(each for each in one.feedback if each.at <= at)) for one in triggers
        ),
        pending=tuple(entry for entry in record.pending if entry.committed_at <= at),
    )
    return Past(known, "ring", "now", tuple(_incomplete(record, at)), unknown)


def everything_then(past: Past, at: datetime, terms: Terms) -> View:
    """The user at an instant of the past, as `everything` tells the present; what is not known is null."""
    view = everything(past.record, at, terms) | dict.fromkeys(UNKNOWN)
    for trigger in view["triggers"]:
        if trigger["trigger_id"] in past.unknown_revocations:
            trigger |= {"revoked": None, "revoke_reason": None, "state": None}
    about = {"source": past.source, "known": past.known, "incomplete": past.incomplete, "unknown": UNKNOWN}
    return {"now": at, "past": about} | view


def what_stays(record: UserRecord, at: datetime) -> UserRecord:
    """The moments that were decided by an instant, and the variants that were assigned: only newer ones go."""
    return UserRecord(
        record.user_id,
        fired=Fired(tuple(one for one in record.fired.causes if one[0] <= at)),
        assignments=tuple(one for one in record.assignments if one.at <= at),
        as_of=at,
    )


def lost_anyway(record: UserRecord, at: datetime) -> Iterator[str]:
    """The parts of which no source tells everything that was there at an instant."""
    if record.tallies != Tallies():  # older triggers became counters, which have no time
        yield "triggers"
    if any(one.at > at for one in record.assignments):  # one may have taken the place of another
        yield "assignments"


def _incomplete(record: UserRecord, at: datetime) -> Iterator[str]:
    """The parts of which a document may have lost something that was there at an instant."""
    if any(fact.at > at for fact in record.profile):
        yield "profile"
    if record.attributes.floor or any(fact.at > at for fact in record.attributes.facts):
        yield "attributes"
    if any(_took_a_place(one, record.signals) for one in record.signals if one.occurred_at > at):
        yield "signals"
    yield from lost_anyway(record, at)
    yield from ("decisions", "pending")  # kept for some days only


def _took_a_place(newer: BehaviouralSignal, signals: Iterable[BehaviouralSignal]) -> bool:
    return sum(one.kind is newer.kind for one in signals) >= KEPT_PER_KIND
