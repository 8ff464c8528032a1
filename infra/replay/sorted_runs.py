"""An external merge sort: lines under keys come in any order, leave memory as sorted runs, and are merged."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from infra.replay.journal import SEPARATOR, KeyedLine

RUN_BYTES = 32 * 1024 * 1024
"""The bytes of lines in memory at which they are written as a run."""
MAX_OPEN = 200
"""Files that are merged at once. Systems allow a process 256 open files or more."""


class SortedRuns:
    """Collects lines of several files, and writes them as runs: folders in which each file is sorted."""

    def __init__(self, folder: Path, run_bytes: int = RUN_BYTES) -> None:
        """`folder` is created, and gets a folder for each run."""
        self.folder = folder
        self.run_bytes = run_bytes
        self._lines: defaultdict[str, list[bytes]] = defaultdict(list)
        self._size = self._runs = 0

    def add(self, lines: Iterable[KeyedLine]) -> None:
        """Add lines of any files."""
        for name, line in lines:
            self._lines[name].append(line)
            self._size += len(line)
        if self._size >= self.run_bytes:
            self.write()

    def write(self) -> None:
        """Write what is in memory as a run. To be called after the last line."""
        folder = self.folder / str(self._runs)
        for name, lines in self._lines.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            lines.sort()
            with file.open("wb") as run:
                run.writelines(lines)
        self._lines.clear()
        self._size, self._runs = 0, self._runs + 1


def merge(runs: Sequence[Path], target: Path) -> None:
    """Merge sorted files by key into the target, without the keys; of equal lines only one. Deletes the files."""
    while len(runs) > MAX_OPEN:
        group, runs = runs[:MAX_OPEN], runs[MAX_OPEN:]
        together = group[0].with_name(f"{group[0].name}+")
        with together.open("wb") as file:
            file.writelines(_merged(group))
        runs = [*runs, together]
    with target.open("wb") as file:
        file.writelines(line.partition(SEPARATOR)[2] for line in _merged(runs))


def _merged(runs: Sequence[Path]) -> Iterator[bytes]:
    with ExitStack() as stack:
        files = [stack.enter_context(run.open("rb")) for run in runs]
        yield from (line for line, _ in groupby(heapq.merge(*files)))
    for run in runs:
        run.unlink()
