"""The embedded runtime: the real functions in one process, with a SQLite file and an in-memory message bus."""

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from functions_framework.aio import create_asgi_app

from infra.embedded.agenda import Agenda
from infra.embedded.asgi import post
from infra.topology import FunctionRow, Topology, load
from shared import wiring
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.errors import Rejected
from shared.domain.terms import Terms
from shared.entrypoints.pubsub import OUTCOME_HEADER
from shared.ports import Catalogs, Clock
from shared.wiring import Wiring

ACKS = frozenset({200, 201, 204})
"""HTTP statuses that acknowledge a push."""
CACHED_RECORDS = 4096
"""Size of the record cache in users, at about 10 KB each. A history returns to the same users again and again."""
FUNCTIONS = Path(__file__).parents[2] / "functions"


class Push(NamedTuple):
    """One message to deliver to the function that subscribes to its topic."""

    topic: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: datetime
    message_id: str
    """The Pub/Sub message id, not the `message_id` of our contracts."""
    order: str = ""
    """Sort key among messages published at the same instant."""


class VirtualClock:
    """A clock that moves only when told to, and never backwards."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def now(self) -> datetime:
        """The current instant (UTC); see `Clock.now`."""
        return self.instant

    def move_to(self, instant: datetime) -> None:
        """Advance to an instant; an instant in the past leaves the clock unchanged."""
        self.instant = max(self.instant, instant)


class EmbeddedBus:
    """An in-process Pub/Sub: pushes a message to the function that subscribes to its topic.

    A message of a topic without a function goes to `sink`; any other is told to `received`, once, before it is
    pushed. A push that is not acknowledged is retried with back-off, up to the topology's `max_delivery_attempts`.
    The message then goes to the dead letter with its original bytes, as in Pub/Sub.
    """

    def __init__(
        self,
        topology: Topology,
        clock: Clock,
        sink: Callable[[Message], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        received: Callable[[Push], None] = lambda _: None,
    ) -> None:
        self.listeners = {function.listens: function for function in topology.functions.values()}
        self.apps: dict[str, Any] = {}
        self.clock = clock
        self.sink = sink
        self.sleep = sleep
        self.received = received
        self.queue: deque[Push] = deque()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Queue messages for functions and pass all others to `sink`; see `Publisher.publish`."""
        for message in messages:
            if message.topic in self.listeners:
                self.queue.append(_push_of(message, self.clock.now()))
            else:
                self.sink(message)

    async def push(self, push: Push) -> str:
        """Deliver a message until it is acknowledged, and return the outcome that the function reports.

        Returns `dead_lettered` if no attempt was acknowledged.
        """
        function = self.listeners[push.topic]
        self.received(push)
        body = push_body(push)
        for attempt in range(function.max_delivery_attempts):
            status, headers = await post(self._app(function), body)
            if status in ACKS:
                return headers[OUTCOME_HEADER]
            await self.sleep(min(function.min_backoff_seconds * 2**attempt, function.max_backoff_seconds))
        self.sink(_undelivered(push, function))
        return "dead_lettered"

    async def drain(self) -> None:
        """Deliver the messages that functions published to each other, in a deterministic order."""
        while self.queue:
            batch = sorted(self.queue, key=lambda push: push.order)
            self.queue.clear()
            for push in batch:
                await self.push(push)

    def _app(self, function: FunctionRow) -> Any:
        if function.name not in self.apps:
            source = FUNCTIONS / function.name / "main.py"
            self.apps[function.name] = create_asgi_app(function.name, str(source), "http")
        return self.apps[function.name]


class EmbeddedRuntime:
    """All of Upbeat in this process, on one SQLite file.

    A context manager: its wiring is installed on entering and removed on exit.
    """

    def __init__(  # noqa: PLR0913 - each is a setting that some caller overrides
        self,
        database: Path | str,
        catalog: Catalog | Catalogs,
        clock: VirtualClock,
        sink: Callable[[Message], None],
        *,
        terms: Terms | None = None,
        topology: Topology | None = None,
        durable: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        received: Callable[[Push], None] = lambda _: None,
    ) -> None:
        self.clock = clock
        self.terms = terms or Terms()
        self.store = SqliteStore(database, durable=durable)
        self.agenda = Agenda(self.store)
        self.bus = EmbeddedBus(topology or load(), clock, sink, sleep, received)
        catalogs = FixedCatalogs(catalog) if isinstance(catalog, Catalog) else catalog
        application = Application(self.agenda, self.bus, catalogs, clock, self.terms, CACHED_RECORDS)
        self.wiring = Wiring(application, self.store, self.bus, clock, self.terms)

    def __enter__(self) -> "EmbeddedRuntime":
        wiring.use(self.wiring)
        return self

    def __exit__(self, *_: object) -> None:
        wiring.use(None)
        self.store.close()

    async def push(self, push: Push) -> str:
        """Deliver one message and every message that functions publish to each other as a result.

        Returns the outcome of the first message.
        """
        outcome = await self.bus.push(push)
        await self.bus.drain()
        return outcome

    async def tick(self, shards: Sequence[int]) -> None:
        """Run the clock on these shards, and deliver the messages it publishes for due users."""
        data = orjson.dumps({"shards": list(shards)})
        await self.push(Push(Topic.LIFECYCLE_CLOCK, data, {}, self.clock.now(), "tick"))


def _push_of(message: Message, now: datetime) -> Push:
    """The push of a message that one function published for another; ordered by user."""
    order = str(message.body.get("user_id", ""))
    return Push(message.topic, message.data, message.attributes(), now, message.message_id, order)


def push_body(push: Push) -> bytes:
    """The JSON body of the HTTP request with which Pub/Sub would push this message."""
    message = {
        "data": b64encode(push.data).decode(),
        "attributes": push.attributes,
        "messageId": push.message_id,
        "publishTime": push.published_at,
    }
    return orjson.dumps({"message": message, "subscription": f"embedded/{push.topic}"}, option=orjson.OPT_UTC_Z)


def _undelivered(push: Push, function: FunctionRow) -> Message:
    """The dead letter of a message that was not acknowledged in any attempt."""
    detail = (
        f"{function.name}: expected an acknowledgement, found none in {function.max_delivery_attempts} attempts"
    )
    return dead_letter(push.topic, Delivery(push.data, dict(push.attributes)), Rejected("undelivered", detail))
