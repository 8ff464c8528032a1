"""A catalog ready to decide with: valid, its references resolved, its clauses compiled, indexed by moment."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from shared.decisioning.audiences.audience import Audience
from shared.decisioning.document.schema import ByScore, CampaignTerms, CatalogDocument, Offer, Placement, Raise
from shared.decisioning.document.vocabulary import parse_selector
from shared.decisioning.experiments.experiment import Experiment, Holdout
from shared.decisioning.library import Library
from shared.domain.milestones import Offsets
from shared.domain.moments import MILESTONES, Moment, MomentSelector
from shared.domain.tallies import ISSUED


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """A campaign with everything it refers to in hand. Of one catalog there is each once."""

    id: str
    terms: CampaignTerms
    offer: Offer
    placement: Placement
    audience: Audience | None = None
    experiment: Experiment | None = None
    holdouts: tuple[Holdout, ...] = ()
    """Those that hold users out of it."""
    ranked_by: str | None = None
    """The score by which it is ranked among campaigns of its priority, if one is."""
    is_fallback: bool = False
    """It is what a placement shows to users to whom none of its campaigns is open."""


Listeners = Mapping[MomentSelector, tuple[Campaign, ...]]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All campaigns at one version. Make one with `compile_catalog`; two of one version are the same."""

    version: str
    """A hash of the content: 16 hex digits, whatever the order of keys, defaults written out or not."""
    document: CatalogDocument = field(compare=False, repr=False)
    milestones: Offsets = field(compare=False)
    """The offsets in days of every milestone; none where it never comes."""
    listeners: Listeners = field(compare=False, repr=False)
    raising: Mapping[str, Raise] = field(compare=False, repr=False)
    """What brings moments when it rises, by the name of the score."""
    library: Library = field(compare=False, repr=False)

    @classmethod
    def of(cls, document: CatalogDocument, audiences: Mapping[str, Audience], library: Library) -> "Catalog":
        """The catalog of a document in which every reference is known to lead somewhere."""
        version = blake2b(_canonical(document).encode(), digest_size=8).hexdigest()
        milestones = {kind: document.milestones.get(kind, ()) for kind in sorted(MILESTONES)}
        listeners = _with_fallbacks(_listeners(_campaigns(document, audiences), milestones), document)
        raising = {name: score.raises for name, score in sorted(document.scores.items()) if score.raises}
        return cls(version, document, milestones, listeners, raising, library)

    def listening(self, moment: Moment) -> tuple[Campaign, ...]:
        """The campaigns that may react to a moment, in no order that matters."""
        return self.listeners.get(MomentSelector(moment.kind, moment.offset_days), ())

    def to_json(self) -> str:
        """The content, as `compile_catalog` takes it once parsed; the same text for the same version."""
        return _canonical(self.document)


def _canonical(document: CatalogDocument) -> str:
    content = document.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _campaigns(document: CatalogDocument, audiences: Mapping[str, Audience]) -> Iterator[Campaign]:
    experiments = {id_: Experiment.of(id_, terms) for id_, terms in document.experiments.items()}
    holdouts = _holdouts(document)
    for id_, terms in sorted(document.campaigns.items()):
        yield Campaign(
            id=id_,
            terms=terms,
            offer=document.offers[terms.offer],
            placement=document.placements[terms.placement],
            audience=audiences[terms.audience] if terms.audience else None,
            experiment=experiments[terms.experiment] if terms.experiment else None,
            holdouts=tuple(holdout for holdout in holdouts if holdout.covers(id_)),
            ranked_by=terms.rank.score if isinstance(terms.rank, ByScore) else None,
        )


def _listeners(campaigns: Iterable[Campaign], milestones: Offsets) -> dict[MomentSelector, tuple[Campaign, ...]]:
    listeners: dict[MomentSelector, tuple[Campaign, ...]] = {}
    for campaign in campaigns:
        for kind, days in map(parse_selector, campaign.terms.moments):
            for offset in milestones.get(kind, (None,)) if days is None else (days,):
                selector = MomentSelector(kind, offset)
                listeners[selector] = (*listeners.get(selector, ()), campaign)
    return listeners


def _with_fallbacks(listeners: dict[MomentSelector, tuple[Campaign, ...]], document: CatalogDocument) -> Listeners:
    """A fallback hears what any campaign of its placement hears."""
    fallbacks = [_fallback(id_, document) for id_, place in sorted(document.placements.items()) if place.fallback]
    return {
        heard: (*campaigns, *(one for one in fallbacks if one.terms.placement in _placements(campaigns)))
        for heard, campaigns in listeners.items()
    }


def _placements(campaigns: Iterable[Campaign]) -> set[str]:
    return {campaign.terms.placement for campaign in campaigns}


def _fallback(placement_id: str, document: CatalogDocument) -> Campaign:
    """A placement's fallback as a campaign; no id of a campaign holds a dot. It is not offered twice at a time."""
    placement = document.placements[placement_id]
    offer = document.offers[str(placement.fallback)]
    terms = CampaignTerms(
        offer=str(placement.fallback),
        placement=placement_id,
        moments=(),
        priority=0,
        cool_down_hours={ISSUED: offer.validity_hours},
    )
    id_ = f"fallback.{placement_id}"
    holdouts = tuple(holdout for holdout in _holdouts(document) if holdout.covers(id_))
    return Campaign(id_, terms, offer, placement, holdouts=holdouts, is_fallback=True)


def _holdouts(document: CatalogDocument) -> list[Holdout]:
    return [Holdout(id_, terms) for id_, terms in sorted(document.holdouts.items())]


EMPTY = Catalog.of(CatalogDocument(), {}, Library())
"""No campaign at all: what is in force until somebody publishes a catalog."""
