"""The state that is kept of each mail and of each reader, so that no trigger is mailed twice.

A mail goes from `claimed` (one delivery is at work; nothing was handed over) to `sending` (the server has accepted
the recipient, and the content may be on its way) to `sent`. After a crash, a mail that was `claimed` is taken up
again: nothing of it can have been sent. One that was `sending` is in doubt, and never sent again (ADR 0056).
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

LEASE = timedelta(minutes=3)
"""The time for which a delivery keeps others from the mail it has claimed: above a function's time limit."""
KEPT = timedelta(days=90)
"""The time after a trigger's expiry for which its mail is kept: so long do its links work."""
MAX_PLACES = 32
"""The placements of which a reader's newest sequence is kept; the oldest are forgotten."""


class State(StrEnum):
    """The progress of one mail."""

    WAITING = "waiting"
    """An attempt failed before anything was handed over: the next delivery tries again."""
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    IN_DOUBT = "in_doubt"
    """The process or the connection died while the content was handed over: sent or not, nobody knows."""
    BOUNCED = "bounced"
    """The server has refused the recipient or the content for good."""
    REVOKED = "revoked"


FINAL = frozenset({State.SENT, State.IN_DOUBT, State.BOUNCED, State.REVOKED})


class Mail(NamedTuple):
    """One mail, kept by the id of its trigger. No address and no content is kept."""

    state: State
    user_id: str
    forget_at: datetime
    """The instant (UTC) at which Firestore deletes it."""
    leased_until: datetime | None = None
    """For `claimed` and `sending`: the instant (UTC) until which one delivery works on it."""
    target: str = ""
    """The address of the offer, to which a click leads."""
    sent_at: datetime | None = None
    clicked_at: datetime | None = None
    """The first click; a report that is published again repeats it."""
    dismissed_at: datetime | None = None

    def is_leased(self, now: datetime) -> bool:
        """True while another delivery may be at work on it."""
        return self.state not in FINAL and self.leased_until is not None and now < self.leased_until


class Reader(NamedTuple):
    """The state that is kept of a user over all mails."""

    newest: tuple[tuple[str, int], ...] = ()
    """By placement, the greatest sequence of a trigger that was taken up for the user, the newest last."""
    opted_out_at: datetime | None = None

    def sequence(self, placement: str) -> int:
        """The greatest sequence taken up in a placement; 0 if there is none."""
        return dict(self.newest).get(placement, 0)

    def with_newest(self, placement: str, sequence: int) -> "Reader":
        """The reader who was given this, too."""
        others = dict(self.newest) | {placement: sequence}
        ordered = sorted(others.items(), key=lambda item: item[1])
        return self._replace(newest=tuple(ordered[-MAX_PLACES:]))
