"""The answers about a user's access: the state now, and until when the entitlement surely holds."""

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from shared.domain.deadlines import next_deadline
from shared.domain.terms import Terms
from shared.queries.user_view import View, summary
from shared.record.user_record import UserRecord


class Entitlement(NamedTuple):
    """A user's access at an instant, and the time for which the answer may be kept."""

    entitled: bool
    status: str
    plan: str | None
    until: datetime | None
    """The next instant (UTC) at which time alone may change the answer; None if it changes nothing more.

    An event may change it earlier.
    """
    sequence: int
    """The sequence number of the last message about the user: 0 before the first."""

    @property
    def tag(self) -> str:
        """The same for equal answers, and another one for others: an entity tag without its quotes.

        The sequence alone would not do: time changes an answer, and so do some events that nothing announces.
        """
        digest = blake2b(repr(self[:-1]).encode(), digest_size=6).hexdigest()
        return f"{self.sequence}-{digest}"


def entitlement(record: UserRecord, now: datetime, terms: Terms) -> Entitlement:
    """The user's entitlement at `now` (UTC). One who is unknown has none."""
    account, _ = record.history.at(now, terms)
    ahead = (at for sub in account.subscriptions if (at := next_deadline(sub, terms)) and at > now)
    best = account.best
    return Entitlement(best.entitled, best.status.value, best.plan, min(ahead, default=None), record.sequence)


def subscription(record: UserRecord, now: datetime, terms: Terms, *, every: bool = False) -> View:
    """The user's state at `now` (UTC), derived from the document; `every` adds all subscriptions."""
    view = summary(record, now, terms)
    if not every:
        view.pop("subscriptions", None)
    elif "subscriptions" not in view:
        known = {name: value for name, value in view.items() if name not in {"user_id", "trial_used"}}
        view["subscriptions"] = [known] if record.history.head.subscriptions else []
    return {**view, "sequence": record.sequence, "as_of": now}
