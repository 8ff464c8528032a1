"""The page of `catalog show`: each placement's campaigns in winning order, with the entries they name."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.catalog.diff import Json
from infra.catalog.references import resolved, winning_order
from infra.terminal.values import is_set, line
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.references import Place, Reference

INDENT = (0, 0, 0, 2)
FOLLOWED = ("offer", "audience", "experiment")
"""Fields of a campaign that are shown with the entry that they name."""


def page(catalog: Catalog) -> Group:
    """The whole catalog. Every field that is set appears, so that a new field needs no change here."""
    document = catalog.document.model_dump(mode="json", exclude_defaults=True)
    known = resolved(catalog.document)
    parts: list[RenderableType] = [Text(f"Version {catalog.version}", style="bold")]
    parts += [Text(f"{name}: {line(value)}") for name, value in document.items() if not isinstance(value, dict)]
    for placement, campaigns in winning_order(catalog.document).items():
        parts += [Text(), _title(placement, document["placements"][placement])]
        parts += [
            Padding(_campaign(rank, id_, document, known), INDENT, expand=False)
            for rank, id_ in enumerate(campaigns, 1)
        ]
    shown = {each.target for each in known if each.owner.section == "campaigns" and each.field in FOLLOWED}
    for section in document:
        if entries := _remaining(section, document, shown):
            parts += [
                Text(),
                Text(section, style="bold"),
                Padding(_grid(entries.items(), {}), INDENT, expand=False),
            ]
    return Group(*parts)


def _title(placement: str, facts: Json) -> Text:
    return Text.assemble((f"In {placement}", "bold"), f" ({line(facts)})")


def _campaign(rank: int, id_: str, document: Json, known: Sequence[Reference]) -> Group:
    """The fields of a campaign. A field that names an entry is followed by that entry."""
    terms = {name: value for name, value in document["campaigns"][id_].items() if name != "placement"}
    campaign = Place("campaigns", id_)
    named = {each.field: each.target for each in known if each.owner == campaign and each.field in FOLLOWED}
    followed = {field: document[section][id_] for field, (section, id_) in named.items()}
    fields = [*terms.items(), ("holdouts", _holdouts(campaign, document, known))]
    return Group(
        Text.assemble(f"{rank}. ", (id_, "bold")), Padding(_grid(fields, followed), (0, 0, 1, 3), expand=False)
    )


def _holdouts(campaign: Place, document: Json, known: Sequence[Reference]) -> list[str]:
    """The holdouts that name the campaign, and those that name no campaign and thus hold for all."""
    names: dict[str, set[Place]] = {id_: set() for id_ in document.get("holdouts", {})}
    for each in known:
        if each.owner.section == "holdouts" and each.target.section == "campaigns":
            names[each.owner.id].add(each.target)
    return [id_ for id_, campaigns in names.items() if campaign in campaigns or not campaigns]


def _remaining(section: str, document: Json, shown: Collection[Place]) -> Json:
    """The entries of a section that are not shown with a campaign."""
    entries = document[section]
    if not isinstance(entries, dict) or section in ("placements", "campaigns"):
        return {}
    return {id_: entry for id_, entry in entries.items() if (section, id_) not in shown}


def _grid(fields: Any, followed: Json) -> Table:
    """A table of names and values. `followed` holds the entries that fields name, by field."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        if is_set(value):
            entry = [followed[name]] if name in followed else []
            grid.add_row(Text(name), Group(*(part for each in (value, *entry) for part in _value(each))))
    return grid


def _value(value: Any) -> Iterator[RenderableType]:
    """A value on one line; clauses one per line."""
    if isinstance(value, dict) and any(map(_are_clauses, value.values())):
        for key, part in value.items():
            yield Text(f"{key} of" if _are_clauses(part) else f"{key} {line(part)}")
            if _are_clauses(part):
                yield Padding(
                    _grid([pair for clause in part for pair in clause.items()], {}), INDENT, expand=False
                )
    else:
        yield Text(line(value))


def _are_clauses(value: Any) -> bool:
    """True for a list of clauses: mappings of one name to one text."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and len(item) == 1 for item in value)
    )
