"""Reads the messages that a replay wrote."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from infra.replay.journal import FILES
from shared.contracts.topics import Topic


def messages(out: Path, topic: Topic, containing: bytes = b"") -> Iterator[dict[str, Any]]:
    """The messages of one topic in a replay's folder whose JSON contains the given bytes."""
    with (out / FILES[topic]).open("rb") as lines:
        yield from (orjson.loads(line) for line in lines if containing in line)
