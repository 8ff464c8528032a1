"""The event that erases a user."""

from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

import orjson

from shared.contracts.outbound.base import rfc3339
from shared.contracts.topics import Topic

TOPIC = Topic.USER_ERASURE.value
SOURCE = "upbeat-erase"


class ErasureEvent(NamedTuple):
    """An event of `user-erasure`, as the command line publishes it."""

    user_id: str
    occurred_at: datetime
    """UTC: what occurred up to it goes."""
    event_id: str

    @property
    def data(self) -> bytes:
        """The event as JSON."""
        said = self._asdict() | {"occurred_at": rfc3339(self.occurred_at), "source": SOURCE}
        return orjson.dumps(said)


def erasure_event(user_id: str, at: datetime) -> ErasureEvent:
    """A new event. Its id tells nothing about the user."""
    return ErasureEvent(user_id, at, uuid4().hex)
