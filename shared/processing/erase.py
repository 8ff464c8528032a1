"""Erasure: a user's record keeps what occurred after the erasure, and nothing else.

    is_erased(record, event) -> bool       # nothing that the event says counts any more
    erased(record, at, terms) -> UserRecord
    due_at_once(record, now) -> datetime   # for what is left

The result does not depend on the order in which the erasure and the other events arrive: what comes before it goes
with it, and what comes after it is matched with `erased_at`.
"""

from datetime import datetime

from shared.domain.attributes import Attributes
from shared.domain.events import Event, FeedbackGiven, TimePassed
from shared.domain.instants import MICROSECOND, later
from shared.domain.ring import key_of
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.record.user_record import Fired, Pending, UserRecord, tombstone


def is_erased(record: UserRecord, event: Event) -> bool:
    """True for an event that tells nothing about the user as of after the erasure.

    It occurred up to then, or is a consumer's report on a trigger that is gone, or a tick where nothing is left.
    """
    if record.erased_at is None:
        return False
    match event.fact:
        case TimePassed():
            return record.is_tombstone
        case FeedbackGiven(trigger_id) if record.trigger(trigger_id) is None:
            return True
        case _:
            return event.occurred_at <= record.erased_at


def erased(record: UserRecord, at: datetime, terms: Terms) -> UserRecord:
    """The record of what occurred after `at` (UTC). It is a tombstone if that is nothing, which is the usual case.

    Parts that do not tell when they came about go: the base of the ring, tallies, scores that are up, and what was
    announced. What is left is announced anew by the next event or tick, which also revokes the offers that are not
    true of it.
    """
    left = UserRecord(
        record.user_id,
        history=record.history.since(at, terms, record.user_id),
        profile=tuple(fact for fact in record.profile if fact.at > at),
        signals=tuple(signal for signal in record.signals if signal.occurred_at > at),
        attributes=_attributes_since(record.attributes, at),
        requests=tuple(request for request in record.requests if request.at > at),
    )
    if left == UserRecord(record.user_id):
        return tombstone(record.user_id, at)
    subscriptions = {sub.id for sub in left.history.head.subscriptions}
    asked = {request.cause for request in left.requests}
    return left._replace(
        triggers=tuple(
            _since(trigger, at)
            for trigger in record.triggers
            if _moment_at(trigger) > at
            if trigger.subscription_id in subscriptions or trigger.cause in asked
        ),
        fired=_fired_since(record.fired, at),
        assignments=tuple(assignment for assignment in record.assignments if assignment.at > at),
        deferred=tuple(
            deferred
            for deferred in record.deferred
            if deferred.moment.at > at and deferred.moment.subscription_id in subscriptions
        ),
        pending=_pending_since(record, at),
        sequence=record.sequence,
        as_of=record.as_of,
        catalog_number=record.catalog_number,
        erased_at=at,
    )


def due_at_once(record: UserRecord, now: datetime) -> datetime:
    """The instant (UTC) at which what an erasure leaves of the record is due: `now`, or just after it.

    A tick of the instant of the last commit may have been processed already: its repetition would be a duplicate,
    and the user due for ever.
    """
    return later(now, MICROSECOND) if record.as_of == now else now


def _moment_at(trigger: Trigger) -> datetime:
    """The instant of what a trigger is about; of one that was stored without it, that of its decision."""
    return trigger.moment_at or trigger.decided_at


def _since(trigger: Trigger, at: datetime) -> Trigger:
    """The trigger with the reports after `at` alone."""
    return trigger._replace(
        feedback=tuple(report for report in trigger.feedback if report.at > at),
        impressions=tuple(report for report in trigger.impressions if report.at > at),
    )


def _attributes_since(attributes: Attributes, at: datetime) -> Attributes:
    floor = attributes.floor
    return Attributes(
        tuple(fact for fact in attributes.facts if fact.at > at), floor if floor and floor.at > at else None
    )


def _fired_since(fired: Fired, at: datetime) -> Fired:
    return Fired(
        tuple(one for one in fired.causes if one[0] > at),
        fired.floor if fired.floor and fired.floor > at else None,
    )


def _pending_since(record: UserRecord, at: datetime) -> tuple[Pending, ...]:
    """The messages committed after `at` that no event of before it has led to: consumers are still owed them."""
    gone = {key_of(row).cause for row in record.history.ring if key_of(row).occurred_at <= at}
    gone |= {signal.cause for signal in record.signals if signal.occurred_at <= at}
    return tuple(entry for entry in record.pending if entry.committed_at > at and entry.cause not in gone)
