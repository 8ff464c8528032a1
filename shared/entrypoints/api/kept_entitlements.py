"""The entitlements that an instance answered last, for the time in which the store does not answer."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

MAX_USERS = 10_000
"""The users whose answer is kept: a few MB."""
MAX_AGE = timedelta(minutes=15)
"""The age at which an answer is no longer given: an event may have changed it since."""


class _Kept(NamedTuple):
    answer: dict[str, Any]
    read_at: datetime
    until: datetime | None


class KeptEntitlements:
    """The newest answer for each of the users who were asked about last."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, user_id: str, answer: dict[str, Any], read_at: datetime, until: datetime | None) -> None:
        """Keep an answer that was read at an instant (UTC), and that time alone may change at `until`."""
        self._answers[user_id] = _Kept(answer, read_at, until)
        self._answers.move_to_end(user_id)
        if len(self._answers) > MAX_USERS:
            self._answers.popitem(last=False)

    def answer(self, user_id: str, now: datetime) -> dict[str, Any] | None:
        """The answer that was kept; None if there is none, it is older than 15 minutes, or time has changed it."""
        kept = self._answers.get(user_id)
        if kept is None or now - kept.read_at > MAX_AGE or (kept.until and now >= kept.until):
            return None
        return kept.answer
