"""The log of running processes: one line at a time, each after the time and the coloured name of its process."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any

from rich.console import Console
from rich.text import Text

from infra.terminal.console import console
from infra.terminal.log_line import is_idle, readable

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan")
NAME_WIDTH = 16
"""Columns for the name, so that the lines of all processes align."""


Now = Callable[[], datetime]


def _present() -> datetime:
    return datetime.now(UTC)


class LogView:
    """A sink for process output. Prints on standard error, because standard output may carry JSON.

    `ahead` is by how much the functions' clock is ahead of the machine's. Lines are dated by it, with the day
    on a line of its own before the first one of each day.
    """

    def __init__(
        self, output: Console | None = None, ahead: Callable[[], timedelta] = timedelta, now: Now = _present
    ) -> None:
        self._console = output or console(stderr=True)
        self._ahead = ahead
        self._now = now
        self._day: date | None = None
        self._colours = cycle(COLOURS)
        self._colour_of: dict[str, str] = {}

    def __call__(self, name: str, line: str) -> None:
        """Print one line of one process."""
        entry = structured(line)
        if entry is not None and is_idle(entry):
            return
        ahead = self._ahead()
        now = self._now() + ahead
        if now.date() != self._day:
            self._day = now.date()
            self._console.print(Text(f"{now:%Y-%m-%d} UTC", style="dim"))
        colour = self._colour_of.get(name) or self._colour_of.setdefault(name, next(self._colours))
        head = Text.assemble((f"{now:%H:%M:%S} ", "dim"), (f"{name:<{NAME_WIDTH}} ", colour))
        self._console.print(head + _text(line, entry, ahead), soft_wrap=True)


class RawLog:
    """A sink for process output that prints each line as JSON on standard error, with the name of its process."""

    def __init__(self, output: Console | None = None) -> None:
        self._console = output or console(stderr=True)

    def __call__(self, name: str, line: str) -> None:
        """Print one line of one process."""
        entry = {"process": name, **(structured(line) or {"message": line})}
        self._console.file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._console.file.flush()


def _text(line: str, entry: dict[str, Any] | None, ahead: timedelta) -> Text:
    """The line for people. One that is not as a function writes it is shown as it is."""
    if entry is None:
        return Text(line)
    try:
        return readable(_by_one_clock(entry, ahead))
    except (AttributeError, KeyError, TypeError, ValueError):
        return Text(line)


def _by_one_clock(entry: dict[str, Any], ahead: timedelta) -> dict[str, Any]:
    """The fields with the true latency: the function's clock is ahead of that by which Pub/Sub dates a message."""
    if "latency_ms" not in entry:
        return entry
    return entry | {"latency_ms": entry["latency_ms"] - ahead / timedelta(milliseconds=1)}


def structured(line: str) -> dict[str, Any] | None:
    """The fields of a structured log line; None for any other line."""
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "message" in entry else None
