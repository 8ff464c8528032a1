"""A catalog as people read it: placement by placement, who wins it first, and all that a campaign rests on."""

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
"""The fields of a campaign that are shown with the entry that they name."""


def page(catalog: Catalog) -> Group:
    """The whole catalog. Every field that is set shows, whatever it is called."""
    document = catalog.document.model_dump(mode="json", exclude_defaults=True)
    known = resolved(catalog.document)
    parts: list[RenderableType] = [Text(f"Version {catalog.version}", style="bold")]
    parts += [Text(f"{name}: {line(it)}") for name, it in document.items() if not isinstance(it, dict)]
    for placement, campaigns in winning_order(catalog.document).items():
        parts += [Text(), _title(placement, document["placements"][placement])]
        parts += [
            Padding(_campaign(rank, id_, document, known), INDENT, expand=False)
            for rank, id_ in enumerate(campaigns, 1)
        ]
    shown = {one.target for one in known if one.owner.section == "campaigns" and one.field in FOLLOWED}
    for section in document:
        if entries := _not_shown_yet(section, document, shown):
            parts += [
                Text(),
                Text(section, style="bold"),
                Padding(_grid(entries.items(), {}), INDENT, expand=False),
            ]
    return Group(*parts)


def _title(placement: str, facts: Json) -> Text:
    return Text.assemble((f"In {placement}", "bold"), f" ({line(facts)})")


def _campaign(rank: int, id_: str, document: Json, known: Sequence[Reference]) -> Group:
    """A campaign's fields, each that names an entry followed by that entry."""
    terms = {name: it for name, it in document["campaigns"][id_].items() if name != "placement"}
    campaign = Place("campaigns", id_)
    named = {one.field: one.target for one in known if one.owner == campaign and one.field in FOLLOWED}
    followed = {field: document[section][id_] for field, (section, id_) in named.items()}
    fields = [*terms.items(), ("holdouts", _holdouts(campaign, document, known))]
    return Group(
        Text.assemble(f"{rank}. ", (id_, "bold")), Padding(_grid(fields, followed), (0, 0, 1, 3), expand=False)
    )


def _holdouts(campaign: Place, document: Json, known: Sequence[Reference]) -> list[str]:
    """Those that name the campaign, and those that name none, which are everybody's."""
    names: dict[str, set[Place]] = {id_: set() for id_ in document.get("holdouts", {})}
    for one in known:
        if one.owner.section == "holdouts":
            names[one.owner.id].add(one.target)
    return [id_ for id_, campaigns in names.items() if campaign in campaigns or not campaigns]


def _not_shown_yet(section: str, document: Json, shown: Collection[Place]) -> Json:
    """The entries of a section that no campaign was followed by."""
    entries = document[section]
    if not isinstance(entries, dict) or section in ("placements", "campaigns"):
        return {}
    return {id_: entry for id_, entry in entries.items() if (section, id_) not in shown}


def _grid(fields: Any, followed: Json) -> Table:
    """Names and values; `followed` holds, by field, the entry that the field names."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        if is_set(value):
            entry = [followed[name]] if name in followed else []
            grid.add_row(Text(name), Group(*(part for it in (value, *entry) for part in _value(it))))
    return grid


def _value(value: Any) -> Iterator[RenderableType]:
    """A value in one line, clauses as a list."""
    if isinstance(value, dict) and any(map(_are_clauses, value.values())):
        for key, it in value.items():
            yield Text(f"{key} of" if _are_clauses(it) else f"{key} {line(it)}")
            if _are_clauses(it):
                yield Padding(_grid([pair for clause in it for pair in clause.items()], {}), INDENT, expand=False)
    else:
        yield Text(line(value))


def _are_clauses(value: Any) -> bool:
    """Whether it is a list of names with one text each."""
    return isinstance(value, list) and bool(value) and all(isinstance(it, dict) and len(it) == 1 for it in value)
