"""The journal of a replay: each message that was published, under a key that says where in history it came about.

The processes of a replay write a journal each. Keys sort as bytes and do not depend on how many processes there
are, so that the merged journals are the same lines whoever wrote them.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from shared.contracts.outbound.messages import Message
from shared.contracts.topics import Topic
from shared.domain.instants import to_micros

FILES = {
    Topic.UPSELL_TRIGGER: "triggers.jsonl",
    Topic.SUBSCRIPTION_CHANGE: "changes.jsonl",
    Topic.DECISION: "decisions.jsonl",
    Topic.EXPOSURE: "exposures.jsonl",
    Topic.DEAD_LETTER: "dead-letter.jsonl",
}
"""The file that each topic out is written to."""
SEPARATOR = b"\t"
"""Between a line's key and the line; it sorts before all that a key holds, so that a shorter key goes first."""
BUFFER = 256 * 1024
"""How many bytes of a file are written at once: a call of the system takes longer than many a line."""
EVENT, DUE = 0, 1
"""At one instant events come before what falls due."""


class Journal(ExitStack):
    """What one process has to tell, in a folder of its own; its files are closed on exit."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.files = {
            topic.value: self.enter_context((folder / name).open("wb", BUFFER)) for topic, name in FILES.items()
        }
        self.triggers: Counter[str] = Counter()
        """How many were issued, and how many revoked."""
        self.turn = b""
        self.line: int | None = None
        """The line of the history whose turn it is, if it is one's."""
        self.written = 0

    def begin_line(self, instant: datetime, number: int) -> None:
        """What is written from now on came of a line of the history."""
        self.turn = b"%020d %d %012d" % (to_micros(instant), EVENT, number)
        self.line = number

    def begin_due(self, instant: datetime) -> None:
        """What is written from now on fell due."""
        self.turn = b"%020d %d" % (to_micros(instant), DUE)
        self.line = None

    def write(self, message: Message) -> None:
        """Write down what was published; in a dead letter also the line it came of."""
        self.written += 1
        who = "" if self.line else str(message.body.get("user_id", ""))
        if message.topic == Topic.UPSELL_TRIGGER:
            self.triggers[message.body["kind"]] += 1
        if message.topic == Topic.DEAD_LETTER and self.line:
            message = replace(message, body=message.body | {"line": self.line})
        key = b"%b %b %09d" % (self.turn, who.encode(), self.written)
        self.files[message.topic].write(key + SEPARATOR + message.data + b"\n")


def merge(parts: Iterable[Path], target: Path) -> None:
    """Write the lines of all parts in the order of their keys, without the keys."""
    with ExitStack() as stack, target.open("wb") as merged:
        files = [stack.enter_context(part.open("rb")) for part in parts]
        merged.writelines(line.partition(SEPARATOR)[2] for line in heapq.merge(*files))
