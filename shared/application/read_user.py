"""The use case of an app that reads a user's state, perhaps before the event it has just caused has arrived."""

import asyncio
from datetime import datetime
from typing import NamedTuple

from shared.application.handle_event import Application
from shared.record.user_record import UserRecord

WAIT_SECONDS = 2.0
"""The longest wait for a state that is as new as asked for."""
POLL_SECONDS = 0.1


class Freshness(NamedTuple):
    """The least that a read must already know."""

    min_sequence: int = 0
    """A message of this sequence number has been told; 0: any state will do."""
    event_id: str | None = None
    """An event of this id is among the user's recent ones, whatever its topic and source."""

    def is_met_by(self, record: UserRecord) -> bool:
        """True if a record is as new."""
        if record.sequence < self.min_sequence:
            return False
        return self.event_id is None or record.history.holds(self.event_id)


ANY_AGE = Freshness()


class UserRead(NamedTuple):
    """A user's record as read now."""

    record: UserRecord
    now: datetime
    """The instant for which it is read (UTC): no user's time goes back."""
    stale: bool
    """True if it is still older than asked for."""


async def read_user(application: Application, user_id: str, wanted: Freshness = ANY_AGE) -> UserRead:
    """Read a user's record, and again for up to 2 s until it is as new as wanted.

    A user without a document has an empty record. Raises `Transient` if the store does not answer.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_SECONDS
    while True:
        record, _ = await application.records.load(user_id)
        is_new = wanted.is_met_by(record)
        if is_new or loop.time() + POLL_SECONDS > deadline:
            now = application.clock.now()
            return UserRead(record, max(now, record.as_of or now), not is_new)
        await asyncio.sleep(POLL_SECONDS)
