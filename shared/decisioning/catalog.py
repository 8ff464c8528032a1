"""A catalog ready to decide with: valid, its references resolved, its clauses compiled, indexed by moment."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

from shared.decisioning.audience import Audience
from shared.decisioning.schema import CampaignTerms, CatalogDocument, Offer, parse_selector
from shared.domain.milestones import Offsets
from shared.domain.moments import MILESTONES, Moment, MomentKind


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with everything it refers to in hand."""

    id: str
    terms: CampaignTerms
    offer: Offer
    channel: str
    audience: Audience | None

    @property
    def rank(self) -> tuple[int, str]:
        """The smaller wins: higher priority first, then id."""
        return -self.terms.priority, self.id

    @property
    def validity(self) -> timedelta:
        """How long a trigger may be shown."""
        return timedelta(hours=self.terms.expires_after_hours or self.offer.validity_hours)


Listeners = Mapping[tuple[MomentKind, int | None], tuple[Campaign, ...]]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All campaigns at one version. Make one with `compile_catalog`; two of one version are the same."""

    version: str
    """A hash of the content: 16 hex digits, whatever the order of keys, defaults written out or not."""
    document: CatalogDocument = field(compare=False, repr=False)
    milestones: Offsets = field(compare=False)
    """The offsets in days of every milestone; none where it never comes."""
    listeners: Listeners = field(compare=False, repr=False)
    asks: frozenset[str] = field(compare=False, repr=False)
    """The variables that any audience names: nothing else about a user need be found out."""

    @classmethod
    def of(cls, document: CatalogDocument, audiences: Mapping[str, Audience]) -> "Catalog":
        """The catalog of a document in which every reference is known to lead somewhere."""
        version = blake2b(_canonical(document).encode(), digest_size=8).hexdigest()
        milestones = {kind: document.milestones.get(kind, ()) for kind in sorted(MILESTONES)}
        campaigns = (_campaign(id_, document, audiences) for id_ in document.campaigns)
        ranked = sorted(campaigns, key=lambda campaign: campaign.rank)
        asks = frozenset[str]().union(*(audience.asks for audience in audiences.values()))
        return cls(version, document, milestones, _listeners(ranked, milestones), asks)

    @property
    def kill_switch(self) -> bool:
        """Whether nothing at all may be offered."""
        return self.document.kill_switch

    def listening(self, moment: Moment) -> tuple[Campaign, ...]:
        """The campaigns that may react to a moment, best rank first."""
        return self.listeners.get((moment.kind, moment.offset_days), ())

    def to_json(self) -> str:
        """The content, as `compile_catalog` takes it once parsed; the same text for the same version."""
        return _canonical(self.document)


def _canonical(document: CatalogDocument) -> str:
    content = document.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _campaign(id_: str, document: CatalogDocument, audiences: Mapping[str, Audience]) -> Campaign:
    terms = document.campaigns[id_]
    return Campaign(
        id=id_,
        terms=terms,
        offer=document.offers[terms.offer],
        channel=document.placements[terms.placement].channel,
        audience=audiences[terms.audience] if terms.audience else None,
    )


def _listeners(campaigns: Iterable[Campaign], milestones: Offsets) -> Listeners:
    listeners: dict[tuple[MomentKind, int | None], tuple[Campaign, ...]] = {}
    for campaign in campaigns:
        for kind, days in map(parse_selector, campaign.terms.moments):
            for offset in milestones.get(kind, (None,)) if days is None else (days,):
                listeners[kind, offset] = (*listeners.get((kind, offset), ()), campaign)
    return listeners


EMPTY = Catalog.of(CatalogDocument(), {})
"""No campaign at all: what is in force until somebody publishes a catalog."""
