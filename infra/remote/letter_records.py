"""The record of what became of dead letters: who sent or dropped which, when, why, and as what."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from google.cloud.firestore import Client, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.remote.dead_letters import Letter
from infra.remote.firestore import client_errors
from infra.remote.instants import standard
from infra.terminal.values import NO_JSON
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.domain.instants import to_micros

COLLECTION = "dead_letter_records"
"""One small document for each letter that a person has dealt with; it holds nothing of the message's content."""


class Action(StrEnum):
    """The things that a person does with a letter."""

    RESENT = "resent"
    MENDED = "mended"
    """Sent back with other data."""
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class LetterRecord:
    """The fate of one letter."""

    letter_id: str
    topic: str
    reason: str
    action: Action
    at: datetime
    """UTC."""
    by: str
    why: str
    published: str = ""
    """The id of the message that was published in its place; empty for a dropped one."""
    changed: tuple[str, ...] = ()
    """The names of the fields that were changed, without their values."""


def record_of(
    letter: Letter,
    action: Action,
    at: datetime,
    by: str,
    why: str,
    published: str = "",
    mended: bytes | None = None,
) -> LetterRecord:
    """The record of a letter that was just dealt with."""
    changed = tuple(changed_fields(letter.data, mended)) if mended is not None else ()
    return LetterRecord(letter.id, letter.topic, letter.reason, action, at, by, why, published, changed)


def changed_fields(before: bytes, after: bytes) -> Iterable[str]:
    """The fields at the top of an event that differ; nothing if what was before is no JSON object."""
    try:
        was, is_ = json.loads(before), json.loads(after)
    except NO_JSON:
        return []
    if not (isinstance(was, dict) and isinstance(is_, dict)):
        return []
    return sorted(name for name in was.keys() | is_.keys() if was.get(name) != is_.get(name))


def keep(client: Client, record: LetterRecord) -> None:
    """Store a record. Raises `InfraError` if Firestore fails."""
    name = f"{record.letter_id}.{to_micros(record.at)}"
    fields = asdict(record) | {"action": record.action.value, "changed": list(record.changed)}
    with client_errors("record what became of the letter"):
        client.collection(COLLECTION).document(name).set(fields, retry=None, timeout=RPC_SECONDS)


def records(client: Client, limit: int) -> list[LetterRecord]:
    """The newest records, the newest first. Raises `InfraError` if Firestore fails."""
    query = client.collection(COLLECTION).order_by("at", direction="DESCENDING").limit(limit)
    return _found(query)


def records_of(client: Client, letter_id: str) -> list[LetterRecord]:
    """The records of one letter, the newest first. Raises `InfraError` if Firestore fails."""
    found = _found(client.collection(COLLECTION).where(filter=FieldFilter("letter_id", "==", letter_id)))
    return sorted(found, key=lambda record: record.at, reverse=True)


def _found(query: Query) -> list[LetterRecord]:
    with client_errors("read what became of letters"):
        found = [each.to_dict() or {} for each in query.get(retry=None, timeout=RPC_SECONDS)]
    return [
        LetterRecord(
            **fields
            | {
                "action": Action(fields["action"]),
                "changed": tuple(fields["changed"]),
                "at": standard(fields["at"]),
            }
        )
        for fields in found
    ]
