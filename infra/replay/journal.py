"""The journal of a replay: every published message, under a key that gives its position in the history.

Each process of a replay writes its own journal. Keys sort as bytes and do not depend on the number of processes.
The merged journals are therefore the same for any number of processes. One process alone writes no keys.
"""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import IO

from infra.embedded.push import Push
from infra.raw.folder import RAW, file_of
from infra.raw.line import Landed, subscription_name, to_line
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
PROJECT = "replay"
"""The project in the names of the subscriptions of a replay's raw log."""
TICK = b"{}"
"""The data of a tick as Cloud Scheduler publishes it. A replay's ticks name shards, which depend on its parts."""
EVENT, DUE = 0, 1
"""Sort keys: at the same instant, events come before due users."""


class Journal(ExitStack):
    """The messages of one process, in files in its own folder; a context manager that closes the files.

    With `keeps_raw`, every message in and out is also a line of the raw log.
    """

    def __init__(self, folder: Path, *, keyed: bool = True, keeps_raw: bool = False) -> None:
        super().__init__()
        self.keyed = keyed
        self.files = {topic.value: self._open(folder / name) for topic, name in FILES.items()}
        self.raw = {}
        """The files of the raw log by topic; empty if it is not kept."""
        if keeps_raw:
            (folder / RAW).mkdir()
            self.raw = {topic.value: self._open(file_of(folder / RAW, topic)) for topic in Topic}
        self.triggers: Counter[str] = Counter()
        """Triggers counted by kind: `issued` and `revoked`."""
        self._sequences: dict[str, int] = {}
        """By user: the highest sequence number of a trigger. A message published again has a former one."""
        self._last_tick: datetime | None = None
        self.position = b""
        """The key prefix of the messages written next."""
        self.instant: datetime
        """The publish time of the messages written next (UTC)."""
        self.line: int | None = None
        """The history's line that is being delivered; None while due users are processed."""
        self.written = 0

    def begin_line(self, instant: datetime, number: int) -> None:
        """Mark all following messages as results of one line of the history."""
        self.position = b"%020d %d %012d" % (to_micros(instant), EVENT, number)
        self.instant, self.line = instant, number

    def begin_due(self, instant: datetime) -> None:
        """Mark all following messages as results of due users."""
        self.position = b"%020d %d" % (to_micros(instant), DUE)
        self.instant, self.line = instant, None

    def receive(self, push: Push) -> None:
        """Land a message that a function receives, if the raw log is kept."""
        if not self.raw:
            return
        if push.topic == Topic.LIFECYCLE_CLOCK:
            # Every part has a tick of its own: equal keys let `merge` keep one.
            if self.instant != self._last_tick:
                key = self.position + SEPARATOR if self.keyed else b""
                self._land(key, push.topic, f"tick-{to_micros(self.instant)}", {}, TICK)
            self._last_tick = self.instant
        else:
            self.written += 1
            self._land(self._key(push.order), push.topic, push.message_id, push.attributes, push.data)

    def write(self, message: Message) -> None:
        """Write a published message; a dead letter also gets the number of the line that caused it."""
        self.written += 1
        key = self._key(str(message.body.get("user_id", "")))
        if self.raw:
            self._land(key, message.topic, message.message_id, message.attributes(), message.data)
        if message.topic == Topic.UPSELL_TRIGGER:
            self._count(message)
        if message.topic == Topic.DEAD_LETTER and self.line:
            message = replace(message, body=message.body | {"line": self.line})
        self.files[message.topic].write(key + message.data + b"\n")

    def _count(self, trigger: Message) -> None:
        user_id, sequence = trigger.body["user_id"], trigger.body["sequence"]
        if sequence > self._sequences.get(user_id, 0):
            self._sequences[user_id] = sequence
            self.triggers[trigger.body["kind"]] += 1

    def _open(self, file: Path) -> IO[bytes]:
        return self.enter_context(file.open("wb", BUFFER))

    def _key(self, user_id: str) -> bytes:
        """The key of the message written next: of a line by number alone, of due users by their ids first."""
        if not self.keyed:
            return b""
        of_user = b"" if self.line else user_id.encode()
        return b"%b %b %09d%b" % (self.position, of_user, self.written, SEPARATOR)

    def _land(self, key: bytes, topic: str, message_id: str, attributes: Mapping[str, str], data: bytes) -> None:
        landed = Landed(subscription_name(PROJECT, topic), message_id, self.instant, attributes, data)
        self.raw[topic].write(key + to_line(landed))


def merge(parts: Sequence[Path], target: Path) -> None:
    """Merge the sorted lines of all parts by key, and write them without their keys; of equal lines only one.

    The lines of a single part have no keys: it becomes the target.
    """
    if len(parts) == 1:
        parts[0].replace(target)
        return
    with ExitStack() as stack, target.open("wb") as merged:
        files = [stack.enter_context(part.open("rb")) for part in parts]
        merged.writelines(line.partition(SEPARATOR)[2] for line, _ in groupby(heapq.merge(*files)))
