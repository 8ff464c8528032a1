"""The consoles: standard output for pages, standard error for progress and logs."""

import os

from rich.console import Console, RenderableType
from rich.measure import Measurement

from infra.terminal.harmless import Harmless

WIDEST_LINE = 1_000_000
"""The bound for measuring a page, in columns: a finite number far above the length of any line."""


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as given, without colouring numbers and paths in it."""
    return Console(stderr=stderr, highlight=False)


def print_page(page: RenderableType) -> None:
    """Print a page on standard output.

    On a terminal the page takes the terminal's width. In a pipe or a file it is as wide as its longest line, so
    that nothing is wrapped or cut, and no line ends in spaces. The environment variable COLUMNS sets another
    width. Characters that a terminal would act on are left out.
    """
    output, page = console(), Harmless(page)
    if output.is_terminal:
        output.print(page, crop=False)
        return
    if not os.environ.get("COLUMNS", "").isdigit():
        output.width = _natural_width(output, page)
    with output.capture() as captured:
        output.print(page, crop=False)
    lines = captured.get().split("\n")
    output.file.write("\n".join(line.rstrip() for line in lines))


def _natural_width(output: Console, page: RenderableType) -> int:
    """The columns that the longest line of a page needs, at least 1."""
    return max(1, Measurement.get(output, output.options.update(max_width=WIDEST_LINE), page).maximum)
