"""The page of `catalog diff`: fits 80 columns, readable without colour."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.catalog.consequences import Affected, Consequences, Reordered
from infra.catalog.diff import DiffKind, EntryDiff, FieldDiff
from infra.catalog.diff_experiments_page import sentences as of_experiment
from infra.terminal.values import line

SIGNS = {DiffKind.ADDED: "+", DiffKind.REMOVED: "-", DiffKind.CHANGED: "~"}
STYLES = {DiffKind.ADDED: "green", DiffKind.REMOVED: "red", DiffKind.CHANGED: "yellow"}


def page(sides: Mapping[str, Mapping[str, str]], entries: Sequence[EntryDiff], effects: Consequences) -> Group:
    """Both catalogs' files and versions, the differing entries, and the effects on campaigns."""
    parts: list[RenderableType] = [
        Text(f"{name:<7} {side['version']}  {side['file']}") for name, side in sides.items()
    ]
    for section, differing in groupby(entries, lambda entry: entry.section):
        parts += [Text(), Text(section, style="bold"), *map(_entry, differing)]
    if not entries:
        parts += [Text(), Text("The catalogs are the same.")]
    sentences = [*effects_in_words(effects)]
    if sentences:
        parts += [Text(), Text("Effects", style="bold")]
    return Group(*parts, *(Padding(Text(sentence), (0, 0, 0, 2), expand=False) for sentence in sentences))


def effects_in_words(effects: Consequences) -> Iterator[str]:
    """A sentence for each effect; those about the users of an experiment are indented below its heading."""
    yield from map(_of_affected, effects.affected)
    for placement in effects.reordered:
        yield from _of_reordered(placement)
    for experiment in effects.experiments:
        yield from of_experiment(experiment)


def _entry(entry: EntryDiff) -> Group:
    name = f"  {SIGNS[entry.kind]} {entry.id or entry.section}"
    if [field.path for field in entry.fields] == [""]:  # a single value
        return Group(Text(f"{name}: {value_in_words(entry.fields[0], entry.kind)}", style=STYLES[entry.kind]))
    title = Text(name, style=STYLES[entry.kind])
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for field in entry.fields:
        grid.add_row(Text(field.path), Text(value_in_words(field, entry.kind)))
    return Group(title, Padding(grid, (0, 0, 0, 6), expand=False))


def value_in_words(field: FieldDiff, kind: DiffKind) -> str:
    """The value of a field that differs: the one that was added or removed, or both."""
    match kind:
        case DiffKind.ADDED:
            return line(field.after)
        case DiffKind.REMOVED:
            return line(field.before)
        case DiffKind.CHANGED:
            return f"{line(field.before)} -> {line(field.after)}"


def _of_affected(campaign: Affected) -> str:
    name = "Every campaign" if campaign.campaign_id is None else campaign.campaign_id
    return f"{name} is affected by {' and '.join(campaign.by)}."


def _of_reordered(change: Reordered) -> Iterator[str]:
    """One sentence for each campaign that wins over others now and did not before."""
    for winner, losers in change.overtakes:
        yield f"In {change.placement}, {winner} now wins over {' and '.join(losers)}."
