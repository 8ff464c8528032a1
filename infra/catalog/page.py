"""A catalog as people read it: placement by placement, who wins it first, and all that a campaign rests on."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.catalog.references import Json, references, referred, winning_order
from infra.terminal.values import is_set, line
from shared.decisioning.catalog import Catalog

INDENT = (0, 0, 0, 2)


def page(catalog: Catalog) -> Group:
    """The whole catalog. Every field that is set shows, whatever it is called."""
    document = catalog.document.model_dump(mode="json", exclude_defaults=True)
    parts: list[RenderableType] = [Text(f"Version {catalog.version}", style="bold")]
    parts += [Text(f"{name}: {line(it)}") for name, it in document.items() if not isinstance(it, dict)]
    for placement, campaigns in winning_order(document).items():
        parts += [Text(), _title(placement, document["placements"][placement])]
        parts += [
            Padding(_campaign(rank, id_, document), INDENT, expand=False) for rank, id_ in enumerate(campaigns, 1)
        ]
    for section in document:
        if entries := _not_told_yet(section, document):
            parts += [
                Text(),
                Text(section, style="bold"),
                Padding(_grid(entries.items(), {}), INDENT, expand=False),
            ]
    return Group(*parts)


def _title(placement: str, facts: Json) -> Text:
    return Text.assemble((f"In {placement}", "bold"), f" ({line(facts)})")


def _campaign(rank: int, id_: str, document: Json) -> Group:
    terms = {name: it for name, it in document["campaigns"][id_].items() if name != "placement"}
    shown = [*terms.items(), ("holdouts", _holdouts(id_, document))]
    return Group(
        Text.assemble(f"{rank}. ", (id_, "bold")), Padding(_grid(shown, document), (0, 0, 1, 3), expand=False)
    )


def _holdouts(campaign_id: str, document: Json) -> list[str]:
    """Those that name the campaign, and those that name none, which are everybody's."""
    named = {id_: _campaigns_of(entry, document) for id_, entry in document.get("holdouts", {}).items()}
    return [id_ for id_, campaigns in named.items() if campaign_id in campaigns or not campaigns]


def _campaigns_of(entry: Json, document: Json) -> set[str]:
    return {id_ for section, id_ in references(document, entry) if section == "campaigns"}


def _not_told_yet(section: str, document: Json) -> Json:
    """The entries of a section that no campaign was followed by."""
    entries = document[section]
    if not isinstance(entries, dict) or section in ("placements", "campaigns"):
        return {}
    fields = [pair for terms in document.get("campaigns", {}).values() for pair in terms.items()]
    told = {place for name, it in fields if isinstance(it, str) for place in referred(document, name, it)}
    return {id_: entry for id_, entry in entries.items() if (section, id_) not in told}


def _grid(fields: Any, document: Json) -> Table:
    """Names and what they say; what refers to an entry is followed by that entry."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        if is_set(value):
            grid.add_row(Text(name), Group(*_value(name, value, document)))
    return grid


def _value(name: str, value: Any, document: Json) -> Iterator[RenderableType]:
    """A value in one line, clauses as a list; where it refers to an entry, that entry follows."""
    if isinstance(value, dict) and any(map(_are_clauses, value.values())):
        for key, it in value.items():
            yield Text(f"{key} of" if _are_clauses(it) else f"{key} {line(it)}")
            if _are_clauses(it):
                yield Padding(_grid([pair for clause in it for pair in clause.items()], {}), INDENT, expand=False)
    else:
        yield Text(line(value))
    if isinstance(value, str):
        for section, id_ in referred(document, name, value):
            yield from _value(name, document[section][id_], {})


def _are_clauses(value: Any) -> bool:
    """Whether it is a list of names with one text each."""
    return isinstance(value, list) and bool(value) and all(isinstance(it, dict) and len(it) == 1 for it in value)
