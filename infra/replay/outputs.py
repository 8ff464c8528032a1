"""Reads the output of a replay: its messages, and the timeline of one user."""

from collections.abc import Iterator
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

import orjson

from infra.inspect import timeline
from infra.inspect.timeline import RANK, EntryKind, TimelineEntry
from infra.replay.history_file import Line, read
from infra.replay.journal import FILES
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

Position = tuple[datetime, float, int, int, int]
"""Sort key of an entry: instant, causing line, rank of the kind, message sequence, index within the message.

An entry that the clock caused has no line. Its line is infinity, so that it sorts last.
"""
TIMELINE_TOPICS = (Topic.UPSELL_TRIGGER, Topic.DECISION, Topic.SUBSCRIPTION_CHANGE)
"""The topics whose messages appear in a timeline."""


def messages(out: Path, topic: Topic, containing: bytes = b"") -> Iterator[dict[str, Any]]:
    """The messages of one topic in a replay's folder whose JSON contains the given bytes."""
    with (out / FILES[topic]).open("rb") as lines:
        yield from (orjson.loads(line) for line in lines if containing in line)


def timeline_of(user_id: str, history: Path, out: Path) -> list[TimelineEntry]:
    """The timeline of one user. A message that was published more than once appears once."""
    entries: dict[Position, TimelineEntry] = {}
    lines: dict[tuple[str, str, str], int] = {}
    for line in read(history):
        if line.user_id == user_id:
            key, entry = _entry_of(line)
            lines.setdefault(key, line.number)
            entries[line.delivered_at, line.number, RANK[entry.kind], 0, 0] = entry
    for topic in TIMELINE_TOPICS:
        for body in messages(out, topic, b'"user_id":%b' % orjson.dumps(user_id)):
            event = body["event"]
            line_number = lines.get((event["topic"], event["source"], event["event_id"]), inf)
            for number, entry in enumerate(timeline.of_message(topic, body)):
                entries[entry.at, line_number, RANK[entry.kind], body["sequence"], number] = entry
    return [entry for _, entry in sorted(entries.items())]


def _entry_of(line: Line) -> tuple[tuple[str, str, str], TimelineEntry]:
    """The identity of a line's event, and its timeline entry; for a rejected message, the reason."""
    try:
        push = line.push()
        event = parse_event(push.topic, Delivery(push.data, dict(push.attributes)))
    except Rejected as rejection:
        return ("", "", ""), TimelineEntry(line.delivered_at, EntryKind.REFUSED, str(rejection))
    return (event.key.topic, event.key.source, event.key.event_id), timeline.of_event(event, line.delivered_at)
