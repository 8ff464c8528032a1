"""The messages of a history or of a raw log, as a pipeline groups them: each user's with the user."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import apache_beam as beam

from infra.beam import landed_messages, numbered_lines
from infra.beam.text_blocks import blocks_of, files_of
from infra.errors import UsageError
from infra.replay.history_file import CLOCK_START
from infra.replay.history_line import PRODUCER_TOPICS
from infra.replay.life import Arriving
from shared.domain.instants import from_micros, to_micros

Grouped = tuple[bytes, Iterable[Any]]
"""A user's id (UTF-8; empty for messages that name none), and the user's messages in any order."""


class Lives(NamedTuple):
    """The users of a history. Beam's collections have no types that tell more."""

    users: Any
    """`Grouped` of each user."""
    in_order: Callable[[Iterable[Any]], list[Arriving]]
    """Puts the messages of a user in the order of their delivery, since Beam keeps none."""
    until: Any
    """One instant (UTC): the last publish time."""


def lives_of(pipeline: Any, source: str) -> Lives:
    """The lives in a file of events, or in the folder of a raw log. Raises `UsageError` if there are none."""
    files = files_of(source)
    return _of_history(pipeline, *files[0]) if files else _of_log(pipeline, source)


def _of_history(pipeline: Any, file: str, size: int) -> Lives:
    blocks = _spread(pipeline, blocks_of(file, size))
    summaries = blocks | "Summarize" >> beam.Map(numbered_lines.summarized)
    lines = blocks | "Number" >> beam.FlatMap(numbered_lines.numbered, beam.pvalue.AsList(summaries))
    ends = summaries | "Ends" >> beam.Map(lambda summary: summary.latest)
    return Lives(by_user(lines), numbered_lines.in_order, _last(ends))


def _of_log(pipeline: Any, folder: str) -> Lives:
    """The lives by the events that producers sent: what falls due happens by itself."""
    messages = messages_of_log(pipeline, folder, PRODUCER_TOPICS)
    ends = messages | "Ends" >> beam.Map(lambda message: message[1][0])
    return Lives(by_user(messages), landed_messages.in_order, _last(ends))


def messages_of_log(pipeline: Any, folder: str, topics: Sequence[str]) -> Any:
    """The messages of these topics in a raw log, each with its user's id. Raises `UsageError` if it has none."""
    found = landed_messages.blocks_of_log(folder, topics)
    if not found:
        raise UsageError(f"{folder}: expected a raw log (payment.jsonl and so on), found no message in it")
    return _spread(pipeline, found) | "Read" >> beam.FlatMap(landed_messages.with_users)


def by_user(messages: Any) -> Any:
    """`Grouped` of each user, of messages with their users' ids."""
    return messages | "By user" >> beam.GroupByKey()


def _spread(pipeline: Any, blocks: Sequence[Any]) -> Any:
    return pipeline | "Blocks" >> beam.Create(blocks) | "Spread" >> beam.Reshuffle()


def _last(micros: Any) -> Any:
    return micros | "Last" >> beam.CombineGlobally(_latest) | "End" >> beam.Map(from_micros)


def _latest(micros: Iterable[int]) -> int:
    return max(micros, default=to_micros(CLOCK_START))
