"""A mass renewal on the emulators: everybody falls due at once, and the clock is killed while it tells them.

`python -m tests.simulation.clock 1000 10000 100000` runs it at full size; tests/simulation/test_clock.py runs a
small one. The function is the packaged one under the functions framework, with pushes from the Pub/Sub emulator.
Nobody processes its messages, so that all users stay due: whoever is told twice was told twice by the clock.
"""

import argparse
import asyncio
import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple, Self
from uuid import uuid4

from google.cloud.firestore import AsyncClient

from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.remote.pubsub import LISTEN_SUFFIX, Bus
from infra.topology import load
from shared.adapters.clock import SystemClock
from shared.adapters.gcp.paths import SUBSCRIPTIONS
from shared.application.shard_sweep import PAGE_SIZE
from shared.application.tick import SHARDS_AT_ONCE
from shared.contracts.topics import Topic
from shared.domain.due_shards import due_shard
from tests.support.topologies import with_each_function
from tests.support.watching import descendants

CLOCK = "lifecycle_clock"
BATCH = 500
"""The most writes that Firestore takes in one request."""
MORE_MEMORY = "-Xmx3g"
"""What the Firestore emulator needs to hold 100,000 documents."""
GIVE_UP_SECONDS = 1800.0


def user_id_of(number: int) -> str:
    """The id of one of the users, who are numbered from 0."""
    return f"user-{number}"


class Outcome(NamedTuple):
    """What became of the users of one run."""

    users: int
    kills: int
    missed: int
    doubled: int
    """Messages beyond the first one of each user."""
    seconds: float
    """From the first tick to the last user's message."""
    peak_mib: float
    """The most memory that the function's processes used together, with what they share counted in each."""

    @property
    def doubled_at_most(self) -> int:
        """The messages that the kills can repeat: a page of each shard that was swept at once."""
        in_shards = Counter(due_shard(user_id_of(number)) for number in range(self.users))
        pages = [min(count, PAGE_SIZE) for _, count in in_shards.most_common(SHARDS_AT_ONCE)]
        return self.kills * sum(pages)


class Watching:
    """Work that a thread of its own does until the end of a block; `_stopping` is set at that end."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        raise NotImplementedError


class Told(Watching):
    """The messages to due users, read from their topic."""

    def __init__(self, bus: Bus) -> None:
        super().__init__()
        self.messages: Counter[str] = Counter()
        """Deliveries by the id that Pub/Sub gave the message, each with one user."""
        self.users: Counter[str] = Counter()
        self._bus = bus

    def _run(self) -> None:
        subscription = Topic.LIFECYCLE_DUE + LISTEN_SUFFIX
        while not self._stopping.is_set():
            received = self._bus.pull(subscription, 1000)
            self._bus.ack(subscription, received)
            for message in received:
                self.messages[message.message_id] += 1
                if self.messages[message.message_id] == 1:  # the emulator may deliver one message twice
                    self.users[message.json["user_id"]] += 1


class Memory(Watching):
    """The most memory that the descendants of this process used, by samples."""

    def __init__(self, found_by: str) -> None:
        super().__init__()
        self.peak_mib = 0.0
        self._found_by = found_by.encode()

    def _run(self) -> None:
        while not self._stopping.wait(0.2):
            used = sum(self._mib(pid) for pid in descendants(os.getpid()))
            self.peak_mib = max(self.peak_mib, used)

    def _mib(self, pid: int) -> float:
        """The resident memory of one of the function's processes; 0 for any other process."""
        try:
            if self._found_by not in Path(f"/proc/{pid}/environ").read_bytes():
                return 0.0
            rows = Path(f"/proc/{pid}/status").read_text().splitlines()
            return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS:")) / 1024
        except (OSError, StopIteration):  # it has just ended
            return 0.0


def run(users: int, kills: int, tick_seconds: float, emulators: Emulators | None = None) -> Outcome:
    """Let `users` fall due at once, kill the clock `kills` times at even parts of the work, and count."""
    whole = with_each_function(load(), min_backoff_seconds=1, max_backoff_seconds=1)
    only_the_clock = whole.model_copy(update={"services": {}, "functions": {CLOCK: whole.functions[CLOCK]}})
    project = f"clock-{uuid4().hex[:12]}"
    with EmulatorRuntime(
        project, topology=only_the_clock, emulators=emulators, env={"UPBEAT_CATALOG_SECONDS": "3600"}
    ) as up:
        os.environ["FIRESTORE_EMULATOR_HOST"] = up.endpoints.firestore_host
        asyncio.run(seed(project, users))
        with Told(up.bus) as told, Memory(f"FUNCTION_TARGET={CLOCK}") as memory:
            return _observed(up, told, memory, users, kills, tick_seconds)


def _observed(
    up: EmulatorRuntime, told: Told, memory: Memory, users: int, kills: int, tick_seconds: float
) -> Outcome:
    """Tick at every interval until everybody was told, and then twice more."""
    began = next_tick = time.monotonic()
    done_at, killed, ticks_after = None, 0, 0
    while ticks_after < 2 and time.monotonic() - began < GIVE_UP_SECONDS:
        if time.monotonic() >= next_tick:
            up.bus.publish(Topic.LIFECYCLE_CLOCK, b"{}")
            next_tick += tick_seconds
            ticks_after += done_at is not None
        if killed < kills and len(told.users) > users * (killed + 1) / (kills + 1):
            up.kill(CLOCK)
            killed += 1
        if done_at is None and len(told.users) == users:
            done_at = time.monotonic()
        time.sleep(0.02)
    time.sleep(min(tick_seconds, 10))  # what the last tick publishes
    seconds = (done_at or time.monotonic()) - began
    doubled = sum(told.users.values()) - len(told.users)
    return Outcome(users, killed, users - len(told.users), doubled, seconds, memory.peak_mib)


async def seed(project: str, users: int) -> None:
    """Write documents of users who are due now. The clock reads no field but those of the index."""
    client, now = AsyncClient(project=project), SystemClock().now()
    collection = client.collection(SUBSCRIPTIONS)
    for start in range(0, users, BATCH):
        batch = client.batch()
        for number in range(start, min(start + BATCH, users)):
            user_id = user_id_of(number)
            fields = {"user_id": user_id, "blob": bytes(200), "due_shard": due_shard(user_id), "next_due_at": now}
            batch.create(collection.document(user_id), fields)
        await batch.commit()
    await client._firestore_api.transport.close()


def main() -> None:
    """Print one line for each number of users."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("users", type=int, nargs="+")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--tick-seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    os.environ["_JAVA_OPTIONS"] = MORE_MEMORY  # has precedence over the command line of the emulators
    print("    users  kills  missed  doubled  (at most)  seconds  peak MiB")
    for users in arguments.users:
        found = run(users, arguments.kills, arguments.tick_seconds)
        print(
            f"{found.users:9,}  {found.kills:5}  {found.missed:6}  {found.doubled:7}  {found.doubled_at_most:9}"
            f"  {found.seconds:7.1f}  {found.peak_mib:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
