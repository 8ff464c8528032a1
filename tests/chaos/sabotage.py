"""Sabotage of an instance: each breaks one part of the protocol, so that the checker must find a broken law.

Lies beside an instance's `main.py`, and changes the application's ports from outside. The environment variable
`CHAOS_SABOTAGE` names the sabotage; it is empty for none.
"""

import os
from typing import Any

from shared.application.handle_event import Application
from shared.domain.errors import Conflict
from shared.record.codec import unpack
from shared.record.user_record import UserRecord

NAME = os.environ.get("CHAOS_SABOTAGE", "")
ACKNOWLEDGES_FAILURES = NAME == "ack_of_failure"
"""True if an instance is to acknowledge deliveries that failed."""


class _Store:
    """A store that passes everything on."""

    def __init__(self, store: Any, publisher: Any) -> None:
        self.store, self.publisher = store, publisher

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class _WithoutPrecondition(_Store):
    """The last writer wins: a commit on top of another one overwrites it."""

    async def commit(self, document: Any, version: Any) -> None:
        while True:
            try:
                await self.store.commit(document, version)
            except Conflict:
                version = (await self.store.load(document.user_id))[1]
            else:
                return


class _PublishesFirst(_Store):
    """The messages go out before the commit, which may then fail, or be preceded by another one."""

    async def commit(self, document: Any, version: Any) -> None:
        record = document if isinstance(document, UserRecord) else unpack(document.blob)
        if record.pending:
            await self.publisher.publish(record.pending[-1].messages)
        await self.store.commit(document, version)


class _StaleCache(_Store):
    """A cache that is not told of other writers: an instance goes on from what it committed last."""

    def __init__(self, store: Any, publisher: Any) -> None:
        super().__init__(store, publisher)
        self.committed: dict[str, Any] = {}

    async def load(self, user_id: str) -> Any:
        stored = await self.store.load(user_id)
        content, version = stored
        return type(stored)(self.committed.get(user_id, content), version)

    async def commit(self, document: Any, version: Any) -> None:
        await self.store.commit(document, version)
        self.committed[document.user_id] = getattr(document, "blob", document)


def _ignore_pending() -> None:
    """A redelivery of an applied event does not find what its first delivery may not have published."""
    assert hasattr(UserRecord, "pending_entry")
    UserRecord.pending_entry = lambda _self, _cause: None  # type: ignore[method-assign, assignment]


STORES = {
    "no_precondition": _WithoutPrecondition,
    "publish_before_commit": _PublishesFirst,
    "stale_cache": _StaleCache,
}
SABOTAGES = (*STORES, "pending_ignored", "ack_of_failure")
"""The names of all sabotages."""


def apply() -> None:
    """Apply the sabotage that the environment names."""
    if NAME == "pending_ignored":
        _ignore_pending()
    elif NAME in STORES:
        _wrap_store(STORES[NAME])
    elif NAME and not ACKNOWLEDGES_FAILURES:
        raise ValueError(f"CHAOS_SABOTAGE: expected one of {', '.join(SABOTAGES)}, found {NAME!r}")


def _wrap_store(sabotaged: type[_Store]) -> None:
    """Put the store of every application into a sabotaged one."""
    wire = Application.__init__

    def init(self: Application, subscriptions: Any, publisher: Any, *more: Any, **named: Any) -> None:
        wire(self, sabotaged(subscriptions, publisher), publisher, *more, **named)

    Application.__init__ = init  # type: ignore[method-assign]
