"""The effects on campaigns of changed entries in a catalog."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.catalog.diff import EntryDiff
from infra.catalog.diff_experiments import ExperimentEffect, experiment_effects
from infra.catalog.references import behind, resolved, winning_order
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.references import Place, Reference, references
from shared.decisioning.document.schema import CatalogDocument

Documents = tuple[CatalogDocument, CatalogDocument]
"""The catalog before a change, and the catalog after it."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A campaign in both catalogs that depends on a changed entry, whether its own fields changed or not."""

    campaign_id: str | None
    """None stands for every campaign."""
    by: tuple[str, ...]
    """Paths of the changed entries."""


@dataclass(frozen=True, slots=True)
class Reordered:
    """A placement with another order of campaigns; the campaign that wins first comes first."""

    placement: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    overtakes: tuple[tuple[str, tuple[str, ...]], ...]
    """The campaigns that win over others now and did not before, each with the others that share a moment."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """The effects that two catalogs alone show. For the effects on users, replay both: `upbeat whatif`."""

    affected: tuple[Affected, ...]
    reordered: tuple[Reordered, ...]
    experiments: tuple[ExperimentEffect, ...] = ()


def consequences(entries: Sequence[EntryDiff], before: Catalog, after: Catalog) -> Consequences:
    """The effects of the changed entries of two catalogs."""
    documents = before.document, after.document
    return Consequences(
        tuple(_affected(entries, documents)),
        tuple(_reordered(before, after)),
        tuple(experiment_effects(before, after)),
    )


def _affected(entries: Sequence[EntryDiff], documents: Documents) -> Iterator[Affected]:
    """Campaigns that depend on a changed entry or are named by one. A catalog-wide setting affects all."""
    if catalog_wide := tuple(entry.path for entry in entries if _affects_all(entry, documents)):
        yield Affected(None, catalog_wide)
    places = {Place(entry.section, entry.id or ""): entry for entry in entries}
    named = {entry.path: _campaigns_named(Place(entry.section, entry.id or ""), documents) for entry in entries}
    both_references = [resolved(document) for document in documents]
    named |= _through_holdouts(places, documents, both_references)
    for id_ in sorted(documents[0].campaigns.keys() & documents[1].campaigns.keys()):
        campaign = Place("campaigns", id_)
        dependencies = set[Place]().union(*(behind(known, campaign) for known in both_references))
        by = {places[place].path for place in dependencies & places.keys()}
        if by := by | {path for path, campaigns in named.items() if id_ in campaigns}:
            yield Affected(id_, tuple(sorted(by)))


def _reordered(old: Catalog, new: Catalog) -> Iterator[Reordered]:
    """Placements in both catalogs where one campaign wins over another now, at a moment to which both react."""
    before, after = winning_order(old.document), winning_order(new.document)
    rivals = _rivals(new)
    for placement in sorted(before.keys() & after.keys()):
        was, is_ = before[placement], after[placement]
        overtakes = tuple(
            (winner, losers)
            for rank, winner in enumerate(is_)
            if (losers := tuple(one for one in is_[rank:] if one in _ahead(winner, was) & rivals[winner]))
        )
        if overtakes:
            yield Reordered(placement, tuple(was), tuple(is_), overtakes)


def _ahead(campaign: str, order: list[str]) -> set[str]:
    """The campaigns that win over a campaign; all if it is not among them."""
    return {*order[: order.index(campaign)]} if campaign in order else {*order}


def _rivals(catalog: Catalog) -> dict[str, set[str]]:
    """For each campaign, those that react to a moment to which it reacts, too."""
    found: dict[str, set[str]] = {id_: set() for id_ in catalog.document.campaigns}
    for listening in catalog.listeners.values():
        ids = {campaign.id for campaign in listening}
        for id_ in ids & found.keys():
            found[id_] |= ids
    return found


def _affects_all(entry: EntryDiff, documents: Documents) -> bool:
    """True for a catalog-wide setting, and for a holdout that names no campaign and thus holds for all."""
    place = Place(entry.section, entry.id or "")
    return entry.id is None or (entry.section == "holdouts" and not _campaigns_named(place, documents))


def _through_holdouts(
    changed: Mapping[Place, EntryDiff], documents: Documents, both: Sequence[Sequence[Reference]]
) -> dict[str, set[str]]:
    """The campaigns whose held-out users a changed entry decides on, by the path of the entry."""
    found: dict[str, set[str]] = {}
    for document, known in zip(documents, both, strict=True):
        for id_ in document.holdouts:
            holdout = Place("holdouts", id_)
            campaigns = _campaigns_named(holdout, documents) or {*document.campaigns}
            for place in behind(known, holdout) & changed.keys():
                if place.section in {"audiences", "attributes"}:
                    found.setdefault(changed[place].path, set()).update(campaigns)
    return found


def _campaigns_named(place: Place, documents: Documents) -> set[str]:
    """Campaigns that an entry names as its own, or that listen to its moment, in either catalog.

    An audience only asks about campaigns.
    """
    if not place.id or place.section in {"audiences", "campaigns"}:
        return set()
    named = set[str]()
    for document in documents:
        named |= {r.target.id for r in references(document) if r.owner == place and _is_campaign(r.target)}
        named |= {id_ for id_, terms in document.campaigns.items() if _raised(place, document) in terms.moments}
    return named


def _is_campaign(place: Place) -> bool:
    return place.section == "campaigns"


def _raised(place: Place, document: CatalogDocument) -> str | None:
    """The moment that a score raises; None for a score without one and for other entries."""
    score = document.scores.get(place.id) if place.section == "scores" else None
    return score.raises.moment if score and score.raises else None
