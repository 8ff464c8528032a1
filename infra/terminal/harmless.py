"""Pages without characters that a terminal would act on: what senders wrote may hold escape sequences."""

import re

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement

_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but the tab and the line feed, and marks that reorder a line. None of them takes a column."""


class Harmless:
    """A page that is printed without them; its styles stay."""

    def __init__(self, page: RenderableType) -> None:
        self._page = page

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._page, options):
            yield segment if segment.control else segment._replace(text=_HARMFUL.sub("", segment.text))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._page)
