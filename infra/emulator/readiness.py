"""Waiting for a server to be ready: `GET /` answers 200."""

import time
from http.client import HTTPException
from urllib.request import urlopen

from infra.emulator.processes import Process
from infra.errors import InfraError

POLL_SECONDS = 0.05
START_SECONDS = 60.0
"""Long, since a laptop starts everything at once."""


def wait_until_ready(process: Process, url: str, within: float = START_SECONDS) -> None:
    """Return once the server answers. Raises `InfraError` with its last words if it crashes or takes too long."""
    crashes, deadline = process.crashes, time.monotonic() + within
    while not answers(url):
        if process.ended.is_set() or process.crashes > crashes:
            raise InfraError(_last_words(process, "ended before it was ready"))
        if time.monotonic() > deadline:
            raise InfraError(_last_words(process, f"did not answer {url} with 200 within {within:g} s"))
        time.sleep(POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether `GET url` gives 200 now."""
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 - always http on this machine
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _last_words(process: Process, what: str) -> str:
    return f"{process.program.name} {what}; its last words:\n{process.last_lines or '(none)'}"
