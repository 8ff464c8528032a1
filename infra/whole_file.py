"""Writes a file so that nobody ever reads a part of it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def replace_text(file: Path, text: str) -> None:
    """Put a text in the place of what the file has, at once. Raises `OSError`."""
    draft = _draft_of(file)
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def remove_lines(file: Path, goes: Callable[[bytes], bool], *, dry: bool = False) -> int:
    """Write a file without the lines that go, at once, and return their number; if `dry`, only count them.

    A process that is killed in between leaves the file as it was. Whoever writes to it under `alone_with` waits.
    Raises `OSError`.
    """
    with file.open("rb") as lines, alone_with(lines):
        gone = {number for number, line in enumerate(lines) if goes(line)}
        if gone and not dry:
            lines.seek(0)
            _replace(file, (line for number, line in enumerate(lines) if number not in gone))
    return len(gone)


@contextmanager
def alone_with(file: IO[bytes]) -> Iterator[bool]:
    """Hold a file's lock, and tell whether the open file is still the one at its path.

    It is not if it was written again by `remove_lines`, moved or deleted while the lock was waited for.
    """
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield _is_in_place(file)
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _replace(file: Path, lines: Iterable[bytes]) -> None:
    draft = _draft_of(file)
    with draft.open("wb") as kept:
        kept.writelines(lines)
        kept.flush()
        os.fsync(kept.fileno())
    shutil.copymode(file, draft)
    draft.replace(file)


def _is_in_place(file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat())
    except FileNotFoundError:
        return False


def _draft_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.draft")
