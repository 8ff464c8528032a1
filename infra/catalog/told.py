"""A catalog as it is told to people: each placement's campaigns in winning order, with the entries they name.

Every field that is set appears, so that a new field needs no change here.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from infra.catalog.diff import Json
from infra.catalog.references import resolved, winning_order
from infra.terminal.values import is_set, line
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.references import Place, Reference

FOLLOWED = ("offer", "audience", "experiment")
"""Fields of a campaign that are told with the entry that they name."""


class Part(NamedTuple):
    """One line of a value, with the clauses that follow it, each with its name."""

    text: str
    clauses: tuple[tuple[str, str], ...] = ()


class Field(NamedTuple):
    """A field that is set, and the entry that it names."""

    name: str
    parts: tuple[Part, ...]


class CampaignTold(NamedTuple):
    """A campaign and its rank in its placement, from 1."""

    rank: int
    id: str
    fields: tuple[Field, ...]


class PlacementTold(NamedTuple):
    """A placement with its own fields, and its campaigns in the order in which they win it."""

    id: str
    facts: str
    campaigns: tuple[CampaignTold, ...]


class CatalogTold(NamedTuple):
    """A whole catalog."""

    version: str
    settings: tuple[Field, ...]
    """Those of the whole catalog."""
    placements: tuple[PlacementTold, ...]
    others: dict[str, tuple[Field, ...]]
    """The entries that no campaign is told with, by section."""


def told(catalog: Catalog) -> CatalogTold:
    """The whole catalog."""
    document = catalog.document.model_dump(mode="json", exclude_defaults=True)
    known = resolved(catalog.document)
    shown = {each.target for each in known if each.owner.section == "campaigns" and each.field in FOLLOWED}
    remaining = {section: _remaining(section, document, shown) for section in document}
    return CatalogTold(
        catalog.version,
        tuple(
            Field(name, (Part(line(value)),)) for name, value in document.items() if not isinstance(value, dict)
        ),
        tuple(
            _placement(id_, campaigns, document, known)
            for id_, campaigns in winning_order(catalog.document).items()
        ),
        {section: _fields(entries.items(), {}) for section, entries in remaining.items() if entries},
    )


def _placement(id_: str, campaigns: Iterable[str], document: Json, known: Sequence[Reference]) -> PlacementTold:
    ranked = tuple(_campaign(rank, each, document, known) for rank, each in enumerate(campaigns, 1))
    return PlacementTold(id_, line(document["placements"][id_]), ranked)


def _campaign(rank: int, id_: str, document: Json, known: Sequence[Reference]) -> CampaignTold:
    """The fields of a campaign. A field that names an entry is followed by that entry."""
    terms = {name: value for name, value in document["campaigns"][id_].items() if name != "placement"}
    campaign = Place("campaigns", id_)
    named = {each.field: each.target for each in known if each.owner == campaign and each.field in FOLLOWED}
    followed = {field: document[section][target] for field, (section, target) in named.items()}
    return CampaignTold(
        rank, id_, _fields([*terms.items(), ("holdouts", _holdouts(campaign, document, known))], followed)
    )


def _holdouts(campaign: Place, document: Json, known: Sequence[Reference]) -> list[str]:
    """The holdouts that name the campaign, and those that name no campaign and thus hold for all."""
    names: dict[str, set[Place]] = {id_: set() for id_ in document.get("holdouts", {})}
    for each in known:
        if each.owner.section == "holdouts" and each.target.section == "campaigns":
            names[each.owner.id].add(each.target)
    return [id_ for id_, campaigns in names.items() if campaign in campaigns or not campaigns]


def _remaining(section: str, document: Json, shown: Collection[Place]) -> Json:
    """The entries of a section that are not told with a campaign."""
    entries = document[section]
    if not isinstance(entries, dict) or section in ("placements", "campaigns"):
        return {}
    return {id_: entry for id_, entry in entries.items() if (section, id_) not in shown}


def _fields(values: Iterable[tuple[str, Any]], followed: Json) -> tuple[Field, ...]:
    """The fields that are set. `followed` holds the entries that fields name, by field."""
    return tuple(_field(name, value, followed) for name, value in values if is_set(value))


def _field(name: str, value: Any, followed: Json) -> Field:
    entries = (value, followed[name]) if name in followed else (value,)
    return Field(name, tuple(part for entry in entries for part in _parts(entry)))


def _parts(value: Any) -> Iterator[Part]:
    """A value on one line; clauses one per line."""
    if isinstance(value, dict) and any(map(_are_clauses, value.values())):
        for key, part in value.items():
            if _are_clauses(part):
                clauses = (pair for clause in part for pair in clause.items())
                yield Part(f"{key} of", tuple((name, line(text)) for name, text in clauses if is_set(text)))
            else:
                yield Part(f"{key} {line(part)}")
    else:
        yield Part(line(value))


def _are_clauses(value: Any) -> bool:
    """True for a list of clauses: mappings of one name to one text."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and len(item) == 1 for item in value)
    )
