"""The journal of a replay: every published message, under a key that gives its position in the history.

Each process of a replay writes its own journal. Keys sort as bytes and do not depend on the number of processes.
The merged journals are therefore the same for any number of processes.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.instants import to_micros

FILES = {
    Topic.UPSELL_TRIGGER: "triggers.jsonl",
    Topic.SUBSCRIPTION_CHANGE: "changes.jsonl",
    Topic.DECISION: "decisions.jsonl",
    Topic.EXPOSURE: "exposures.jsonl",
    Topic.DEAD_LETTER: "dead-letter.jsonl",
}
"""The output file of each outgoing topic."""
SEPARATOR = b"\t"
"""Separates a line's key from the line. It sorts before every byte of a key, so that a shorter key sorts first."""
BUFFER = 256 * 1024
"""Write buffer of a file in bytes. Large, because one system call takes longer than formatting many lines."""
EVENT, DUE = 0, 1
"""Sort keys: at the same instant, events come before due users."""


class Journal(ExitStack):
    """The messages of one process, in files in its own folder; a context manager that closes the files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.files = {
            topic.value: self.enter_context((folder / name).open("wb", BUFFER)) for topic, name in FILES.items()
        }
        self.triggers: Counter[str] = Counter()
        """Triggers counted by kind: `issued` and `revoked`."""
        self.position = b""
        """The key prefix of the messages written next."""
        self.line: int | None = None
        """The history's line that is being delivered; None while due users are processed."""
        self.written = 0

    def begin_line(self, instant: datetime, number: int) -> None:
        """Mark all following messages as results of one line of the history."""
        self.position = b"%020d %d %012d" % (to_micros(instant), EVENT, number)
        self.line = number

    def begin_due(self, instant: datetime) -> None:
        """Mark all following messages as results of due users."""
        self.position = b"%020d %d" % (to_micros(instant), DUE)
        self.line = None

    def write(self, message: Message) -> None:
        """Write a published message; a dead letter also gets the number of the line that caused it."""
        self.written += 1
        user_id = "" if self.line else str(message.body.get("user_id", ""))
        if message.topic == Topic.UPSELL_TRIGGER:
            self.triggers[message.body["kind"]] += 1
        if message.topic == Topic.DEAD_LETTER and self.line:
            message = replace(message, body=message.body | {"line": self.line})
        key = b"%b %b %09d" % (self.position, user_id.encode(), self.written)
        self.files[message.topic].write(key + SEPARATOR + message.data + b"\n")


def merge(parts: Iterable[Path], target: Path) -> None:
    """Merge the sorted lines of all parts by key, and write them without their keys."""
    with ExitStack() as stack, target.open("wb") as merged:
        files = [stack.enter_context(part.open("rb")) for part in parts]
        merged.writelines(line.partition(SEPARATOR)[2] for line in heapq.merge(*files))
