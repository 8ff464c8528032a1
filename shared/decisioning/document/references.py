"""References: the places in a catalog where one entry names another."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from shared.decisioning.document.schema import ByScore, CatalogDocument
from shared.decisioning.document.vocabulary import parse_selector, scores_in
from shared.domain.moments import MILESTONES


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
    return chain(entry_references(document), milestone_references(document), score_references(document))


def entry_references(document: CatalogDocument) -> Iterator[Reference]:
    """The references in fields that hold the id of an entry and nothing else."""
    for id_, placement in document.placements.items():
        yield from _named(Place("placements", id_), "fallback", "offers", placement.fallback)
    for id_, terms in document.campaigns.items():
        campaign = Place("campaigns", id_)
        yield from _named(campaign, "offer", "offers", terms.offer)
        yield from _named(campaign, "placement", "placements", terms.placement)
        yield from _named(campaign, "audience", "audiences", terms.audience)
        yield from _named(campaign, "experiment", "experiments", terms.experiment)
        if isinstance(terms.rank, ByScore):
            yield from _named(campaign, "rank.score", "scores", terms.rank.score)
    for id_, experiment in document.experiments.items():
        for index, variant in enumerate(experiment.variants):
            yield from _named(Place("experiments", id_), f"variants[{index}].offer", "offers", variant.offer)
    for id_, holdout in document.holdouts.items():
        for index, campaign_id in enumerate(holdout.campaigns or ()):
            yield from _named(Place("holdouts", id_), f"campaigns[{index}]", "campaigns", campaign_id)


def milestone_references(document: CatalogDocument) -> Iterator[Reference]:
    """The references from campaigns to the milestones that they react to, at any offset."""
    for id_, terms in document.campaigns.items():
        for index, selector in enumerate(terms.moments):
            if (kind := parse_selector(selector).kind) in MILESTONES:
                yield Reference(Place("campaigns", id_), f"moments[{index}]", Place("milestones", kind))


def score_references(document: CatalogDocument) -> Iterator[Reference]:
    """The references from clauses to scores. CEL does not know which scores exist, so they are checked here."""
    for id_, terms in document.audiences.items():
        for quantifier, clauses in (("all", terms.all), ("any", terms.any)):
            for index, [(name, text)] in enumerate(clause.items() for clause in clauses):
                for score in scores_in(text):
                    yield Reference(
                        Place("audiences", id_), f"{quantifier}[{index}].{name}", Place("scores", score)
                    )


def _named(owner: Place, field: str, section: str, id_: str | None) -> Iterator[Reference]:
    if id_ is not None:
        yield Reference(owner, field, Place(section, id_))
