"""The whole life of a user: from every message about the user in a raw log, and from the user's document.

    life(user_id, logged, record) -> Life
    Life(user_id, entries, has_document, has_log, missing)
    LifeEntry(at, kind, topic, body, published_at, note, event)      # its fields: shared/queries/life_entry.py

`logged` are the messages that `infra.raw.reader.messages_about` finds, or None where there is no raw log; `record`
is None for a user whose document is gone. Entries are oldest first, each message once. What both tell is told as
the log tells it; what the log lacks and the document holds is added to it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.contracts.outbound.subscription_change import SubscriptionChange
from shared.domain.events import FeedbackGiven
from shared.domain.instants import from_micros
from shared.domain.ring import OCCURRED_AT
from shared.domain.terms import Terms
from shared.queries.life_document import not_yet_told
from shared.queries.life_entry import LifeEntry, LifeKind, is_held_back, is_revocation
from shared.queries.life_log import Told, read_log
from shared.queries.past_log import Logged, agree, tell_first_changes
from shared.queries.user_view import View
from shared.record.user_record import UserRecord

__all__ = ["Life", "LifeEntry", "LifeKind", "life", "life_view"]
DEFAULT_TERMS = Terms()
RANK = {kind: rank for rank, kind in enumerate(LifeKind)}


class Life(NamedTuple):
    """Everything that is known to have happened to a user."""

    user_id: str
    entries: tuple[LifeEntry, ...] = ()
    """Oldest first."""
    has_document: bool = True
    """False if there is no document of the user: then the raw log alone tells of it."""
    has_log: bool = False
    missing: tuple[str, ...] = ()
    """Sentences about what is known to be missing; none if everything is told."""


def life(
    user_id: str, logged: Sequence[Logged] | None, record: UserRecord | None, terms: Terms = DEFAULT_TERMS
) -> Life:
    """The life of a user, since the erasure if there was one.

    `logged` are messages in the order of their publication, also those about others.
    """
    told = read_log(user_id, logged or (), terms)
    if erased_at := (record or told.record).erased_at:  # the log may hold for a while what was erased
        told = told._replace(entries=[entry for entry in told.entries if entry.at > erased_at])
    added = not_yet_told(record, told.entries) if record else []
    entries = tuple(_with_fates(_in_order((*told.entries, *added))))
    missing = tuple(_missing(told, added, record, terms) if logged is not None else _not_held(record))
    return Life(user_id, entries, record is not None, logged is not None, missing)


def life_view(life: Life) -> View:
    """The life for programs; see `to_json`."""
    entries = [entry._asdict() for entry in life.entries]
    for entry in entries:
        del entry["event"]  # the body says it
    return {**life._asdict(), "entries": entries}


def _in_order(entries: Iterable[LifeEntry]) -> list[LifeEntry]:
    """The entries by time; those of one instant by the event that led to them, each after its cause."""
    entries = [*entries]
    causes: dict[tuple[str, str, str], int] = {}
    for number, one in enumerate(entries):
        if one.event:
            causes.setdefault(one.event.key[1:], number)

    def position(number: int) -> tuple[datetime, int, int, int, int]:
        entry = entries[number]
        of = entry.body.get("event") if entry.event is None and entry.kind is not LifeKind.REJECTED else None
        cause = causes.get((of["topic"], of["source"], of["event_id"]), len(entries)) if of else number
        return entry.at, cause, RANK[entry.kind], entry.body.get("sequence", 0) if of else 0, number

    return [entries[number] for number in sorted(range(len(entries)), key=position)]


def _with_fates(entries: Sequence[LifeEntry]) -> Iterator[LifeEntry]:
    """The entries, each issued trigger with what became of it as its note."""
    fates: dict[str, dict[str, None]] = {}
    for entry in entries:
        for trigger_id, fate in _fate_told_by(entry):
            fates.setdefault(trigger_id, {})[fate] = None
    for entry in entries:
        told = fates.get(entry.body["trigger_id"]) if is_issue(entry) else None
        yield entry._replace(note=", ".join(told)) if told else entry


def is_issue(entry: LifeEntry) -> bool:
    """True for the message that shows an offer."""
    return entry.kind is LifeKind.TRIGGER and not is_revocation(entry.body)


def _fate_told_by(entry: LifeEntry) -> Iterator[tuple[str, str]]:
    """The trigger whose fate an entry tells, with that fate in words."""
    trigger_id = entry.body.get("trigger_id")
    match entry.kind:
        case LifeKind.TRIGGER if is_revocation(entry.body):
            yield str(trigger_id), f"revoked ({entry.note})" if entry.note else "revoked"
        case LifeKind.FEEDBACK if entry.event and isinstance(entry.event.fact, FeedbackGiven):
            yield entry.event.fact.trigger_id, entry.event.fact.kind.value
        case LifeKind.EXPOSURE if not is_held_back(entry.body):
            yield str(trigger_id), entry.body["kind"]


def _missing(told: Told, added: Sequence[LifeEntry], record: UserRecord | None, terms: Terms) -> Iterator[str]:
    """The parts that a raw log is known to lack."""
    if added:
        entries = "1 entry" if len(added) == 1 else f"{len(added)} entries"
        yield f"the raw log lacks {entries} that the document holds"
    if told.odd:
        yield f"the raw log holds {told.odd} messages about the user that this version cannot read"
    changes = [(one.topic, one.body) for one in told.entries if one.topic == SubscriptionChange.TOPIC]
    sequenced = sorted(changes, key=lambda change: change[1].get("sequence", 0))
    if not tell_first_changes(sequenced):
        yield "the raw log begins in the midst of the user's life"
    elif record and not added and not agree(told.record.history, record.history, terms, record.user_id):
        yield "the events in the raw log do not add up to the subscription in the document: some are missing"


def _not_held(record: UserRecord | None) -> Iterator[str]:
    """The parts that a document alone cannot tell."""
    if record is None:
        return
    if mark := record.history.mark:
        begins, kept = from_micros(mark[OCCURRED_AT]), len(record.history.ring)
        yield f"events before {begins:%Y-%m-%d %H:%M} UTC are not told: the document holds the newest {kept}"
    yield "decisions and changes of more than 14 days ago and rejected events are not told: there is no raw log"
