"""Reads a raw log: every message, or those that are about one user."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from infra.raw.folder import file_of
from infra.raw.line import Landed, UnreadableLine, from_line
from shared.contracts.inbound.envelope import EVENTS, Delivery
from shared.contracts.topics import Topic
from shared.queries.life_letters import held_by
from shared.queries.past_log import Logged, json_object

Position = tuple[datetime, int, str, str]
"""The place of a message in the log. Of one instant, ids are numbers that grow: a shorter one is smaller."""


class Found(NamedTuple):
    """Messages of a raw log."""

    messages: list[Logged]
    """By publish time, each once."""
    unreadable: list[str]
    """The lines that were skipped: each with its file, its number, and what was expected and found."""


def messages_about(folder: Path, user_id: str) -> Found:
    """Every message that may be about a user. Raises `OSError` if a file cannot be read."""
    unreadable = list[str]()
    files = sorted(folder.glob("*.jsonl"))
    landed = ((file.stem, each) for file in files for each in _lines(file, unreadable))
    return Found(about(user_id, landed), unreadable)


def about(user_id: str, landed: Iterable[tuple[str, Landed]]) -> list[Logged]:
    """The messages that may be about a user, each once, by publish time; all are given with their topics."""
    quoted = orjson.dumps(user_id)
    return in_order((topic, each) for topic, each in landed if _may_be_about(quoted, topic, each.data))


def messages_of(folder: Path, topics: Iterable[str]) -> Found:
    """Every message of these topics, all of them in memory. Raises `OSError` if a file cannot be read."""
    unreadable = list[str]()
    files = [file for topic in topics if (file := file_of(folder, topic)).exists()]
    return Found(in_order((file.stem, each) for file in files for each in _lines(file, unreadable)), unreadable)


def in_order(landed: Iterable[tuple[str, Landed]]) -> list[Logged]:
    """These messages, each with its topic, by publish time and once, however often they landed."""
    found = {position(each, topic): _logged(each, topic) for topic, each in landed}
    return [found[place] for place in sorted(found)]


def position(landed: Landed, topic: str) -> Position:
    """As in the warehouse's models, of messages that landed more than once one counts: they share a position."""
    return landed.publish_time, len(landed.message_id), landed.message_id, topic


def _logged(landed: Landed, topic: str) -> Logged:
    return Logged(topic, landed.publish_time, Delivery(landed.data, dict(landed.attributes), landed.message_id))


def _may_be_about(quoted: bytes, topic: str, data: bytes) -> bool:
    """True for a message that names a user, or may; `quoted` is the user's id in JSON.

    A function's dead letter has the message that it holds in base64.
    """
    if quoted in data:
        return True
    if topic == Topic.DEAD_LETTER:
        held = held_by(json_object(data)).data
        return quoted in held or _may_hide_a_name(held)
    return topic in EVENTS and _may_hide_a_name(data)


def _may_hide_a_name(data: bytes) -> bool:
    """True for an event whose user's name may be written with escapes, or in a CloudEvent's base64."""
    return b"\\" in data or b'"data_base64"' in data


def _lines(file: Path, unreadable: list[str]) -> Iterator[Landed]:
    """The messages of a file; a line that holds none is added to `unreadable`."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield from_line(line)
            except UnreadableLine as problem:
                unreadable.append(problem.told_of(file, number, line))
