"""One user's document, made again from everything that landed about the user. Pure: nothing is read or published.

    rebuilt(user_id, logged, rules) -> Rebuilt(record, counts, gaps, is_out_of_order)

Events give the history, the profile, the attributes and the signals, by the fold of production with the publish
time as the present. Messages give the rest: triggers and what became of them, caps, decided moments, assignments,
deferrals, what was announced, and the sequence. Nothing is decided again.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from infra.rebuild.notes import Notes
from infra.rebuild.restore import restored
from infra.rebuild.steps import Came, Step, steps
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import facts_of
from shared.decisioning.catalog import Catalog
from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.conditions import is_trigger_true
from shared.domain.errors import Rejected
from shared.domain.events import ErasureRequested, FeedbackGiven, TimePassed
from shared.domain.instants import BEGINNING_OF_TIME
from shared.domain.moments import MomentKind
from shared.processing.erase import due_at_once
from shared.processing.process import absorb, next_due_at
from shared.processing.rules import Rules
from shared.processing.settle import NOTHING_ANNOUNCED, user_of
from shared.queries.past_log import Logged
from shared.record.user_record import MAX_PUBLISHED, Pending, UserRecord

MOMENT = "moment"
"""The `revoke_reason` of a trigger whose moment is not true any more."""
ALWAYS_ANNOUNCED = ("status", "entitled", "plan", "period_end")
"""The facts by which it is seen that a change is missing. Older versions did not announce all others."""


class Rebuilt(NamedTuple):
    """A document made again, and what it was made from."""

    record: UserRecord | None
    """None for a user of whom nothing was kept, since all events were rejected, or of test environments."""
    counts: Mapping[str, int]
    """Counts of what was read and restored, by name."""
    gaps: tuple[str, ...] = ()
    """Known gaps in the log. If there are any, every moment up to the last commit counts as decided."""
    is_out_of_order: bool = False
    """True if an event was processed after one that occurred later, so that the ring's bound may have mattered."""


def rebuilt(user_id: str, logged: Sequence[Logged], rules: Rules, *, process_sandbox: bool = False) -> Rebuilt:
    """The document of a user. `logged` are messages in the order of their publication, also those about others.

    `rules` say when the user is due next, and what messages of before a field existed do not tell. With
    `process_sandbox`, events of test environments count like others (`UPBEAT_PROCESS_SANDBOX`).
    """
    notes = Notes()
    record, recent = UserRecord(user_id), list[Step]()
    for step in steps(user_id, logged, rules.terms, notes.counts, process_sandbox=process_sandbox):
        if step.came:
            record = _with_event(record, step.came, rules, notes)
        if step.told:
            record = restored(record, step.told, rules, notes)
            record = _without_untrue(_as_of(record, step.told.at), rules)
            recent = [*recent, step][-MAX_PUBLISHED:]
    if record.is_tombstone:
        return Rebuilt(record, notes.counts)
    now = record.as_of
    if now is None or record._replace(as_of=None) == UserRecord(user_id):
        return Rebuilt(None, notes.counts)
    record = _finished(record, now, rules, notes)
    record = record._replace(pending=tuple(_pending(recent, record, now, rules)))
    return Rebuilt(record, notes.counts, tuple(notes.gaps), notes.is_out_of_order)


def _with_event(record: UserRecord, came: Came, rules: Rules, notes: Notes) -> UserRecord:
    event = came.event
    try:
        changed, arrival, _ = absorb(record, event, rules.terms)
    except Rejected:
        notes.counts["events_rejected"] += 1
        return record
    if isinstance(event.fact, TimePassed):
        return _as_of(changed, max(came.published_at, event.occurred_at))
    notes.counts[f"events_{arrival}"] += 1
    is_erasure = isinstance(event.fact, ErasureRequested) and changed is not record
    if is_erasure:
        notes.kinds.clear()
    if changed.is_tombstone:
        return changed
    if isinstance(event.fact, FeedbackGiven):
        notes.counts["feedback"] += arrival is Arrival.APPLIED
    else:
        notes.note_order(event.occurred_at)
    if changed is record:
        return record
    due_at = due_at_once(record, came.published_at) if is_erasure else None
    return _as_of(changed, came.published_at, due_at)


def _as_of(record: UserRecord, at: datetime, due_at: datetime | None = None) -> UserRecord:
    """The record, committed at an instant or later: a user's time never goes back.

    `due_at` is given if the commit itself says when the user is due, whatever follows from the rest.
    """
    return record._replace(as_of=max(at, record.as_of or at), next_due_at=due_at)


def _without_untrue(record: UserRecord, rules: Rules) -> UserRecord:
    """The record with withheld triggers revoked whose moment is not true any more, which no message tells."""
    now = record.as_of
    if now is None or not any(one.withheld and one.is_open(now) for one in record.triggers):
        return record
    account, _ = record.history.at(now, rules.terms)
    user = user_of(record, account, record.triggers, now)
    triggers = (
        one.revoke(MOMENT) if one.withheld and one.is_open(now) and not is_trigger_true(one, user) else one
        for one in record.triggers
    )
    return record._replace(triggers=tuple(triggers))


def _finished(record: UserRecord, now: datetime, rules: Rules, notes: Notes) -> UserRecord:
    """The record with what follows from all that was restored; `now` is the instant of the last commit (UTC)."""
    account, _ = record.history.at(now, rules.terms)
    if record.announced or record.erased_at is None:  # what an erasure leaves is announced anew by the next tick
        _compare(record, account, notes)
    fired = record.fired._replace(floor=now) if notes.gaps else record.fired
    record = record._replace(
        fired=fired,
        deferred=tuple(one for one in record.deferred if one.until > now),
        raised=tuple(_raised(rules.catalog, notes)),
        catalog_number=rules.catalog.number,
    )
    return record._replace(next_due_at=record.next_due_at or next_due_at(record, now, rules))


def _compare(record: UserRecord, account: Account, notes: Notes) -> None:
    """Note the subscriptions that are not as they were announced last: messages or events are missing."""
    announced = {one.subscription_id: one.facts for one in record.announced}
    for sub in account.subscriptions:
        told, facts = announced.get(sub.id, NOTHING_ANNOUNCED), facts_of(sub)
        if any(told.get(name) != facts.get(name) for name in ALWAYS_ANNOUNCED):
            notes.lacks(f"what was announced of subscription {sub.id} does not follow from its events")


def _raised(catalog: Catalog, notes: Notes) -> Iterator[str]:
    """The scores whose moment was told at any time.

    One that fell since is lowered by the next event, before anything is decided; none is raised a second time.
    """
    return (name for name, rule in sorted(catalog.raising.items()) if MomentKind(rule.moment) in notes.kinds)


def _pending(recent: Sequence[Step], record: UserRecord, now: datetime, rules: Rules) -> Iterator[Pending]:
    """The messages of the newest processings whose events the log has. All of them are out."""
    begins = max(now - rules.terms.redelivery, record.erased_at or BEGINNING_OF_TIME)
    for came, told in recent:
        if came and told and told.at > begins:
            messages = [Message(topic, body.get("message_id", ""), {**body}) for topic, body in told.bodies]
            yield Pending.of(came.event, told.at, messages)._replace(is_published=True)
