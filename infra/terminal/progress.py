"""Progress of long work: on standard error, and only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from infra.terminal.console import console


@contextmanager
def bar(description: str) -> Iterator[Callable[[float], None]]:
    """A bar that lasts as long as the block, as a function that takes the finished share of the work, 0 to 1."""
    with _progress(_text(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task(description, total=1.0)
        yield lambda share: progress.update(task, completed=share)


@contextmanager
def spinner(description: str) -> Iterator[Callable[[str], None]]:
    """The time that a block takes whose share nobody knows, as a function that takes another description."""
    with _progress(SpinnerColumn(), _text(), TimeElapsedColumn()) as progress:
        task = progress.add_task(description, total=None)
        yield lambda text: progress.update(task, description=text)


def _text() -> TextColumn:
    return TextColumn("{task.description}", markup=False)


def _progress(*columns: ProgressColumn) -> Progress:
    """A display that leaves nothing behind. What a block prints on the same terminal appears above it."""
    output = console(stderr=True)
    shown = output.is_terminal and output.file.isatty()  # FORCE_COLOR makes a terminal of any file
    return Progress(
        *columns, console=output, transient=True, disable=not shown, redirect_stdout=sys.stdout.isatty()
    )
