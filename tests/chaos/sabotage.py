"""Sabotage of an instance: each breaks one part of the protocol, so that the checker must find a broken law.

Lies beside an instance's `main.py`, and changes the store from outside. The environment variable `CHAOS_SABOTAGE`
names the sabotage; it is empty for none.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from shared.adapters.gcp.firestore import FirestoreStore
from shared.application.handle_event import Application
from shared.domain.errors import Conflict
from shared.record.codec import unpack
from shared.record.user_record import UserRecord

NAME = os.environ.get("CHAOS_SABOTAGE", "")
ACKNOWLEDGES_FAILURES = NAME == "ack_of_failure"
"""True if an instance is to acknowledge deliveries that failed."""
Load = Callable[[Any, str], Awaitable[Any]]
Commit = Callable[[Any, Any, Any], Awaitable[None]]


def _drop_precondition(load: Load, commit: Commit) -> None:
    """The last writer wins: a commit on top of another one overwrites it."""

    async def overwrite(store: Any, document: Any, version: Any) -> None:
        while True:
            try:
                await commit(store, document, version)
            except Conflict:
                version = (await load(store, document.user_id)).version
            else:
                return

    FirestoreStore.commit = overwrite  # type: ignore[method-assign]


def _publish_first(_load: Load, commit: Commit) -> None:
    """The messages go out before the commit, which may then fail, or be preceded by another one."""
    publishers: list[Any] = []
    wire = Application.__init__

    def init(application: Application, subscriptions: Any, publisher: Any, *more: Any, **named: Any) -> None:
        publishers.append(publisher)
        wire(application, subscriptions, publisher, *more, **named)

    async def publish_and_commit(store: Any, document: Any, version: Any) -> None:
        if pending := unpack(document.blob).pending:
            await publishers[0].publish(pending[-1].messages)
        await commit(store, document, version)

    Application.__init__ = init  # type: ignore[method-assign]
    FirestoreStore.commit = publish_and_commit  # type: ignore[method-assign]


def _keep_stale_cache(load: Load, commit: Commit) -> None:
    """A cache that is not told of other writers: an instance goes on from what it committed last."""
    committed: dict[str, bytes] = {}

    async def load_from_cache(store: Any, user_id: str) -> Any:
        stored = await load(store, user_id)
        return stored._replace(blob=committed.get(user_id, stored.blob))

    async def commit_to_cache(store: Any, document: Any, version: Any) -> None:
        await commit(store, document, version)
        committed[document.user_id] = document.blob

    FirestoreStore.load = load_from_cache  # type: ignore[method-assign]
    FirestoreStore.commit = commit_to_cache  # type: ignore[method-assign]


def _ignore_pending(_load: Load, _commit: Commit) -> None:
    """A redelivery of an applied event does not find what its first delivery may not have published."""
    assert hasattr(UserRecord, "pending_entry")
    UserRecord.pending_entry = lambda _self, _cause: None  # type: ignore[method-assign, assignment]


def _nothing_else(_load: Load, _commit: Commit) -> None:
    """For a sabotage that the instance's `main.py` does itself, or for none."""


ACTIONS: dict[str, Callable[[Load, Commit], None]] = {
    "no_precondition": _drop_precondition,
    "publish_before_commit": _publish_first,
    "pending_ignored": _ignore_pending,
    "stale_cache": _keep_stale_cache,
    "ack_of_failure": _nothing_else,
    "": _nothing_else,
}
SABOTAGES = tuple(name for name in ACTIONS if name)
"""The names of all sabotages."""


def apply() -> None:
    """Apply the sabotage that the environment names. Raises `KeyError` for an unknown one."""
    ACTIONS[NAME](FirestoreStore.load, FirestoreStore.commit)
