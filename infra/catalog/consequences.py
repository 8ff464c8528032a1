"""What follows for campaigns where a catalog's entries change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.catalog.diff import Entry
from infra.catalog.references import behind, resolved, winning_order
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.references import Place, references
from shared.decisioning.document.schema import CatalogDocument

Documents = tuple[CatalogDocument, CatalogDocument]
"""A catalog before a change and after it."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A campaign of both catalogs to which something happens by what it rests on, itself changed or not."""

    campaign_id: str | None
    """None: every campaign."""
    by: tuple[str, ...]
    """Paths of the entries that are not the same."""


@dataclass(frozen=True, slots=True)
class Reordered:
    """A placement, and who competes for it: those that win first first."""

    placement: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that follows as far as two catalogs tell; what comes of it for users, a what-if study tells."""

    affected: tuple[Affected, ...]
    reordered: tuple[Reordered, ...]


def consequences(entries: Sequence[Entry], before: Catalog, after: Catalog) -> Consequences:
    """What follows from the entries that are not the same in two catalogs."""
    documents = before.document, after.document
    return Consequences(tuple(_affected(entries, documents)), tuple(_reordered(*documents)))


def _affected(entries: Sequence[Entry], documents: Documents) -> Iterator[Affected]:
    """Who rests on what is not the same, or is named by it. A setting of the whole catalog concerns everybody."""
    if everyone := tuple(entry.path for entry in entries if _concerns_all(entry, documents)):
        yield Affected(None, everyone)
    places = {Place(entry.section, entry.id or ""): entry for entry in entries}
    named = {entry.path: _campaigns_named(entry, documents) for entry in entries}
    known = [resolved(document) for document in documents]
    for id_ in sorted(documents[0].campaigns.keys() & documents[1].campaigns.keys()):
        below = set[Place]().union(*(behind(those, Place("campaigns", id_)) for those in known))
        by = {places[place].path for place in below & places.keys()}
        if by := by | {path for path, campaigns in named.items() if id_ in campaigns}:
            yield Affected(id_, tuple(sorted(by)))


def _reordered(old: CatalogDocument, new: CatalogDocument) -> Iterator[Reordered]:
    """The placements of both catalogs that others compete for, or in another order."""
    before, after = winning_order(old), winning_order(new)
    for placement in sorted(before.keys() & after.keys()):
        if before[placement] != after[placement]:
            yield Reordered(placement, tuple(before[placement]), tuple(after[placement]))


def _concerns_all(entry: Entry, documents: Documents) -> bool:
    """A setting does, and so does a holdout that names no campaign."""
    return entry.id is None or (entry.section == "holdouts" and not _campaigns_named(entry, documents))


def _campaigns_named(entry: Entry, documents: Documents) -> set[str]:
    """The campaigns that an entry which is none itself names in either catalog, or whose moments it brings."""
    if entry.id is None or entry.section == "campaigns":
        return set()
    place = Place(entry.section, entry.id)
    named = set[str]()
    for document in documents:
        named |= {one.target.id for one in references(document) if one.owner == place and _is_campaign(one.target)}
        named |= {id_ for id_, terms in document.campaigns.items() if _raised(place, document) in terms.moments}
    return named


def _is_campaign(place: Place) -> bool:
    return place.section == "campaigns"


def _raised(place: Place, document: CatalogDocument) -> str | None:
    """The moment that a score brings, of an entry that is one."""
    score = document.scores.get(place.id) if place.section == "scores" else None
    return score.raises.moment if score and score.raises else None
