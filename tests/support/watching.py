"""Observing processes from outside: waiting for a condition, and reading running processes from Linux."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 120.0
"""The longest time in seconds that a busy machine may need for any step."""


def eventually(true: Callable[[], object]) -> bool:
    """Wait until a condition is true, for at most `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """True if a process still runs. A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> set[int]:
    """Every descendant of a process, read from Linux."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    direct = {int(child) for listed in children for child in listed.read_text().split()}
    return direct.union(*(descendants(child) for child in direct))
