"""The lines of a history, read in blocks, each with its number and its delivery time as in a replay.

The delivery time of a line is the greatest publish time up to it, in the order of the file. So blocks are read
twice: first each tells its number of lines and its greatest publish time, then each numbers its own lines from
what all blocks before it told.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from infra.beam import counts
from infra.beam.text_blocks import Block, lines_of
from infra.replay.history_file import CLOCK_START, Line, parsed, published_at
from infra.replay.life import Arriving
from shared.domain.instants import from_micros, to_micros

RawLine = tuple[int, int, bytes]
"""A line on its way between workers: its number, its delivery time in microseconds since 1970, and its text."""


class BlockSummary(NamedTuple):
    """The result of the first reading of a block."""

    start: int
    lines: int
    latest: int
    """The greatest publish time, in microseconds since 1970; that of the clock's start if no line tells one."""


def summarized(block: Block) -> BlockSummary:
    """The summary of a block."""
    count, latest = 0, to_micros(CLOCK_START)
    for raw in lines_of(block):
        count += 1
        if (text := raw.strip()) and (at := published_at(parsed(text))):
            latest = max(latest, to_micros(at))
    return BlockSummary(block.start, count, latest)


def numbered(block: Block, summaries: Iterable[BlockSummary]) -> Iterator[tuple[bytes, RawLine]]:
    """The lines of a block that are not blank, each with its user's id (UTF-8); `summaries` are of all blocks."""
    before = [each for each in summaries if each.start < block.start]
    number = sum(each.lines for each in before)
    latest = max((each.latest for each in before), default=to_micros(CLOCK_START))
    for raw in lines_of(block):
        number += 1
        if text := raw.strip():
            message = parsed(text)
            at = published_at(message)
            latest = max(latest, to_micros(at)) if at else latest
            counts.messages.inc()
            user_id = Line(number, 0, CLOCK_START, message).user_id
            yield user_id.encode(errors="surrogatepass"), (number, latest, text)


def in_order(lines: Iterable[RawLine]) -> list[Arriving]:
    """A user's lines in the order of their delivery, which is that of their numbers."""
    return [
        Line(number, 0, from_micros(micros), parsed(text)).arriving() for number, micros, text in sorted(lines)
    ]
