"""The folder of a raw log: one file for each topic."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from infra.raw.line import Landed, to_line
from infra.whole_file import alone_with

RAW = "raw"
"""The name of the folder, beside the store that its messages led to."""
BEFORE = "raw.before"
"""The name of the folder with the raw log of the run before the present one."""


def log_in(folder: Path) -> Path:
    """The raw log in the folder of a replay or of `up`; the folder itself if it has none."""
    return folder / RAW if (folder / RAW).is_dir() else folder


def file_of(folder: Path, topic: str) -> Path:
    """The file of a topic's messages."""
    return folder / f"{topic}.jsonl"


def set_aside(folder: Path) -> None:
    """Move the raw log of an earlier run in `folder` to `raw.before`; one that was there is deleted.

    Whatever else is in either folder stays.
    """
    raw, before = folder / RAW, folder / BEFORE
    if not any(raw.glob("*.jsonl")):
        return
    before.mkdir(exist_ok=True)
    for old in before.glob("*.jsonl"):
        old.unlink()
    for file in raw.glob("*.jsonl"):
        file.replace(before / file.name)


class RawLogWriter(ExitStack):
    """Appends messages to the files of these topics; a context manager that closes them.

    A file that somebody else writes again at the same time, to remove a user, loses nothing of what is appended.
    """

    def __init__(self, folder: Path, topics: Iterable[str]) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.files = {topic: self._open(topic) for topic in topics}

    def append(self, topic: str, landed: Iterable[Landed]) -> None:
        """Write messages of a topic. When it returns, they outlive this process, if not a power failure."""
        lines = b"".join(map(to_line, landed))
        while not self._written(topic, lines):
            self.files[topic] = self._open(topic)

    def _written(self, topic: str, lines: bytes) -> bool:
        """Write lines to the open file; False, and nothing is written, if another one has taken its place."""
        file = self.files[topic]
        with alone_with(file) as in_place:
            if in_place:
                file.write(lines)
                file.flush()
        return in_place

    def _open(self, topic: str) -> IO[bytes]:
        return self.enter_context(file_of(self.folder, topic).open("ab"))
