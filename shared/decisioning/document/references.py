"""References: the places in a catalog where one entry names another."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from shared.decisioning.document.clause_text import attributes_in, features_in, offers_in, scores_in
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.document.vocabulary import FALLBACK_PREFIX, campaign_in, parse_selector

Source = CatalogDocument | Mapping[str, object]
"""A catalog: as a document, or as JSON, in which anything may be in any place."""
_EACH = "[]"
"""The step of a path that stands for every item of a list."""
_FIELDS: Mapping[str, Sequence[tuple[Sequence[str], str]]] = {
    "placements": [(["fallback"], "offers")],
    "campaigns": [
        (["offer"], "offers"),
        (["placement"], "placements"),
        (["audience"], "audiences"),
        (["experiment"], "experiments"),
        (["rank", "score"], "scores"),
    ],
    "audiences": [([field, _EACH], "audiences") for field in ("all_of", "any_of", "none_of")],
    "experiments": [(["variants", _EACH, "offer"], "offers"), (["segments", _EACH], "audiences")],
    "holdouts": [(["campaigns", _EACH], "campaigns"), (["audience"], "audiences")],
}
"""The fields that hold the id of an entry, by section: the field's path, and the section of the entry."""


class Place(NamedTuple):
    """The address of an entry in a catalog. The entry need not exist."""

    section: str
    id: str


class Reference(NamedTuple):
    """One field of an entry that names another entry."""

    owner: Place
    field: str
    """The path of the field within its owner, such as `variants[0].offer`."""
    target: Place

    @property
    def path(self) -> str:
        """The path of the field within the catalog."""
        return f"{self.owner.section}.{self.owner.id}.{self.field}"


def references(document: CatalogDocument) -> Iterator[Reference]:
    """Every reference of a catalog, including references to entries that do not exist."""
    return chain(
        entry_references(document),
        milestone_references(document),
        follow_up_references(document),
        clause_references(document),
    )


def entry_references(source: Source) -> Iterator[Reference]:
    """The references in fields that hold the id of an entry and nothing else; malformed fields hold none."""
    for section, fields in _FIELDS.items():
        for id_, entry in entries_of(source, section).items():
            for steps, target in fields:
                for field, name in _texts(entry, steps):
                    yield Reference(Place(section, id_), field, Place(target, name))


def milestone_references(document: CatalogDocument) -> Iterator[Reference]:
    """The references from campaigns to the milestones of the map: one that names its offset needs no map."""
    for id_, terms in document.campaigns.items():
        for index, selector in enumerate(terms.moments):
            if (named := parse_selector(selector)).is_of_map:
                yield Reference(Place("campaigns", id_), f"moments[{index}]", Place("milestones", named.kind))


def follow_up_references(source: Source) -> Iterator[Reference]:
    """The references from campaigns to those whose triggers they follow."""
    for id_, terms in entries_of(source, "campaigns").items():
        for field, selector in _texts(terms, ["moments", _EACH]):
            if campaign := campaign_in(selector):
                yield Reference(Place("campaigns", id_), field, Place("campaigns", campaign))


def clause_references(source: Source) -> Iterator[Reference]:
    """The references from clauses to scores, attributes, features, campaigns. CEL does not know which exist."""
    for id_, terms in entries_of(source, "audiences").items():
        for quantifier in ("all", "any"):
            for field, clause in _values(terms, [quantifier, _EACH]):
                for name, text in clause.items() if isinstance(clause, dict) else ():
                    for target in _named_in(text) if isinstance(text, str) else ():
                        yield Reference(Place("audiences", id_), f"{field}.{name}", target)


def _named_in(clause: str) -> Iterator[Place]:
    """The scores, attributes, features, campaigns that a clause names. A fallback is an entry of its placement."""
    yield from (Place("scores", score) for score in scores_in(clause))
    yield from (Place("attributes", attribute) for attribute in attributes_in(clause) if attribute)
    yield from (Place("features", feature) for feature in features_in(clause) if feature)
    for campaign, _ in offers_in(clause):
        section = "placements" if campaign.startswith(FALLBACK_PREFIX) else "campaigns"
        if campaign:
            yield Place(section, campaign.removeprefix(FALLBACK_PREFIX))


def entries_of(source: Source, section: str) -> Mapping[str, object]:
    """The entries of a section by id; none if it is missing or malformed."""
    entries = _field(source, section)
    return entries if isinstance(entries, dict) else {}


def _texts(part: object, steps: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((path, value) for path, value in _values(part, steps) if isinstance(value, str))


def _values(part: object, steps: Sequence[str], path: str = "") -> Iterator[tuple[str, object]]:
    """The values at a path within a part of a catalog, each with its own path."""
    if not steps:
        yield path.removeprefix("."), part
    elif steps[0] != _EACH:
        yield from _values(_field(part, steps[0]), steps[1:], f"{path}.{steps[0]}")
    elif isinstance(part, list | tuple):
        for index, item in enumerate(part):
            yield from _values(item, steps[1:], f"{path}[{index}]")


def _field(part: object, name: str) -> object:
    return part.get(name) if isinstance(part, Mapping) else getattr(part, name, None)
