"""The messages of a raw log, read in blocks: files by topic, as `infra/raw` or an export of BigQuery writes."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from infra.beam import counts
from infra.beam.text_blocks import Block, blocks_of, files_of, lines_of
from infra.embedded.push import Push
from infra.raw.line import UnreadableLine, from_line
from infra.raw.reader import position
from infra.raw.subject import subject
from infra.replay.life import Arriving
from shared.contracts.inbound.envelope import Delivery
from shared.domain.instants import from_micros, to_micros
from shared.queries.past_log import Logged, json_object

Parts = tuple[int, int, str, str, bytes, bytes]
"""A message on its way between workers: its position in the log, its attributes as JSON, and its data."""


class TopicBlock(NamedTuple):
    """A block of a file with messages of one topic."""

    topic: str
    block: Block


def blocks_of_log(folder: str, topics: Iterable[str]) -> list[TopicBlock]:
    """The blocks of the files `TOPIC.jsonl` and `TOPIC-*.jsonl` in a folder."""
    return [
        TopicBlock(topic, block)
        for topic in topics
        for name in (f"{topic}.jsonl", f"{topic}-*.jsonl")
        for path, size in files_of(f"{folder.rstrip('/')}/{name}")
        for block in blocks_of(path, size)
    ]


def with_users(of: TopicBlock) -> Iterator[tuple[bytes, Parts]]:
    """The messages of a block, each with the user's id (UTF-8) that it is about; empty if it names none."""
    for line in lines_of(of.block):
        try:
            message = from_line(line)
        except UnreadableLine:
            counts.unreadable.inc()
            continue
        user_id = subject(of.topic, json_object(message.data), message.attributes) or ""
        counts.messages.inc()
        at, length, message_id, topic = position(message, of.topic)
        attributes = orjson.dumps(dict(message.attributes))
        yield (
            user_id.encode(errors="surrogatepass"),
            (to_micros(at), length, message_id, topic, attributes, message.data),
        )


def logged(messages: Iterable[Parts]) -> list[Logged]:
    """A user's messages by publish time, each once: one that landed several times has one position."""
    return [
        Logged(topic, from_micros(at), Delivery(data, orjson.loads(attributes), message_id))
        for at, _, message_id, topic, attributes, data in _each_once(messages)
    ]


def in_order(messages: Iterable[Parts]) -> list[Arriving]:
    """A user's events as they were delivered: by publish time, each once."""
    return [
        Arriving(number, at, Push(topic, data, orjson.loads(attributes), at, message_id))
        for number, (micros, _, message_id, topic, attributes, data) in enumerate(_each_once(messages), start=1)
        for at in (from_micros(micros),)
    ]


def _each_once(messages: Iterable[Any]) -> Iterator[Any]:
    """The messages in the order of their positions; of equal ones the first."""
    last = None
    for parts in sorted(messages):
        if parts[:4] != last:
            last = parts[:4]
            yield parts
