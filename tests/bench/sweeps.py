"""The lifecycle clock's sweep: CPU time and duration for each due user, of few users and of very many."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple
from uuid import uuid4

from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.topology import load
from shared.contracts.topics import Topic
from tests.bench.cpu import cpu_seconds
from tests.bench.report import Result, progress
from tests.simulation.clock import CLOCK, MORE_MEMORY, Told, seed

SIZES = (1_000, 10_000, 100_000)
GOAL = 1.1
TICK_SECONDS = 60.0
GIVE_UP_SECONDS = 600.0


class Swept(NamedTuple):
    """One sweep over users who are all due."""

    users: int
    seconds: float
    """From the first tick to the last user's message."""
    cpu: float
    """Seconds of CPU of the clock's processes in that time."""


def sweeping(sizes: tuple[int, ...] = SIZES, emulators: Emulators | None = None) -> list[Result]:
    """Each size against the one before it, once: the sweep of the largest takes minutes on the emulators."""
    swept = []
    for users in sizes:
        progress(f"clock: {users:,} users are due")
        swept.append(sweep(users, emulators))
    return [result for few, many in pairwise(swept) for result in _compared(many, few)]


def _compared(many: Swept, few: Swept) -> Iterator[Result]:
    for what, unit, scale, goal in (("CPU", "µs", 1e6, GOAL), ("time", "ms", 1e3, None)):
        mine, base = ((one.cpu if what == "CPU" else one.seconds) / one.users * scale for one in (many, few))
        name = f"sweep of {many.users:,} due, {what} of each"
        yield Result("clock", name, unit, [mine], f"of {few.users:,}", [base], goal)


def sweep(users: int, emulators: Emulators | None = None) -> Swept:
    """Let users fall due at once, tick, and wait for all their messages.

    Raises `RuntimeError` if some are not told within ten minutes.
    """
    table = load()
    only_the_clock = table.model_copy(update={"services": {}, "functions": {CLOCK: table.functions[CLOCK]}})
    project, env = f"bench-{uuid4().hex[:12]}", {"UPBEAT_CATALOG_SECONDS": "3600"}
    with (
        environment(_JAVA_OPTIONS=MORE_MEMORY),
        EmulatorRuntime(project, topology=only_the_clock, emulators=emulators, env=env) as up,
        environment(FIRESTORE_EMULATOR_HOST=up.endpoints.firestore_host),
    ):
        asyncio.run(seed(project, users))
        with Told(up.bus) as told:
            return _observed(up, told, users)


def _observed(up: EmulatorRuntime, told: Told, users: int) -> Swept:
    cpu, began = cpu_seconds(up.pid(CLOCK) or 0), time.monotonic()
    next_tick = began
    while len(told.users) < users:
        if time.monotonic() >= next_tick:
            up.bus.publish(Topic.LIFECYCLE_CLOCK, b"{}")
            next_tick += TICK_SECONDS
        if time.monotonic() - began > GIVE_UP_SECONDS:
            raise RuntimeError(f"the clock: expected {users} users to be told, found {len(told.users)}")
        time.sleep(0.02)
    return Swept(users, time.monotonic() - began, cpu_seconds(up.pid(CLOCK) or 0) - cpu)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables of this process; afterwards it is as it was before."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
