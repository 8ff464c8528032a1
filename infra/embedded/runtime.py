"""The embedded runtime: the real functions in one process, a SQLite file, and a bus without a network."""

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
from infra.topology import Function, Topology, load
from shared import wiring
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.application.tick import Ticker
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.messages import Message, dead_letter
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.errors import Rejected
from shared.domain.terms import Terms
from shared.entrypoints.pubsub import OUTCOME
from shared.ports import Clock
from shared.wiring import Wiring

ACKS = frozenset({200, 201, 204})
REMEMBERED = 4096
"""How many users' records this process remembers (some 10 KB each), since they come round again and again."""
FUNCTIONS = Path(__file__).parents[2] / "functions"


class Push(NamedTuple):
    """One message on its way to the function that listens to its topic."""

    topic: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: datetime
    message_id: str
    """The bus's own id."""
    order: str = ""
    """Among messages of one instant, who goes first."""


class VirtualClock:
    """A clock that stands where it was put, and never goes back."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self.instant

    def move_to(self, instant: datetime) -> None:
        """Move on to an instant; one that has passed already moves nothing."""
        self.instant = max(self.instant, instant)


class EmbeddedBus:
    """Pub/Sub within the process: what a function listens to is pushed into it, what none does goes to `sink`.

    A push that is not acknowledged is tried again with backoff, as often as the topology says, and then goes to
    the dead letter with its bytes as they were, as Pub/Sub does it.
    """

    def __init__(
        self,
        topology: Topology,
        clock: Clock,
        sink: Callable[[Message], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.listeners = {function.listens: function for function in topology.functions.values()}
        self.apps: dict[str, Any] = {}
        self.clock = clock
        self.sink = sink
        self.sleep = sleep
        self.queue: deque[Push] = deque()

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Publisher.publish`."""
        for message in messages:
            if message.topic in self.listeners:
                self.queue.append(_pushed(message, self.clock.now()))
            else:
                self.sink(message)

    async def push(self, push: Push) -> str:
        """Deliver a message until it is acknowledged, and return what the function says became of it."""
        function = self.listeners[push.topic]
        body = push_body(push)
        for attempt in range(function.max_delivery_attempts):
            status, headers = await post(self._app(function), body)
            if status in ACKS:
                return headers[OUTCOME]
            await self.sleep(min(function.min_backoff_seconds * 2**attempt, function.max_backoff_seconds))
        self.sink(_given_up(push, function))
        return "dead_lettered"

    async def drain(self) -> None:
        """Deliver what the functions published to each other, those of one instant in a fixed order."""
        while self.queue:
            batch = sorted(self.queue, key=lambda push: push.order)
            self.queue.clear()
            for push in batch:
                await self.push(push)

    def _app(self, function: Function) -> Any:
        if function.name not in self.apps:
            source = FUNCTIONS / function.name / "main.py"
            self.apps[function.name] = create_asgi_app(function.name, str(source), "http")
        return self.apps[function.name]


class Embedded:
    """The whole of Upbeat in this process, on one SQLite file; installs its wiring while it is in use."""

    def __init__(
        self,
        database: Path | str,
        catalog: Catalog,
        clock: VirtualClock,
        sink: Callable[[Message], None],
        *,
        terms: Terms | None = None,
        topology: Topology | None = None,
        durable: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self.terms = terms or Terms()
        self.store = SqliteStore(database, durable=durable)
        self.agenda = Agenda(self.store)
        self.bus = EmbeddedBus(topology or load(), clock, sink, sleep)
        application = Application(self.agenda, self.bus, FixedCatalogs(catalog), clock, self.terms, REMEMBERED)
        ticker = Ticker(self.store, self.bus, clock)
        self.wiring = Wiring(application, ticker, self.bus, clock, self.terms)

    def __enter__(self) -> "Embedded":
        wiring.use(self.wiring)
        return self

    def __exit__(self, *_: object) -> None:
        wiring.use(None)
        self.store.close()

    async def push(self, push: Push) -> str:
        """Deliver one message, and what it made the functions tell each other; returns its outcome."""
        outcome = await self.bus.push(push)
        await self.bus.drain()
        return outcome

    async def tick(self, shards: Sequence[int]) -> None:
        """Let the clock look at these shards, and deliver what it finds due."""
        data = orjson.dumps({"shards": list(shards)})
        await self.push(Push(Topic.LIFECYCLE_CLOCK, data, {}, self.clock.now(), "tick"))


def _pushed(message: Message, now: datetime) -> Push:
    """A message that a function published for another."""
    order = str(message.body.get("user_id", ""))
    return Push(message.topic, message.data, message.attributes(), now, message.message_id, order)


def push_body(push: Push) -> bytes:
    """The body that Pub/Sub would push for this message."""
    message = {
        "data": b64encode(push.data).decode(),
        "attributes": push.attributes,
        "messageId": push.message_id,
        "publishTime": push.published_at,
    }
    return orjson.dumps({"message": message, "subscription": f"embedded/{push.topic}"}, option=orjson.OPT_UTC_Z)


def _given_up(push: Push, function: Function) -> Message:
    """The dead letter of a message that no attempt could deliver."""
    detail = (
        f"{function.name}: expected an acknowledgement, found none in {function.max_delivery_attempts} attempts"
    )
    return dead_letter(push.topic, Delivery(push.data, dict(push.attributes)), Rejected("undelivered", detail))
