"""The messages that an erasure takes: those about one user, of what occurred up to an instant."""

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from infra.raw.line import Landed, UnreadableLine, from_line
from infra.whole_file import remove_lines
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.inbound.fields import utc
from shared.contracts.outbound.dead_letter import SOURCE_SUBSCRIPTION
from shared.contracts.topics import Topic
from shared.domain.terms import Terms
from shared.queries.life_letters import event_in, held_by
from shared.queries.past_log import ABOUT_USER, json_object
from shared.record.user_record import UserRecord

CLOCK_SKEW = Terms().clock_skew
"""The time by which an event may be ahead of its publication and still be accepted, unless a setting says more."""
_DATA = re.compile(rb'"data":"([A-Za-z0-9+/]*)')
"""The beginning of the data in a line that is torn."""


class Erased(NamedTuple):
    """One user, and the instant (UTC) up to which what occurred goes."""

    user_id: str
    at: datetime
    decided_until: datetime
    """The instant (UTC) of the last decision whose messages go: until then the erasure was not processed."""
    lives: bool = False
    """True if the user has come back: then what has no time of its own stays."""

    @classmethod
    def whole(cls, user_id: str, at: datetime) -> Self:
        """A user who is to be erased now."""
        return cls(user_id, at, at)

    @classmethod
    def of(cls, record: UserRecord, at: datetime, now: datetime) -> Self:
        """The user of a record that was erased at an instant and read `now` (UTC).

        Where nothing lives, all that was decided by now is of before. Of one who has come back, nothing tells that
        but the time of the erasure.
        """
        if record.is_tombstone:
            return cls(record.user_id, at, max(at, now))
        return cls(record.user_id, at, at, lives=True)

    @property
    def quoted(self) -> bytes:
        """The user's id as JSON."""
        return orjson.dumps(self.user_id)

    def covers(self, topic: str, delivery: Delivery, published_at: datetime | None = None) -> bool:
        """True for a message about the user that tells of the time up to the instant.

        It is about the user whom it names, or its attributes. One that names none is about the user if it holds
        the id in quotes. Without a time of its own, or with one too far ahead to be accepted, it counts as of when
        it was published; if that is not known, as old.
        """
        if topic == Topic.CATALOG_PUBLISHED:
            return False
        if topic in ABOUT_USER:
            message = json_object(delivery.data)
            decided_at = _instant(message.get("decided_at")) or published_at
            return message.get("user_id") == self.user_id and _is_by(self.decided_until, decided_at)
        if published_at is None and topic == Topic.DEAD_LETTER:
            published_at = _instant(json_object(delivery.data).get("publish_time"))
        event = _event_of(topic, delivery)
        content = event_in(event)
        return self._is_named(content, event) and self._is_old_event(content, published_at)

    def covers_line(self, topic: str, line: bytes) -> bool:
        """The same for a line of the raw log. One that cannot be read goes if what is legible names the user."""
        try:
            landed = from_line(line)
        except UnreadableLine:
            return self.quoted in line or self.quoted in _legible(line)
        return self.covers_landed(topic, landed)

    def covers_landed(self, topic: str, landed: Landed) -> bool:
        """The same for a message as it lands."""
        delivery = Delivery(landed.data, dict(landed.attributes), landed.message_id)
        return self.covers(topic, delivery, landed.publish_time)

    def _is_named(self, content: Mapping[str, Any], event: Delivery) -> bool:
        named = content.get("user_id")
        if not isinstance(named, str | int):
            named = event.attributes.get("user_id")
        return self.quoted in event.data if named is None else str(named) == self.user_id

    def _is_old_event(self, content: Mapping[str, Any], published_at: datetime | None) -> bool:
        at = _instant(content.get("occurred_at"))
        if at is None or (published_at is not None and at > published_at + CLOCK_SKEW):
            at = published_at
        return _is_by(self.at, at)


def remove_from_log(folder: Path, erased: Erased, *, dry: bool = False) -> int:
    """Remove a user's lines from a raw log, file by file, and return their number. Raises `OSError`."""
    return sum(
        remove_lines(file, partial(erased.covers_line, file.stem), dry=dry)
        for file in sorted(folder.glob("*.jsonl"))
    )


def _is_by(end: datetime, at: datetime | None) -> bool:
    return at is None or at <= end


def _instant(told: object) -> datetime | None:
    try:
        return utc(str(told))
    except ValueError:
        return None


def _event_of(topic: str, delivery: Delivery) -> Delivery:
    """The delivery of an event; of a function's dead letter the one that it holds, if it is whole."""
    if topic != Topic.DEAD_LETTER or SOURCE_SUBSCRIPTION in delivery.attributes:
        return delivery
    held = held_by(json_object(delivery.data))
    return held if held.data else delivery


def _legible(line: bytes) -> bytes:
    """The beginning of the data in a torn line."""
    found = _DATA.search(line)
    text = found[1] if found else b""
    return b64decode(text[: len(text) // 4 * 4])
