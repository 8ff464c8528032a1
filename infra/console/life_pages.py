"""Cuts a long life into pages that stay small, however long its messages are."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from infra.console.life_lines import Line
from shared.queries.life import LifeEntry

MOST_BYTES = 110_000
"""About as many bytes as the entries of a page take."""
MOST_ENTRIES = 100


class LifePage(NamedTuple):
    """Some entries of a life, the newest first."""

    lines: tuple[Line, ...]
    begins: int
    """The number of older entries."""
    ends: int
    """The number of entries up to the newest of the page."""
    all: int
    """The number of all entries."""
    newer: int | None
    """The end of the page with newer entries; None if there are none."""

    @property
    def older(self) -> int | None:
        """The end of the page with older entries; None if there are none."""
        return self.begins or None


def page_of(entries: Sequence[LifeEntry], ends: int | None, line_for: Callable[[LifeEntry], Line]) -> LifePage:
    """The page whose newest entry is number `ends`, counted from the oldest; None: the newest of all."""
    count = len(entries)
    ends = count if ends is None else max(1, min(ends, count)) if count else 0
    lines = _fitting(reversed(entries[:ends]), line_for)
    newer = ends + len(_fitting(entries[ends:], line_for)) if ends < count else None
    return LifePage(tuple(lines), ends - len(lines), ends, count, newer)


def _fitting(entries: Iterable[LifeEntry], line_for: Callable[[LifeEntry], Line]) -> list[Line]:
    """The lines of the first entries, as many as one page holds, but at least one."""
    lines: list[Line] = []
    left = MOST_BYTES
    for entry in islice(entries, MOST_ENTRIES):
        line = line_for(entry)
        left -= line.weight
        if left < 0 and lines:
            break
        lines.append(line)
    return lines
