"""The one log line of each delivery and of each call of the API.

Log-based metrics, alerts and the dashboard use its field names.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any, TypedDict


class EventFields(TypedDict, total=False):
    """The fields beside severity, message and trace; a field that does not apply is left out."""

    topic: str
    method: str
    """The method of the API; its line has no topic."""
    outcome: str
    """`applied`, `duplicate`, `late`, `ignored`, `ticked`, `dead_lettered` or `failed`; of a call `answered`,
    `refused` or `failed`."""
    reason: str
    """The rejection reason of a dead letter; `transient` or `unexpected_error` of a failure; `sandbox` or `erased`
    of what was ignored; of a call, the reason of its problem."""
    status_before: str
    """The status that was announced last before this event."""
    status_after: str
    trigger_ids: list[str]
    """The triggers that the published messages issued or revoked."""
    delivery_attempt: int
    """1 for the first delivery; known only if the subscription has a dead-letter policy."""
    latency_ms: float
    """Milliseconds from the message's publication to the answer."""
    duration_ms: float
    """Milliseconds from the request to the answer."""
    cold_start: bool
    """True for the first delivery that the process handles."""
    user_hash: str
    """A keyed hash of the user id; left out if no key is configured."""
    waiting_verdicts: int
    """The user's refunds, disputes and extensions whose payment is not known, if this event added one."""
    features_failure: str
    """The reason why the user's features could not be read, if the catalog asks for features."""
    message_id: str
    """Pub/Sub's id of the message, if there are `dropped_attributes` or `unknown_fields`."""
    dropped_attributes: list[str]
    """The ill-formed attributes of the event: each with its name and what was expected and found, but no value."""
    unknown_fields: list[str]
    """The ignored fields of the event that most likely mean another: each with the name of the other."""
    data: str
    """The message's data as text: on the emulators alone (`UPBEAT_LOG_CONTENT`), since it is personal data."""
    published: list[dict[str, Any]]
    """The changes and triggers that came of the event, under the same condition."""
    due_users: int
    """Users for whom a tick published a message."""
    left: int
    """Shards that a tick had no time to finish, and passed on to the next tick."""


FIELDS = tuple(EventFields.__annotations__)


class ColdStart:
    """Tells the first delivery of a process from all others."""

    def __init__(self) -> None:
        self._is_next = True

    def take(self) -> bool:
        """True once, at the first call."""
        first, self._is_next = self._is_next, False
        return first


def hash_user(user_id: str, key: str) -> str:
    """A pseudonym for a user: 16 hex digits. Without the key, guessing ids and comparing hashes finds nobody.

    Keyed BLAKE2 takes at most 64 bytes of key: https://docs.python.org/3/library/hashlib.html#keyed-hashing.
    """
    return blake2b(user_id.encode(), digest_size=8, key=key.encode()[:64]).hexdigest()


def timing_fields(published: str | None, received_at: datetime, answered_at: datetime) -> EventFields:
    """The duration of a delivery, and its latency since publication if the publish time (RFC 3339) can be read."""
    fields: EventFields = {"duration_ms": _milliseconds(received_at, answered_at)}
    if published_at := _parsed(published):
        fields["latency_ms"] = _milliseconds(published_at, answered_at)
    return fields


def _milliseconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() * 1000, 3)


def _parsed(time: str | None) -> datetime | None:
    """The instant of an RFC 3339 time with offset; None for anything else."""
    try:
        instant = datetime.fromisoformat(time) if time else None
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None
