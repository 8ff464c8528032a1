"""The embedded runtime: Upbeat in one process, with an in-memory message bus and a virtual clock.

Messages are delivered without HTTP, by the call that the functions make for each push (`deliver`).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from infra.embedded.push import Push, delivery_of, push_of, undelivered
from infra.topology import Topology, load
from shared.adapters.fixed import FixedCatalogs
from shared.application.handle_event import Application
from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import Catalog
from shared.domain.terms import Terms
from shared.entrypoints.deliver import FAILED, Delivered, deliver
from shared.ports import Catalogs, Clock, Records
from shared.wiring import Wiring


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
    """An in-process Pub/Sub: queues messages for functions, and passes all others to `sink`."""

    def __init__(self, topology: Topology, clock: Clock, sink: Callable[[Message], None]) -> None:
        self.listeners = {function.listens: function for function in topology.functions.values()}
        self.clock = clock
        self.sink = sink
        self.queue: deque[Push] = deque()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Queue messages for functions and pass all others to `sink`; see `Publisher.publish`."""
        for message in messages:
            if message.topic in self.listeners:
                self.queue.append(push_of(message, self.clock.now()))
            else:
                self.sink(message)


class EmbeddedRuntime:
    """All of Upbeat in this process, but for the clock and its function.

    A message that is not acknowledged is delivered again with back-off, up to the topology's
    `max_delivery_attempts`. Then it goes to the dead letter with its original bytes, as in Pub/Sub.
    """

    def __init__(
        self,
        records: Records,
        catalog: Catalog | Catalogs,
        clock: VirtualClock,
        sink: Callable[[Message], None],
        *,
        terms: Terms | None = None,
        topology: Topology | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self.bus = EmbeddedBus(topology or load(), clock, sink)
        terms = terms or Terms()
        catalogs = FixedCatalogs(catalog) if isinstance(catalog, Catalog) else catalog
        application = Application(records, self.bus, catalogs, clock, terms)
        self.wiring = Wiring(application, None, self.bus, clock, terms)

    async def push(self, push: Push) -> str:
        """Deliver one message and every message that functions publish to each other as a result.

        Returns the outcome of the first message.
        """
        outcome = await self._push(push)
        await self.drain()
        return outcome

    async def drain(self) -> None:
        """Deliver the messages that functions published to each other, in a deterministic order."""
        while self.bus.queue:
            batch = sorted(self.bus.queue, key=lambda push: push.order)
            self.bus.queue.clear()
            for push in batch:
                await self._push(push)

    async def _push(self, push: Push) -> str:
        """Deliver a message until it is acknowledged; `dead_lettered` if no attempt was."""
        function = self.bus.listeners[push.topic]
        for attempt in range(function.max_delivery_attempts):
            outcome, _ = await self._deliver(push)
            if outcome != FAILED:
                return outcome
            await self.sleep(min(function.min_backoff_seconds * 2**attempt, function.max_backoff_seconds))
        self.bus.sink(undelivered(push))
        return "dead_lettered"

    async def _deliver(self, push: Push) -> Delivered:
        """Deliver a message once."""
        return await deliver(self.wiring, push.topic, delivery_of(push, self.wiring.max_body_bytes))
