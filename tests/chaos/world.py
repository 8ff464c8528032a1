"""The world of a run: emulators behind faulty proxies, instances behind a balancer, and all who listen."""

import asyncio
import json
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import Subscription

from infra.emulator import topics
from infra.emulator.emulators import Emulators
from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from infra.remote.pubsub import LISTEN_SUFFIX, Bus
from infra.topology import Topology, load
from shared.contracts.topics import Topic
from shared.domain.terms import Terms
from shared.settings import read_terms
from tests.chaos.balancer import Balancer
from tests.chaos.catalogs import FIRST, SECOND
from tests.chaos.fleet import Fleet
from tests.chaos.heard import Heard, Listener, Source
from tests.chaos.lives import DAY, GRACE, HOLD, PENDING
from tests.chaos.proxy import FaultyProxy

TERMS = {
    "UPBEAT_GRACE_DAYS": str(GRACE / DAY),
    "UPBEAT_HOLD_DAYS": str(HOLD / DAY),
    "UPBEAT_PENDING_HOURS": str(PENDING / 3600),
}
"""Terms so short that what they bring falls due during a run."""
ENVIRONMENT = {**TERMS, "UPBEAT_CATALOG_SECONDS": "2"}
PROBE_SUFFIX = "-probe"
"""Added to an inbound topic's name, gives the subscription that tells the harness what was published on it."""
PUBLISH_ATTEMPTS = 10
LONGEST_REDELIVERY = 1.0
"""The longest wait in seconds before the harness delivers again what was not acknowledged."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The parts of a run."""

    seconds: float
    """The time during which events are published and faults happen."""
    seed: int
    instances: dict[str, int]
    """The number of instances of each function that runs."""
    users: int
    faults: Mapping[str, int]
    """The kinds of faults, each with its share."""
    fault_seconds: float
    """The mean time between two faults."""
    sabotage: str = ""
    """The name of the sabotage of every instance; empty for none."""

    @property
    def topology(self) -> Topology:
        """The table, with the functions that run."""
        table = load()
        return table.model_copy(
            update={"services": {}, "functions": {name: table.functions[name] for name in self.instances}}
        )


@dataclass
class World:
    """Everything that a run works with."""

    settings: Settings
    endpoints: Endpoints
    """The emulators themselves, without faults: for whoever observes."""
    bus: Bus
    topology: Topology
    proxies: dict[str, FaultyProxy]
    balancer: Balancer
    fleet: Fleet
    listener: Listener
    terms: Terms
    start: datetime
    _delivering: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: "count[int]" = field(default_factory=count)
    _catalogs: int = 0

    async def publish(self, topic: str, data: bytes) -> None:
        """Publish to the emulator, which pushes it to the balancer; again if it takes too long to answer."""
        for _ in range(PUBLISH_ATTEMPTS):
            with suppress(InfraError):
                await asyncio.to_thread(self.bus.publish, topic, data)
                return
        raise InfraError(f"the emulator took none of {PUBLISH_ATTEMPTS} publications to {topic}")

    def deliver(self, topic: str, data: bytes) -> None:
        """Deliver a message as Pub/Sub would, at once and again until it is acknowledged."""
        task = asyncio.create_task(self._deliver(topic, data, f"direct-{next(self._numbers)}"))
        self._delivering.add(task)
        task.add_done_callback(self._delivering.discard)

    async def _deliver(self, topic: str, data: bytes, message_id: str) -> None:
        function = topic.replace("-", "_")
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        message = {"data": b64encode(data).decode(), "messageId": message_id, "publishTime": now}
        body = json.dumps({"message": message, "subscription": f"direct/{topic}"}).encode()
        wait = Random(message_id)  # noqa: S311
        while True:
            status = await self.balancer.deliver(function, body)
            if status is not None and 200 <= status < 300:
                return
            await asyncio.sleep(wait.uniform(0.1, LONGEST_REDELIVERY))

    @property
    def has_clock(self) -> bool:
        """True if the clock runs, which finds what is due."""
        return "lifecycle_clock" in self.topology.functions

    async def tick(self) -> None:
        """Publish what Cloud Scheduler publishes every minute."""
        if self.has_clock:
            await self.publish(Topic.LIFECYCLE_CLOCK, b"{}")

    async def change_catalog(self) -> None:
        """Put the other catalog in force."""
        self._catalogs += 1
        catalog = (FIRST, SECOND)[self._catalogs % 2]
        with suppress(InfraError):  # on a busy machine
            await asyncio.to_thread(publish_catalog, emulator_client(self.endpoints), catalog)

    def unacknowledged(self) -> list[str]:
        """The messages to functions that were published or are being delivered, and were not acknowledged."""
        inbound = [function.listens for function in self.topology.functions.values()]
        published = [heard for topic in inbound for heard in self.listener.messages[topic]]
        left = [one for one in published if one.bus_id not in self.balancer.acknowledged]
        waiting = [f"{len(self._delivering)} deliveries of the harness"] if self._delivering else []
        return [f"{one.topic} {one.bus_id}: {one.data[:200]!r}" for one in left] + waiting

    @property
    def faults(self) -> Counter[str]:
        """All faults so far, by kind."""
        found = Counter(self.fleet.faults)
        for name, proxy in self.proxies.items():
            found += Counter({f"{name}: {kind}": number for kind, number in proxy.faults.items()})
        named = ("deliveries overtaken", "deliveries doubled", "acknowledgements lost")
        return found + Counter({kind: self.balancer.counts[kind] for kind in named})


@asynccontextmanager
async def started(
    settings: Settings, emulators: Emulators, on_message: Callable[[Heard], None]
) -> AsyncIterator[World]:
    """A world in which everything runs, and nothing has happened yet."""
    random = Random(f"{settings.seed}/faults")  # noqa: S311 - the same faults for the same seed
    async with AsyncExitStack() as stack:
        endpoints = emulators.endpoints(f"chaos-{uuid4().hex[:12]}")
        bus = Bus.of_emulator(endpoints)
        stack.callback(bus.close)
        proxies = {
            "Firestore": FaultyProxy(endpoints.firestore_host, random),
            "Pub/Sub": FaultyProxy(endpoints.pubsub_host, random),
        }
        for proxy in proxies.values():
            await proxy.start()
            stack.push_async_callback(proxy.stop)
        through = Endpoints(endpoints.project, proxies["Pub/Sub"].address, proxies["Firestore"].address)
        topology = settings.topology
        topics.create_topics(bus, load())
        sources = _subscribe(bus, topology)
        publish_catalog(emulator_client(endpoints), FIRST)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="chaos-")))
        env = {**through.env, **ENVIRONMENT}
        fleet = Fleet(settings.instances, folder, env, random, settings.sabotage)
        stack.callback(fleet.stop)
        await asyncio.to_thread(fleet.start)
        balancer = Balancer(fleet.ports, random)
        url = await balancer.start()
        stack.push_async_callback(balancer.stop)
        _connect(bus, topology, url)
        stack.callback(topics.disconnect_functions, bus, topology)
        listener = stack.enter_context(Listener(bus, sources, on_message))
        terms = read_terms(TERMS)
        now = datetime.now(UTC)
        yield World(settings, endpoints, bus, topology, proxies, balancer, fleet, listener, terms, now)


def _subscribe(bus: Bus, topology: Topology) -> list[Source]:
    """Subscribe to every topic: to the outgoing ones as a consumer, to the inbound ones as a probe."""
    sources = [Source(topic, topic + LISTEN_SUFFIX) for topic in load().topics_out]
    for function in topology.functions.values():
        name = function.listens + PROBE_SUFFIX
        bus.create_subscription(
            Subscription(name=bus.subscription_path(name), topic=bus.topic_path(function.listens))
        )
        sources.append(Source(function.listens, name))
    return sources


def _connect(bus: Bus, topology: Topology, url: str) -> None:
    """Have every function pushed to through the balancer, and again a second after a failure.

    With any retry policy, the Pub/Sub emulator would wait for 3 seconds.
    """
    topics.connect_functions(bus, topology, {name: f"{url}/{name}" for name in topology.functions})
    for function in topology.functions.values():
        subscription = Subscription(name=bus.subscription_path(function.subscription))
        bus.subscriber.update_subscription(
            subscription=subscription, update_mask=FieldMask(paths=["retry_policy"])
        )
