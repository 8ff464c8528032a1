"""The lines of a history by user: where they are in the file, so that memory holds no line."""

import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from infra.replay.history_file import CLOCK_START, Line, parsed, read
from infra.replay.life import Arriving
from shared.domain.instants import from_micros, to_micros

FIELDS = 4
"""The numbers kept of each line: its own, its offset and size, and its delivery time in microseconds."""
PROGRESS_LINES = 64
"""Lines between two progress reports."""


class UserLines(ExitStack):
    """The messages of the users whom `includes` takes, from a file; a context manager that closes the file.

    The file is read once here, and each line again when its user's turn comes: 32 bytes a line stay in memory.
    """

    def __init__(self, path: Path, includes: Callable[[str], bool], progress: Callable[[float], None]) -> None:
        """`progress` is told from time to time the share of the file that was read. Raises `OSError`."""
        super().__init__()
        self.ended_at = CLOCK_START
        """The delivery time of the last line, of whichever user (UTC)."""
        self._places: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        size, before = max(path.stat().st_size, 1), 0
        for line in read(path):
            if includes(line.user_id):
                at = to_micros(line.delivered_at)
                self._places[line.user_id].extend((line.number, before, line.end - before, at))
            self.ended_at, before = line.delivered_at, line.end
            if line.number % PROGRESS_LINES == 0:
                progress(line.end / size)
        self._file = self.enter_context(path.open("rb")).fileno()

    def users(self) -> Iterator[tuple[str, float]]:
        """The users in the order of their ids, each with the share of the lines up to theirs, from 0 to 1.

        Lines without a user belong to the one with an empty id.
        """
        numbers, done = sum(map(len, self._places.values())), 0
        for user_id in sorted(self._places):
            done += len(self._places[user_id])
            yield user_id, done / numbers

    def messages(self, user_id: str) -> Iterator[Arriving]:
        """The messages of a user, in order of delivery."""
        numbers = iter(self._places[user_id])
        for number, offset, size, micros in zip(*[numbers] * FIELDS, strict=True):
            text = os.pread(self._file, size, offset).strip()  # there may be blank lines before it
            yield Line(number, offset + size, from_micros(micros), parsed(text)).arriving()
