"""What a person sees of running processes: one line at a time, each under the coloured name of its process."""

import json
from itertools import cycle

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan")
NAME_WIDTH = 16
BAD = {"ERROR": "red", "CRITICAL": "bold red", "WARNING": "yellow"}


class LogView:
    """A sink of process output that prints it on standard error, where it disturbs no JSON."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._colours = cycle(COLOURS)
        self._colour_of: dict[str, str] = {}

    def __call__(self, name: str, line: str) -> None:
        """Print one line of one process."""
        colour = self._colour_of.get(name) or self._colour_of.setdefault(name, next(self._colours))
        self._console.print(Text(f"{name:<{NAME_WIDTH}} ", style=colour) + _readable(line))


def _readable(line: str) -> Text:
    """A structured log line as its message, coloured by severity; any other line as it is."""
    try:
        entry = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        entry = {}
    if "message" not in entry:
        return Text(line)
    return Text(str(entry["message"]), style=BAD.get(entry.get("severity", ""), ""))
