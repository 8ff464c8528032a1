"""The faults of a run, one after the other, some of which last while the next ones come."""

import asyncio
from collections.abc import Coroutine, Mapping
from random import Random
from typing import Any

from tests.chaos.world import World

USUAL: Mapping[str, int] = {
    "kill": 4,
    "crash": 4,
    "freeze": 3,
    "cut": 4,
    "delay": 3,
    "lose": 5,
    "silence": 2,
    "outage": 1,
    "catalog": 2,
}
"""The frequency of each kind of fault, in proportion."""
SWIFT: Mapping[str, int] = {"crash": 2, "freeze": 1, "cut": 3, "lose": 5, "catalog": 1}
"""Faults after which an instance works again at once, for a short run with very many of them."""
OUTAGES: Mapping[str, int] = {"outage": 1}
"""Only faults that make functions fail, with all that they try again."""


async def break_things(world: World, random: Random) -> None:
    """Make faults happen as the settings say, at random times; return when the last one is over."""
    settings = world.settings
    kinds = settings.faults
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + settings.seconds
    async with asyncio.TaskGroup() as tasks:
        while True:
            await asyncio.sleep(random.expovariate(1 / settings.fault_seconds))
            if loop.time() > ends_at:
                break
            kind = random.choices([*kinds], [*kinds.values()])[0]
            tasks.create_task(_fault(kind, world, random))
    world.fleet.end_crashes()


def _fault(kind: str, world: World, random: Random) -> Coroutine[Any, Any, None]:
    """A fault of a kind. Those of the network concern one of the two emulators."""
    proxy = random.choice([*world.proxies.values()])
    match kind:
        case "kill":
            return world.fleet.kill()
        case "crash":
            return world.fleet.crash()
        case "freeze":
            return world.fleet.freeze(random.uniform(0.2, 3.0))
        case "cut":
            return proxy.cut()
        case "delay":
            return proxy.delay(random.uniform(0.05, 1.0))
        case "lose":
            return proxy.lose_answers(random.uniform(0.05, 0.5))
        case "silence":
            return proxy.fall_silent(random.uniform(0.5, 4.0))
        case "outage":
            return proxy.go_away(random.uniform(1.0, 4.0))
        case "catalog":
            return world.change_catalog()
        case _:
            raise ValueError(f"expected a kind of fault, found {kind!r}")
