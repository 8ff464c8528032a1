"""The `--help` pages: paragraphs wrap to the terminal's width, and indented examples stay as they are written."""

from inspect import cleandoc
from typing import Any

from typer.core import TyperCommand

CONTEXT = {"max_content_width": 100}
"""Context settings of the command line: help pages grow with the terminal up to 100 columns, since longer lines of
prose are hard to read."""
KEEP_LINES = "\b\n"
"""The mark for a paragraph that Click must not wrap:
https://click.palletsprojects.com/en/stable/documentation/#escaping-click-s-wrapping"""


class Command(TyperCommand):
    """A command whose docstring is its help page."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.help = _with_examples_kept(self.help or "")


def _with_examples_kept(text: str) -> str:
    """A help text with every indented paragraph marked to keep its lines."""
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(f"{KEEP_LINES}{each}" if each.startswith(" ") else each for each in paragraphs)
