"""What one catalog changes against another, as people read it: it fits 80 columns and needs no colour."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.catalog.consequences import Affected, Consequences, Reordered
from infra.catalog.diff import Entry, Field, Kind
from infra.terminal.values import line

SIGNS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}
STYLES = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}


def page(sides: Mapping[str, Mapping[str, str]], entries: Sequence[Entry], follows: Consequences) -> Group:
    """Which two catalogs are compared, entry by entry what is not the same, and what follows."""
    parts: list[RenderableType] = [Text(f"{name:<7} {it['version']}  {it['file']}") for name, it in sides.items()]
    for section, those in groupby(entries, lambda entry: entry.section):
        parts += [Text(), Text(section, style="bold"), *map(_entry, those)]
    if not entries:
        parts += [Text(), Text("They are the same.")]
    sentences = [
        *map(_of_affected, follows.affected),
        *(it for each in follows.reordered for it in _of_reordered(each)),
    ]
    if sentences:
        parts += [Text(), Text("What follows", style="bold")]
    return Group(*parts, *(Padding(Text(it), (0, 0, 0, 2), expand=False) for it in sentences))


def _entry(entry: Entry) -> Group:
    name = f"  {SIGNS[entry.kind]} {entry.id or entry.section}"
    if [field.path for field in entry.fields] == [""]:  # a single value
        return Group(Text(f"{name}: {_told(entry.fields[0], entry.kind)}", style=STYLES[entry.kind]))
    title = Text(name, style=STYLES[entry.kind])
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for field in entry.fields:
        grid.add_row(Text(field.path), Text(_told(field, entry.kind)))
    return Group(title, Padding(grid, (0, 0, 0, 6), expand=False))


def _told(field: Field, kind: Kind) -> str:
    match kind:
        case Kind.ADDED:
            return line(field.after)
        case Kind.REMOVED:
            return line(field.before)
        case Kind.CHANGED:
            return f"{line(field.before)} -> {line(field.after)}"


def _of_affected(it: Affected) -> str:
    if it.campaign_id is None:
        return f"Every campaign is affected, by {' and '.join(it.by)}."
    return f"{it.campaign_id} is affected, by {' and '.join(it.by)}."


def _of_reordered(it: Reordered) -> Iterator[str]:
    """Each that wins now over one that won over it, or that did not know it."""
    for place, winner in enumerate(it.after):
        ahead = it.before[: it.before.index(winner)] if winner in it.before else it.before
        if overtaken := [loser for loser in it.after[place:] if loser in ahead]:
            yield f"In {it.placement}, {winner} now wins over {' and '.join(overtaken)}."
