"""Reads a raw log: every message that is about one user."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from infra.raw.line import Landed, UnreadableLine, from_line
from shared.contracts.inbound.envelope import EVENTS, Delivery
from shared.queries.past_log import Logged


class Found(NamedTuple):
    """The messages of a raw log about one user."""

    messages: list[Logged]
    """By publish time, each once."""
    unreadable: list[str]
    """The lines that were skipped: each with its file, its number, and what was expected and found."""


def messages_about(folder: Path, user_id: str) -> Found:
    """Every message that may be about a user. Raises `OSError` if a file cannot be read."""
    quoted, unreadable = orjson.dumps(user_id), list[str]()
    found: dict[tuple[datetime, int, str, str], Logged] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for landed in _lines(file, unreadable):
            if quoted in landed.data or (file.stem in EVENTS and _may_hide_a_name(landed.data)):
                delivery = Delivery(landed.data, dict(landed.attributes), landed.message_id)
                # As in the warehouse's views, of messages that landed more than once one counts.
                at, id_ = landed.publish_time, landed.message_id
                found[at, len(id_), id_, file.stem] = Logged(file.stem, at, delivery)
    # Of one instant, ids are numbers that grow, so that a shorter one is the smaller.
    return Found([found[position] for position in sorted(found)], unreadable)


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
                torn = "" if line.endswith(b"\n") else ", not finished"
                unreadable.append(f"{file}: line {number}{torn}: {problem}")
