"""The page of `publish --check`."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.remote.event_check import Checked, Ignored
from infra.terminal.values import line

MAX_IGNORED = 50
"""The most unknown fields that are shown."""
UNCHECKED = (
    "Not checked, since only the user's document tells: whether the same identity came before with other content,"
    " and whether feedback names a trigger that is known."
)


def page(checked: Checked) -> Group:
    """The forecast for an event, the fields as they are understood, and those that are ignored."""
    if checked.reason:
        parts: list[RenderableType] = [
            Text(f"{checked.topic}: would be refused as {checked.reason}", style="bold red")
        ]
        parts += [_indented(f"{each.text}{_guess(each.meant)}") for each in checked.problems]
    else:
        parts = [Text(f"{checked.topic}: would be accepted: {checked.what}", style="bold green")]
        parts += [Padding(_fields(checked.understood), (0, 0, 0, 2), expand=False)]
    if checked.ignored:
        parts += [Text("ignored, since no field of the contract has this name:", style="yellow")]
        parts += map(_indented, _ignored(checked.ignored))
    parts += [Text(note, style="yellow") for note in checked.notes]
    if checked.understood:
        parts.append(Text(UNCHECKED, style="dim"))
    return Group(*parts)


def _fields(understood: Mapping[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in understood.items():
        grid.add_row(Text(name), Text(line(value)))
    return grid


def _ignored(ignored: Iterable[Ignored]) -> Iterator[str]:
    rest = iter(ignored)
    yield from (f"{each.path}{_guess(each.meant)}" for each in islice(rest, MAX_IGNORED))
    if more := sum(1 for _ in rest):
        yield f"and {more} more"


def _guess(meant: str | None) -> str:
    return f" ({meant}?)" if meant else ""


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
