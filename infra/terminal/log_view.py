"""The log of running processes: one line at a time, each after the coloured name of its process."""

import json
from itertools import cycle

from rich.console import Console
from rich.text import Text

from infra.terminal.console import console

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan")
NAME_WIDTH = 16
"""Columns for the name, so that the lines of all processes align."""
BAD = {"ERROR": "red", "CRITICAL": "bold red", "WARNING": "yellow"}
"""The colour of a message, by severity; others have none."""


class LogView:
    """A sink for process output. Prints on standard error, because standard output may carry JSON."""

    def __init__(self, output: Console | None = None) -> None:
        self._console = output or console(stderr=True)
        self._colours = cycle(COLOURS)
        self._colour_of: dict[str, str] = {}

    def __call__(self, name: str, line: str) -> None:
        """Print one line of one process."""
        colour = self._colour_of.get(name) or self._colour_of.setdefault(name, next(self._colours))
        text = Text(f"{name:<{NAME_WIDTH}} ", style=colour) + _readable(line)
        self._console.print(text, soft_wrap=True)


def _readable(line: str) -> Text:
    """The message of a structured log line, coloured by severity; any other line unchanged."""
    try:
        entry = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        entry = {}
    if "message" not in entry:
        return Text(line)
    return Text(str(entry["message"]), style=BAD.get(entry.get("severity", ""), ""))
