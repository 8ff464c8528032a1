"""The journal of a replay: the lines that a life adds to its files, each under a key that gives its position.

Keys sort as bytes, and depend neither on who writes a line nor on when. The sorted lines of all users are the same
for any number of processes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import orjson

from infra.raw.folder import RAW, file_of
from infra.raw.line import Landed, subscription_name, to_line
from infra.replay.life import Arriving, Step
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.instants import to_micros
from shared.domain.terms import Terms
from shared.queries.user_view import summary
from shared.record.user_record import UserRecord

FILES: Mapping[str, str] = {
    Topic.UPSELL_TRIGGER: "triggers.jsonl",
    Topic.SUBSCRIPTION_CHANGE: "changes.jsonl",
    Topic.DECISION: "decisions.jsonl",
    Topic.EXPOSURE: "exposures.jsonl",
    Topic.DEAD_LETTER: "dead-letter.jsonl",
}
"""The output file of each outgoing topic."""
SUBSCRIPTIONS = "subscriptions.jsonl"
RAW_FILES: Mapping[str, str] = {topic: str(file_of(Path(RAW), topic)) for topic in Topic}
"""The raw log's file of each topic."""
PROJECT = "replay"
"""The project in the names of the subscriptions of a replay's raw log."""
TICK = b"{}"
"""The data of a tick as Cloud Scheduler publishes it."""
SEPARATOR = b"\t"
"""Separates a key from its line. It sorts before every byte of a key, so that a shorter key sorts first."""
EVENT, DUE = 0, 1
"""Sort keys: at the same instant, events come before due users."""

KeyedLine = tuple[str, bytes]
"""The name of a file, and a line of it: its key, `SEPARATOR`, and the line with its end."""


def keyed_lines(step: Step, *, keeps_raw: bool) -> Iterator[KeyedLine]:
    """The lines of what a step publishes; for the raw log, if it is kept, also those of what it receives."""
    position = _position(step)
    if keeps_raw:
        yield from _received(step, position)
    for number, message in enumerate(step.messages):
        key = b"%b %09d%b" % (position, number, SEPARATOR)
        if keeps_raw:
            landed = _landed(step.at, message.topic, message.message_id, message.attributes(), message.data)
            yield RAW_FILES[message.topic], key + landed
        yield FILES[message.topic], b"%b%b\n" % (key, _data(message, step.arriving))


def _data(message: Message, arriving: Arriving | None) -> bytes:
    """A message as JSON; a dead letter also has the number of the line that caused it."""
    if arriving and message.topic == Topic.DEAD_LETTER:
        return replace(message, body=message.body | {"line": arriving.number}).data
    return message.data


def keyed_summary(record: UserRecord, now: datetime, terms: Terms) -> KeyedLine:
    """The line of a user's state at an instant (UTC)."""
    view = orjson.dumps(summary(record, now, terms), option=orjson.OPT_UTC_Z)
    return SUBSCRIPTIONS, b"%b%b%b\n" % (record.user_id.encode(), SEPARATOR, view)


def _position(step: Step) -> bytes:
    """The place of a step in the history: of one instant lines by their numbers, then due users by their ids."""
    if step.arriving:
        return b"%020d %d %020d" % (to_micros(step.at), EVENT, step.arriving.number)
    return b"%020d %d %b" % (to_micros(step.at), DUE, step.record.user_id.encode())


def _received(step: Step, position: bytes) -> Iterator[KeyedLine]:
    """The raw log's lines of what functions receive.

    Users who are due at one instant share a tick. Each of them has its line, with the same key: only one is kept.
    """
    if step.arriving is None:
        key = b"%020d %d" % (to_micros(step.at), DUE)
        tick = _landed(step.at, Topic.LIFECYCLE_CLOCK, f"tick-{to_micros(step.at)}", {}, TICK)
        yield RAW_FILES[Topic.LIFECYCLE_CLOCK], key + SEPARATOR + tick
    elif step.arriving.refused:
        return
    push = step.push
    landed = _landed(step.at, push.topic, push.message_id, push.attributes, push.data)
    yield RAW_FILES[push.topic], position + SEPARATOR + landed


def _landed(at: datetime, topic: str, message_id: str, attributes: Mapping[str, str], data: bytes) -> bytes:
    return to_line(Landed(subscription_name(PROJECT, topic), message_id, at, attributes, data))
