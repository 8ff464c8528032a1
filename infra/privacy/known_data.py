"""All data about one user in one document, for the person whom it is about."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from google.cloud.firestore import DocumentSnapshot

from infra.remote.dead_letters import Letter, UnreadableLetter, read_letter
from infra.remote.instants import standard
from infra.remote.letter_page import payload_text
from infra.remote.pubsub import Received
from infra.topology import Topology
from shared.domain.terms import Terms
from shared.queries.life import Life, LifeEntry, LifeKind
from shared.queries.user_view import View, everything, to_json
from shared.record.user_record import UserRecord

SECTIONS = {
    LifeKind.EVENT: "events",
    LifeKind.DUE: "due",
    LifeKind.FEEDBACK: "feedback",
    LifeKind.REJECTED: "rejected_events",
    LifeKind.CHANGE: "changes",
    LifeKind.DECISION: "decisions",
    LifeKind.TRIGGER: "triggers",
    LifeKind.EXPOSURE: "exposures",
}
"""The name of the list with all entries of a kind."""


class Sources(NamedTuple):
    """The places that were read, and those that were not."""

    read: Mapping[str, str]
    """Its name, and where it was read, in words."""
    not_read: Mapping[str, str]
    """Its name, and why it was not read."""


class BesideDocument(NamedTuple):
    """Data about a user beside the document and the messages; empty where nothing is, or nothing was read."""

    letters: tuple[Letter, ...] = ()
    """Dead letters that wait to be dealt with."""
    email: Mapping[str, Any] = {}
    """The documents for e-mail, by their paths."""
    features: Mapping[str, Any] = {}
    """The features that the warehouse computed, as functions read them."""


def known_data(
    record: UserRecord | None, life: Life, beside: BesideDocument, sources: Sources, now: datetime, terms: Terms
) -> Any:
    """Everything as JSON at an instant (UTC). Lists are oldest first; what no source tells is empty or null."""
    entries = {name: [_entry(one) for one in life.entries if one.kind is kind] for kind, name in SECTIONS.items()}
    data = {
        "user_id": life.user_id,
        "exported_at": now,
        "sources": sources._asdict(),
        "missing": life.missing,
        "document": None if record is None else _document(record, now, terms),
        **entries,
        "dead_letters_waiting": [_letter(letter) for letter in beside.letters],
        "email": beside.email,
        "features": beside.features,
    }
    return to_json(data)


def _document(record: UserRecord, now: datetime, terms: Terms) -> View:
    """All that the document says, in words."""
    requests = [request._asdict() for request in record.requests]
    return {**everything(record, now, terms), "requests": requests, "erased_at": record.erased_at}


def _entry(entry: LifeEntry) -> View:
    return {
        "at": entry.at,
        "published_at": entry.published_at,
        "topic": entry.topic,
        "outcome": entry.note,
        "message": entry.body,
    }


def _letter(letter: Letter) -> View:
    return {
        "arrived_at": letter.arrived_at and standard(letter.arrived_at),
        "topic": letter.topic,
        "reason": letter.reason,
        "detail": letter.detail,
        "attributes": letter.attributes,
        "payload": payload_text(letter),
    }


def email_documents(found: "Iterable[DocumentSnapshot[Any]]") -> dict[str, View]:
    """Firestore's documents by their paths."""
    return {each.reference.path: _standard(each.to_dict() or {}) for each in found}


def _standard(fields: Mapping[str, Any]) -> View:
    return {name: standard(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def waiting_letter(received: Received, topology: Topology) -> Letter:
    """The dead letter in a message, also if it is not whole."""
    try:
        return read_letter(received, topology)
    except UnreadableLetter as problem:
        topic, attributes = topology.dead_letter.topic, received.attributes
        return Letter(
            topic, "unreadable", received.data, attributes, str(problem), standard(received.publish_time)
        )
