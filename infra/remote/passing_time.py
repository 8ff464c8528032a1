"""Lets time pass on the running emulators: everything that falls due on the way happens at its time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from google.cloud.firestore import Client
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.errors import InfraError
from infra.remote.clock import RunningClock
from infra.remote.firestore import client_errors
from infra.remote.instants import standard
from infra.remote.pubsub import Bus
from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.contracts.topics import Topic

PATIENCE_SECONDS = 60.0
"""The time that the functions may take with all that is due at one instant."""
POLL_SECONDS = 0.1
TICK_AGAIN_SECONDS = 3.0
JUST_AFTER = timedelta(milliseconds=1)
"""Added to a due time, so that it has passed."""


class Passed(NamedTuple):
    """The stops on the way."""

    stops: int
    """Instants at which something was due."""


def pass_time(
    clock: RunningClock,
    client: Client,
    bus: Bus,
    until: datetime,
    progress: Callable[[datetime], None] = lambda _now: None,
) -> Passed:
    """Move the clock to an instant, with a stop wherever a user is due, until the functions are done there.

    One jump would make every moment on the way too old to be acted on. Raises `InfraError` if `until` lies in the
    past or the functions take too long.
    """
    stops = 0
    if until < clock.now():
        clock.move_to(until)  # raises
    while (due := _earliest_due(client, until)) is not None:
        if due + JUST_AFTER > clock.now():
            clock.move_to(due + JUST_AFTER)
        _wait_until_done(clock, client, bus)
        stops += 1
        progress(clock.now())
    if until > clock.now():
        clock.move_to(until)
    return Passed(stops)


@contextmanager
def applied(client: Client, user_id: str) -> Iterator[None]:
    """Wait after the block until the user's document has changed. Raises `InfraError` if it takes too long."""
    before = _changed_at(client, user_id)
    yield
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _changed_at(client, user_id) == before:
        if time.monotonic() > deadline:
            raise InfraError(
                f"the document of {user_id!r} has not changed for {PATIENCE_SECONDS:.0f} s;"
                " the log of the functions or a dead letter says why"
            )
        time.sleep(POLL_SECONDS)


def _changed_at(client: Client, user_id: str) -> datetime | None:
    document = client.collection(SUBSCRIPTIONS).document(user_document_id(user_id))
    with client_errors("read the user"):
        snapshot = document.get([], retry=None, timeout=RPC_SECONDS)
    at: datetime | None = snapshot.update_time if snapshot.exists else None
    return at


def _wait_until_done(clock: RunningClock, client: Client, bus: Bus) -> None:
    """Tick, until nobody is due at the present instant of the clock."""
    deadline, next_tick = time.monotonic() + PATIENCE_SECONDS, 0.0
    while _earliest_due(client, clock.now()) is not None:
        if time.monotonic() > deadline:
            raise InfraError(
                f"users have been due at {clock.now():%Y-%m-%dT%H:%M:%SZ} for {PATIENCE_SECONDS:.0f} s;"
                " the log of the functions says why"
            )
        if time.monotonic() >= next_tick:
            bus.publish(Topic.LIFECYCLE_CLOCK, b"{}")
            next_tick = time.monotonic() + TICK_AGAIN_SECONDS
        time.sleep(POLL_SECONDS)


def _earliest_due(client: Client, until: datetime) -> datetime | None:
    """The earliest instant up to `until` at which a user is due; None if nobody is."""
    query = (
        client.collection(SUBSCRIPTIONS)
        .where(filter=FieldFilter("next_due_at", "<=", until))
        .order_by("next_due_at")
        .select(["next_due_at"])
        .limit(1)
    )
    with client_errors("look for users who are due"):
        found = query.get(retry=None, timeout=RPC_SECONDS)
    if not found:
        return None
    return standard(found[0].get("next_due_at"))
