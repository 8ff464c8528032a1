"""Waits until a server is ready: until `GET /` returns 200."""

import time
from http.client import HTTPException
from urllib.request import urlopen

from infra.emulator.processes import Process
from infra.errors import InfraError

POLL_SECONDS = 0.05
START_SECONDS = 60.0
"""Start-up timeout. It is long because a laptop starts all processes at the same time."""


def wait_until_ready(process: Process, url: str, within: float = START_SECONDS) -> None:
    """Wait until the server responds.

    Raises `InfraError` with the end of its output if the process crashes or exceeds `within` seconds.
    """
    crashes, deadline = process.crashes, time.monotonic() + within
    while not answers(url):
        if process.ended.is_set() or process.crashes > crashes:
            raise InfraError(_failure(process, "ended before it was ready"))
        if time.monotonic() > deadline:
            raise InfraError(_failure(process, f"did not answer {url} with 200 within {within:g} s"))
        time.sleep(POLL_SECONDS)


def answers(url: str) -> bool:
    """True if `GET url` returns 200 now."""
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 - always http on this machine
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _failure(process: Process, problem: str) -> str:
    return f"{process.program.name} {problem}; the end of its output:\n{process.last_lines or '(none)'}"
