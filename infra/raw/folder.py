"""The folder of a raw log: one file for each topic."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from infra.raw.line import Landed, to_line

RAW = "raw"
"""The name of the folder, beside the store that its messages led to."""
BEFORE = "raw.before"
"""The name of the folder with the raw log of the run before the present one."""


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
    """Appends messages to the files of these topics; a context manager that closes them."""

    def __init__(self, folder: Path, topics: Iterable[str]) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.files = {topic: self.enter_context(file_of(folder, topic).open("ab")) for topic in topics}

    def append(self, topic: str, landed: Iterable[Landed]) -> None:
        """Write messages of a topic. When it returns, they outlive this process, if not a power failure."""
        file = self.files[topic]
        file.write(b"".join(map(to_line, landed)))
        file.flush()
