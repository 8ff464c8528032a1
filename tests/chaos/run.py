"""One run: events are told while faults happen; then everything comes to rest, and is observed."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any

from infra.emulator.emulators import Emulators
from infra.remote.firestore import emulator_client
from shared.contracts.topics import Topic
from tests.chaos.balancer import NO_FAULTS, Faults
from tests.chaos.faults import break_things
from tests.chaos.heard import Heard
from tests.chaos.laws import judge
from tests.chaos.observation import Document, Observation, read_documents
from tests.chaos.plan import Plan, Planner
from tests.chaos.verdict import Verdict
from tests.chaos.world import Settings, World, started

TICK_SECONDS = 2.0
"""The time between two ticks of the clock; in production, a minute."""
PATIENCE_SECONDS = 300.0
"""The longest time in which everything must have come to rest after the last fault.

A tick that never comes back keeps its shards for 4 minutes.
"""
BALANCER_FAULTS = Faults(lost=0.03, doubled=0.05, late=0.05)
ANSWERS = (("delivered", "impression"), ("delivered", "clicked"), ("impression", "dismissed"), ("accepted",))
"""The reports that consumers may give on an offer."""
Say = Callable[[str], None]


@dataclass
class Result:
    """A run, its counts, and the verdicts on the laws."""

    settings: Settings
    seen: Observation
    faults: Counter[str]
    counts: dict[str, float]
    verdicts: list[Verdict]
    seconds: float
    """The time of the whole run: start, chaos, rest and judgement."""

    @property
    def plan(self) -> Plan:
        """The messages that were published."""
        return self.seen.plan

    @property
    def broken(self) -> list[Verdict]:
        """The laws that were broken."""
        return [verdict for verdict in self.verdicts if verdict.broken]


def run(settings: Settings, emulators: Emulators, say: Say = lambda _line: None) -> Result:
    """Run the chaos, and judge it."""
    began = time.monotonic()
    one = _Run(settings, emulators, say)
    observation, world = asyncio.run(one.observe())
    say("judging")
    verdicts = judge(observation)
    counts = _counts(observation, world) | {"seconds to come to rest": round(one.rest_seconds, 1)}
    return Result(settings, observation, world.faults, counts, verdicts, time.monotonic() - began)


class _Run:
    """The tasks of one run."""

    def __init__(self, settings: Settings, emulators: Emulators, say: Say) -> None:
        self.settings = settings
        self.emulators = emulators
        self.say = say
        self.random = Random(f"{settings.seed}/times")  # noqa: S311 - the same for the same seed
        self.feedback: dict[str, dict[str, Any]] = {}
        """The events of feedback so far, by their ids."""
        self.world: World
        self.loop: asyncio.AbstractEventLoop
        self.ends_at = 0.0
        self.rest_seconds = 0.0
        """From the last fault until nothing was left and nothing due."""

    async def observe(self) -> tuple[Observation, World]:
        """Let everything happen, wait until it is over, and read what it leaves behind."""
        self.loop = asyncio.get_running_loop()
        self.say(f"starting {sum(self.settings.instances.values())} instances")
        async with started(self.settings, self.emulators, self._on_message) as self.world:
            planned = Planner(
                self.settings.seed,
                self.settings.users,
                self.settings.seconds,
                self.world.start,
                [function.listens for function in self.world.topology.functions.values()],
            )
            self.say(f"publishing {len(planned.plan.publications)} messages")
            await self._disturb(planned.plan)
            self.say("coming to rest")
            faults_ended_at = self.loop.time()
            overdue = await self._rest()
            self.rest_seconds = self.loop.time() - faults_ended_at
            observation = Observation(
                planned.plan,
                self.world.terms,
                self.world.listener.messages,
                dict(self._documents()),
                [*self.feedback.values()],
                self.world.unacknowledged(),
                overdue,
            )
        return observation, self.world

    async def _disturb(self, plan: Plan) -> None:
        """Publish everything while faults happen."""
        self.ends_at = self.loop.time() + self.settings.seconds
        self.world.balancer.faults = BALANCER_FAULTS
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._produce(plan))
            tasks.create_task(self._tick())
            tasks.create_task(break_things(self.world, self.random))
            tasks.create_task(self._report())
        self.world.balancer.faults = NO_FAULTS
        self.world.fleet.thaw()

    async def _produce(self, plan: Plan) -> None:
        began = self.ends_at - self.settings.seconds
        for one in plan.publications:
            await asyncio.sleep(max(0.0, began + one.at - self.loop.time()))
            if one.is_direct:
                self.world.deliver(one.topic, one.data)
            else:
                await self.world.publish(one.topic, one.data)

    async def _tick(self) -> None:
        while self.loop.time() < self.ends_at:
            await asyncio.sleep(TICK_SECONDS)
            await self.world.tick()

    async def _report(self) -> None:
        while (left := self.ends_at - self.loop.time()) > 0:
            faults = sum(self.world.faults.values())
            heard = sum(len(messages) for messages in self.world.listener.messages.values())
            deliveries = self.world.balancer.counts["deliveries"]
            self.say(f"{left:4.0f} s left: {deliveries} deliveries, {heard} messages heard, {faults} faults")
            await asyncio.sleep(min(left, 10.0))

    def _on_message(self, heard: Heard) -> None:
        """Let a consumer answer some offers. Called from the threads of the listener."""
        if heard.topic == Topic.UPSELL_TRIGGER and "trigger_feedback" in self.settings.instances:
            body = heard.body
            chance = Random(blake2b(body["trigger_id"].encode()).digest())  # noqa: S311
            if body["kind"] == "issued" and chance.random() < 0.4 and self.loop.time() < self.ends_at:
                self.loop.call_soon_threadsafe(self._answer, body, chance)

    def _answer(self, offer: dict[str, Any], chance: Random) -> None:
        """Report feedback on an offer, each kind as an event of its own; sometimes twice, in any order."""
        for number, kind in enumerate(chance.choice(ANSWERS)):
            event = {
                "event_id": f"{offer['trigger_id']}:{kind}",
                "user_id": offer["user_id"],
                "trigger_id": offer["trigger_id"],
                "kind": kind,
                "occurred_at": _rfc3339(datetime.now(UTC) + number * timedelta(milliseconds=1)),
            }
            if event["event_id"] in self.feedback:
                continue  # the offer was published again
            self.feedback[event["event_id"]] = event
            for _ in range(chance.choice((1, 1, 2))):
                self.world.deliver(Topic.TRIGGER_FEEDBACK, json.dumps(event).encode())

    async def _rest(self) -> list[str]:
        """Wait until everything was delivered and nothing is due. Returns who is overdue after all patience."""
        world, gives_up_at = self.world, self.loop.time() + PATIENCE_SECONDS
        await asyncio.to_thread(world.fleet.wait_until_ready)
        overdue = ["nobody was asked"]
        while self.loop.time() < gives_up_at and overdue:
            await world.tick()
            await self._wait_until_quiet(gives_up_at)
            if not world.has_clock:
                return []
            overdue = [
                f"{user}: due since {document.view['next_due_at']}"
                for user, document in self._documents()
                if document.is_overdue
            ]
        return overdue

    async def _wait_until_quiet(self, gives_up_at: float) -> None:
        """Wait until every message was acknowledged, and consumers hear nothing more."""
        world, told_at = self.world, self.loop.time()
        world.listener.wake()
        while self.loop.time() < gives_up_at:
            await asyncio.sleep(0.1)
            if self.loop.time() - told_at > 10 and (left := world.unacknowledged()):
                self.say(f"waiting for {len(left)} messages, such as {left[0][:100]}")
                told_at = self.loop.time()
            if world.listener.is_quiet():
                if not world.unacknowledged():
                    return
                world.listener.wake()

    def _documents(self) -> list[tuple[str, Document]]:
        return [*read_documents(emulator_client(self.world.endpoints), datetime.now(UTC), self.world.terms)]


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _counts(observation: Observation, world: World) -> dict[str, float]:
    """The numbers of a run."""
    counts = observation.counts
    events = len(observation.accepted) + len(observation.feedback)
    due = len(world.listener.messages[Topic.LIFECYCLE_DUE])
    return {
        "events accepted": events,
        "deliveries": world.balancer.counts["deliveries"],
        "deliveries failed": sum(n for kind, n in world.balancer.counts.items() if kind.startswith("answered")),
        "due users told": due,
        "users": len(observation.documents),
        "messages published": counts["messages"],
        "published again": counts["published_again"],
        "messages an event": round((counts["messages"] - counts["published_again"]) / max(1, events + due), 2),
    }
