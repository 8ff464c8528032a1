"""A sweep: every user within its scope is processed again, each by one `lifecycle-due` message with a fixed id."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import uuid4

from shared.contracts.outbound.base import rfc3339
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.events import cause_of

PAGE_SIZE = 500
"""The most users of a page: what one publish request takes, half of Pub/Sub's limit."""
MAX_CAMPAIGNS = 30
"""The most campaigns of one scope: what one Firestore query can ask an array for.

https://firebase.google.com/docs/firestore/query-data/queries#limitations
"""


class Scope(NamedTuple):
    """The users of a sweep."""

    campaigns: tuple[str, ...] = ()
    """The campaigns of which a user has an open trigger, one of them at least; empty for any user."""
    only_open: bool = False
    """True to leave out the users of whom it is known that they have no open trigger."""

    @property
    def key(self) -> str:
        """The name under which the position is saved: the same for the same scope."""
        if self.campaigns:
            return f"recall-{cause_of(*self.campaigns)}"
        return "recall-all" if self.only_open else "sweep"


class Sweep(NamedTuple):
    """The state of a sweep, which outlives the process."""

    id: str
    """The id of this run. Message ids are made of it, so that a message published twice has one id."""
    number: int
    """The least number of the catalog by which users are to be processed."""
    began_at: datetime
    """The instant (UTC) that all messages bear as `occurred_at`."""
    after: str = ""
    """The last user of the last page that was published; empty before the first page."""
    published: int = 0
    """The number of messages published so far."""
    finished: bool = False

    def message(self, user_id: str) -> Message:
        """The message about a user, always the same for one sweep."""
        event_id = cause_of(Topic.LIFECYCLE_DUE, self.id, user_id)
        body = {
            "event_id": event_id,
            "user_id": user_id,
            "occurred_at": rfc3339(self.began_at),
            "catalog_number": self.number,
        }
        return Message(Topic.LIFECYCLE_DUE, event_id, body)


class Page(NamedTuple):
    """One page of users, in the order of their documents' names."""

    users: tuple[str, ...]
    last: str | None
    """The last user that was looked at, within the scope or not; None if no user follows."""


class Target(Protocol):
    """An Upbeat whose users are swept. Every method raises `InfraError` if it does not answer."""

    def count(self, scope: Scope, after: str) -> int | None:
        """The number of users that follow `after`, for the progress: some of them may be outside of the scope.

        None if there are too many to count.
        """
        ...

    def page(self, scope: Scope, after: str, limit: int) -> Page:
        """The users of a scope among the next `limit` that follow `after` (empty: from the first one)."""
        ...

    def load(self, key: str) -> Sweep | None:
        """The sweep saved under a key, finished or not; None if there was none."""
        ...

    def save(self, key: str, sweep: Sweep) -> None:
        """Save a sweep under a key, in place of the one before."""
        ...

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish messages, and return when all of them are accepted."""
        ...


def resumed_or_new(target: Target, scope: Scope, number: int, now: datetime) -> Sweep:
    """The unfinished sweep of the same scope, if the same catalog is in force as when it began, else a new one.

    Another catalog may have let campaigns offer something again to users whom the sweep had passed.
    """
    saved = target.load(scope.key)
    if saved and not saved.finished and saved.number == number:
        return saved
    return Sweep(uuid4().hex[:16], number, now)


def carry_out(
    sweep: Sweep,
    scope: Scope,
    target: Target,
    *,
    page_size: int = PAGE_SIZE,
    pause: Callable[[int], None] = lambda _: None,
    progress: Callable[[float], None] = lambda _: None,
) -> Sweep:
    """Publish a message for every user of the scope who follows the sweep's position, and return the end state.

    The position is saved after each page: after a crash, one page at most is published again, with the same ids.
    `pause` is called with the number of messages of each page, `progress` with the share of users done.
    """
    seen, total = 0, target.count(scope, sweep.after)
    target.save(scope.key, sweep)
    while (page := target.page(scope, sweep.after, page_size)).last is not None:
        target.publish([sweep.message(user_id) for user_id in page.users])
        sweep = sweep._replace(after=page.last, published=sweep.published + len(page.users))
        target.save(scope.key, sweep)
        seen += page_size
        if total:
            progress(min(1.0, seen / total))
        pause(len(page.users))
    sweep = sweep._replace(finished=True)
    target.save(scope.key, sweep)
    return sweep
