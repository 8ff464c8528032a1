"""One process's part of a replay: the lines of its users, and everything that they and time bring about."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import orjson

from infra.catalog_file import load_catalog
from infra.errors import InfraError
from infra.local.embedded import Embedded, VirtualClock
from infra.local.history_file import BEGINNING, Line, read
from infra.local.views import view
from shared.contracts.envelope import Delivery
from shared.contracts.messages import Message, dead_letter
from shared.domain.errors import Rejected
from shared.domain.ring import to_micros

OUTPUTS = {
    "upsell-trigger": "triggers.jsonl",
    "subscription-change": "changes.jsonl",
    "decision": "decisions.jsonl",
    "dead-letter": "dead-letter.jsonl",
}
"""The file that each topic out is written to."""
SUBSCRIPTIONS = "subscriptions.jsonl"
SEPARATOR = b"\t"
"""Between a line's key and the line; no key holds it."""
EVENT, DUE = 0, 1
"""At one instant events come before what falls due."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which part of which replay to run, and where to put what comes of it."""

    events: Path
    catalog: Path
    now: datetime | None
    number: int
    parts: int
    directory: Path

    def includes(self, line: Line) -> bool:
        """Whether the line is of one of this part's users; lines of nobody are the first part's."""
        if not line.user_id:
            return self.number == 0
        return blake2b(line.user_id.encode(), digest_size=2).digest()[0] % self.parts == self.number


class Journal:
    """The outputs of a part, each line under a key: instant, phase, line or user, and a running number."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.files = {topic: (directory / name).open("wb") for topic, name in OUTPUTS.items()}
        self.counts: Counter[str] = Counter()
        self.turn = b""
        self.written = 0

    def begin(self, instant: datetime, phase: int, who: str) -> None:
        """What is written from now on came about then and there."""
        self.turn = f"{to_micros(instant):020d} {phase} {who}".encode()

    def write(self, message: Message) -> None:
        """Write down what was published."""
        self.written += 1
        key = b"%s %09d" % (self.turn, self.written)
        self.files[message.topic].write(key + SEPARATOR + message.data() + b"\n")
        if message.topic == "upsell-trigger":
            self.counts[message.body["kind"]] += 1

    def close(self) -> None:
        """Close the files."""
        for file in self.files.values():
            file.close()


def run_part(assignment: Assignment, progress: Callable[[int], None]) -> Counter[str]:
    """Run a part, and return how often each outcome and kind of trigger came up."""
    journal = Journal(assignment.directory)
    clock = VirtualClock(BEGINNING)
    catalog = load_catalog(assignment.catalog)
    with Embedded(assignment.directory / "upbeat.sqlite", catalog, clock, journal.write) as embedded:
        asyncio.run(_run(assignment, embedded, journal, progress))
        _write_subscriptions(assignment.directory / SUBSCRIPTIONS, embedded)
    journal.close()
    return journal.counts


async def _run(
    assignment: Assignment, embedded: Embedded, journal: Journal, progress: Callable[[int], None]
) -> None:
    turn = BEGINNING
    for count, line in enumerate(read(assignment.events, assignment.now), start=1):
        turn = line.turn
        if assignment.includes(line):
            await _pass_time(embedded, journal, turn, inclusive=False)
            embedded.clock.move_to(turn)
            journal.begin(turn, EVENT, f"{line.number:012d}")
            journal.counts[await _deliver(line, embedded, journal)] += 1
        if count % 64 == 0:
            progress(count)
    end = max(turn, assignment.now or turn)
    await _pass_time(embedded, journal, end, inclusive=True)
    embedded.clock.move_to(end)


async def _deliver(line: Line, embedded: Embedded, journal: Journal) -> str:
    """Push a line's message into its function; a line that is none goes to the dead letter with its number."""
    if line.push is not None:
        return await embedded.push(line.push)
    refused = line.refused
    rejected = Rejected(refused.reason, refused.detail)
    journal.write(dead_letter(refused.topic, Delivery(refused.raw, {"line": str(line.number)}), rejected))
    return "dead_lettered"


async def _pass_time(embedded: Embedded, journal: Journal, until: datetime, *, inclusive: bool) -> None:
    """Let everything that falls due up to `until` happen, each at its own instant."""
    while (due := embedded.store.next_due()) and (due[0] < until or (inclusive and due[0] == until)):
        instant, shards = due
        embedded.clock.move_to(instant)
        journal.begin(instant, DUE, "")
        await embedded.tick(shards)
        if embedded.store.next_due() == due:
            raise InfraError(f"what was due at {instant.isoformat()} is still due after it was processed")


def _write_subscriptions(path: Path, embedded: Embedded) -> None:
    now = embedded.clock.now()
    with path.open("wb") as file:
        for user_id, blob in embedded.store.blobs():
            line = orjson.dumps(view(blob, now, embedded.terms))
            file.write(user_id.encode() + SEPARATOR + line + b"\n")
