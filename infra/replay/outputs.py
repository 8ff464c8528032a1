"""What a replay wrote, read back: its messages, and the timeline of one user."""

from collections.abc import Iterator
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

import orjson

from infra.inspect import timeline
from infra.inspect.timeline import RANK, Entry, Kind
from infra.replay.history_file import Line, read
from infra.replay.journal import FILES
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

Place = tuple[datetime, float, int, int, int]
"""Where an entry stands: its instant, the line of the history behind it, its kind, its message, its number there.

Behind what has no line stands the clock, which goes last.
"""
ABOUT_USERS = (Topic.UPSELL_TRIGGER, Topic.DECISION, Topic.SUBSCRIPTION_CHANGE)


def messages(out: Path, topic: Topic, containing: bytes = b"") -> Iterator[dict[str, Any]]:
    """The messages of one topic in a replay's folder, of those whose JSON holds some bytes."""
    with (out / FILES[topic]).open("rb") as lines:
        yield from (orjson.loads(line) for line in lines if containing in line)


def timeline_of(user_id: str, history: Path, out: Path) -> list[Entry]:
    """The timeline of one user of a replay, each message once."""
    places: dict[Place, Entry] = {}
    lines: dict[tuple[str, str, str], int] = {}
    for line in read(history):
        if line.user_id == user_id:
            key, entry = _heard(line)
            lines.setdefault(key, line.number)
            places[line.turn, line.number, RANK[entry.kind], 0, 0] = entry
    for topic in ABOUT_USERS:
        for body in messages(out, topic, b'"user_id":%b' % orjson.dumps(user_id)):
            event = body["event"]
            line_number = lines.get((event["topic"], event["source"], event["event_id"]), inf)
            for number, entry in enumerate(timeline.of_message(topic, body)):
                places[entry.at, line_number, RANK[entry.kind], body["sequence"], number] = entry
    return [entry for _, entry in sorted(places.items())]


def _heard(line: Line) -> tuple[tuple[str, str, str], Entry]:
    """An event's identity, and its entry; of a message that is refused, why."""
    try:
        push = line.push()
        event = parse_event(push.topic, Delivery(push.data, dict(push.attributes)))
    except Rejected as refused:
        return ("", "", ""), Entry(line.turn, Kind.REFUSED, str(refused))
    return (event.key.topic, event.key.source, event.key.event_id), timeline.of_event(event, line.turn)
