"""Watching processes from outside: waiting until something is so, and what Linux tells of who runs."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 60.0
"""How long a busy machine may take over anything."""


def eventually(true: Callable[[], object]) -> bool:
    """Wait until something is true; how long it took is of no interest."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def descendants(pid: int) -> set[int]:
    """Every process below one, as Linux tells."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    direct = {int(child) for listed in children for child in listed.read_text().split()}
    return direct.union(*(descendants(child) for child in direct))
