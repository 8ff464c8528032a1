"""The slow way of a replay, to which the fast one is compared: real function apps, HTTP requests and documents.

All users live at once, on one clock. Each message is pushed into the app of its function as Pub/Sub pushes it,
every commit writes SQLite, the function of the clock finds who is due, and every file is written in the order in
which things happen.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from functions_framework.aio import create_asgi_app

from infra.embedded.push import Push, push_body
from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
from infra.raw.line import Landed, subscription_name, to_line
from infra.replay import published_catalogs
from infra.replay.history_file import CLOCK_START, read
from infra.replay.journal import FILES, PROJECT, RAW_FILES, SUBSCRIPTIONS
from infra.replay.part import PartTask
from infra.replay.stores import STORE, merge_stores
from infra.replay.world import CatalogHistory, World
from infra.topology import load
from shared import wiring
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.due_shards import due_shard
from shared.domain.errors import Rejected
from shared.domain.instants import from_micros, to_micros
from shared.entrypoints.deliver import Delivered
from shared.entrypoints.pubsub import OUTCOME_HEADER
from shared.queries.user_view import summary
from shared.record.codec import unpack
from tests.support.asgi import FUNCTIONS, post
from tests.support.topologies import with_each_function

DUE_NEXT = """
select next_due_at, user_id from subscriptions where next_due_at = (select min(next_due_at) from subscriptions)
"""
ATTEMPTS = 5
"""Few, because what fails on a virtual clock fails again."""


def replay_through_functions(task: PartTask, out: Path) -> tuple[Counter[str], datetime]:
    """Write into `out` what a replay of the task's events writes; the lines by outcome, and the clock's end."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / STORE
        with closing(SqliteStore(file, durable=False)) as store, _Replay(task, out, store) as replay:
            asyncio.run(replay.run())
        wiring.use(None)
        merge_stores([file], out / STORE)
    ended_at = replay.clock.now()
    published_catalogs.land(out, task.events, task.catalog, ended_at)
    return replay.outcomes, ended_at


class ClockedCatalogs:
    """Implements `Catalogs`: the catalog in force at the clock's present."""

    def __init__(self, history: CatalogHistory, clock: VirtualClock) -> None:
        self.history, self.clock = history, clock

    async def current(self, _at_least: int = 0) -> Catalog:
        return self.history.at(self.clock.now())


class FunctionsRuntime(EmbeddedRuntime):
    """Every message is an HTTP request to the app of its function, and is told to `received` once."""

    def __init__(
        self,
        store: SqliteStore,
        world: World,
        clock: VirtualClock,
        sink: Callable[[Message], None],
        received: Callable[[Push], None],
    ) -> None:
        super().__init__(
            *(PackedRecords(store, world.terms), ClockedCatalogs(world.catalogs, clock), clock, sink),
            terms=world.terms,
            topology=with_each_function(load(), max_delivery_attempts=ATTEMPTS),
            sleep=_no_sleep,
        )
        self.received = received
        self.wiring = replace(self.wiring, due_users=store)
        wiring.use(self.wiring)

    async def _push(self, push: Push) -> str:
        self.received(push)
        return await super()._push(push)

    async def _deliver(self, push: Push) -> Delivered:
        app = self.apps[self.bus.listeners[push.topic].name]
        status, headers = await post(app, push_body(push))
        return Delivered(headers[OUTCOME_HEADER], None if status == 204 else "failed")

    @cached_property
    def apps(self) -> dict[str, Any]:
        names = (function.name for function in self.bus.listeners.values())
        return {name: create_asgi_app(name, str(FUNCTIONS / name / "main.py"), "http") for name in names}


class _Replay(ExitStack):
    """A replay under way; a context manager that closes its files."""

    def __init__(self, task: PartTask, out: Path, store: SqliteStore) -> None:
        super().__init__()
        self.task, self.store = task, store
        self.world = task.world()
        self.clock = VirtualClock(CLOCK_START)
        self.line: int | None = None
        """The line that is being delivered; None while due users are processed."""
        self.outcomes = Counter[str]()
        self.files = {}
        for name in (*FILES.values(), *RAW_FILES.values(), SUBSCRIPTIONS):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            self.files[name] = self.enter_context((out / name).open("wb"))
        self.runtime = FunctionsRuntime(store, self.world, self.clock, self.write, self.receive)
        self.last_tick: datetime | None = None

    async def run(self) -> None:
        """Deliver every line at its time, and process due users in between."""
        for line in read(self.task.events):
            arriving = line.arriving()
            await self.pass_time(arriving.at, is_end=False)
            self.line = arriving.number
            if refused := arriving.refused:
                delivery = Delivery(arriving.push.data, dict(arriving.push.attributes))
                self.write(dead_letter(arriving.push.topic, delivery, Rejected(*refused)))
                self.outcomes["dead_lettered"] += 1
            else:
                self.outcomes[await self.runtime.push(arriving.push)] += 1
            self.line = None
        end = self.clock.now()
        await self.pass_time(max(end, self.task.now or end), is_end=True)
        for _, blob in self.store.blobs():
            view = summary(unpack(blob), self.clock.now(), self.world.terms)
            line = orjson.dumps(view, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
            self.files[SUBSCRIPTIONS].write(line)

    async def pass_time(self, until: datetime, *, is_end: bool) -> None:
        """Have the clock's function find who is due, at each due time before an instant or up to the end."""
        while due := self.store.connection.execute(DUE_NEXT).fetchall():
            at = from_micros(due[0][0])
            if not (at < until or (is_end and at == until)):
                break
            self.clock.move_to(at)
            data = orjson.dumps({"shards": sorted({due_shard(user_id) for _, user_id in due})})
            await self.runtime.push(Push(Topic.LIFECYCLE_CLOCK, data, {}, at, f"tick at {at}"))
        self.clock.move_to(until)

    def write(self, message: Message) -> None:
        """Write a published message, and land it."""
        self.land(message.topic, message.message_id, message.attributes(), message.data)
        if message.topic == Topic.DEAD_LETTER and self.line:
            message = replace(message, body=message.body | {"line": self.line})
        self.files[FILES[message.topic]].write(message.data + b"\n")

    def receive(self, push: Push) -> None:
        """Land a message that a function receives; of a tick, what the scheduler would have published."""
        if push.topic != Topic.LIFECYCLE_CLOCK:
            self.land(push.topic, push.message_id, push.attributes, push.data)
        elif self.last_tick != self.clock.now():
            self.last_tick = self.clock.now()
            self.land(push.topic, f"tick-{to_micros(self.last_tick)}", {}, b"{}")

    def land(self, topic: str, message_id: str, attributes: Any, data: bytes) -> None:
        landed = Landed(subscription_name(PROJECT, topic), message_id, self.clock.now(), attributes, data)
        self.files[RAW_FILES[topic]].write(to_line(landed))


async def _no_sleep(_seconds: float) -> None:
    """Return at once: the virtual clock stands still."""
