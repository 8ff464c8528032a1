"""The page of `catalog show`: each placement's campaigns in winning order, with the entries they name."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.catalog.told import CampaignTold, Field, Part, PlacementTold, told
from shared.decisioning.catalog import Catalog

INDENT = (0, 0, 0, 2)


def page(catalog: Catalog) -> Group:
    """The whole catalog."""
    content = told(catalog)
    parts: list[RenderableType] = [Text(f"Version {content.version}", style="bold")]
    parts += [Text(f"{setting.name}: {setting.parts[0].text}") for setting in content.settings]
    for placement in content.placements:
        parts += [Text(), _title(placement)]
        parts += [Padding(_campaign(each), INDENT, expand=False) for each in placement.campaigns]
    for section, entries in content.others.items():
        parts += [Text(), Text(section, style="bold"), Padding(_grid(entries), INDENT, expand=False)]
    return Group(*parts)


def _title(placement: PlacementTold) -> Text:
    return Text.assemble((f"In {placement.id}", "bold"), f" ({placement.facts})")


def _campaign(campaign: CampaignTold) -> Group:
    return Group(
        Text.assemble(f"{campaign.rank}. ", (campaign.id, "bold")),
        Padding(_grid(campaign.fields), (0, 0, 1, 3), expand=False),
    )


def _grid(fields: Iterable[Field]) -> Table:
    """A table of names and values."""
    return _table((field.name, Group(*(each for part in field.parts for each in _part(part)))) for field in fields)


def _part(part: Part) -> list[RenderableType]:
    clauses = [Padding(_table((name, Text(text)) for name, text in part.clauses), INDENT, expand=False)]
    return [Text(part.text), *(clauses if part.clauses else [])]


def _table(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), value)
    return grid
