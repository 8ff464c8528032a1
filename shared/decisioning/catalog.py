"""A compiled catalog: validated, with references resolved and clauses compiled, indexed by moment."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from shared.decisioning.audiences.audience import Audience
from shared.decisioning.document.schema import (
    ByScore,
    CampaignTerms,
    Cap,
    CatalogDocument,
    Offer,
    Placement,
    QuietHours,
    Raise,
)
from shared.decisioning.document.vocabulary import parse_selector
from shared.decisioning.experiments.experiment import Experiment, Holdout
from shared.decisioning.library import Library
from shared.domain.milestones import Offsets
from shared.domain.moments import MILESTONES, Moment, MomentSelector
from shared.domain.tallies import ISSUED


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """A campaign with its references resolved. A catalog has one object per campaign, compared by identity."""

    id: str
    terms: CampaignTerms
    offer: Offer
    placement: Placement
    audience: Audience | None = None
    experiment: Experiment | None = None
    holdouts: tuple[Holdout, ...] = ()
    """The holdouts that cover the campaign."""
    ranked_by: str | None = None
    """The score that ranks it among campaigns of its priority; None: a fixed rank."""
    caps: tuple[Cap, ...] = ()
    """Its own caps and those of its channel."""
    quiet_hours: tuple[QuietHours, ...] = ()
    """Its own quiet hours and those of its channel; a fallback has those of all campaigns of its placement."""
    plans_sold: frozenset[str] = frozenset()
    """The plans to which its offer, or that of any variant, leads."""
    is_killed: bool = False
    """True while the catalog's kill switch is on."""
    is_fallback: bool = False
    """True for a placement's fallback: it is for users who are eligible for no campaign of the placement."""


Listeners = Mapping[MomentSelector, tuple[Campaign, ...]]
"""The campaigns that react to each moment."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All campaigns at one version, made with `compile_catalog`. Two catalogs of one version are equal."""

    version: str
    """A hash of the content, 16 hex digits. The order of keys and explicit defaults do not change it."""
    document: CatalogDocument = field(compare=False, repr=False)
    milestones: Offsets = field(compare=False)
    """The offsets in days of every milestone; empty for a milestone that the catalog does not use."""
    campaigns: Mapping[str, Campaign] = field(compare=False, repr=False)
    """Every campaign by its id, fallbacks included."""
    listeners: Listeners = field(compare=False, repr=False)
    raising: Mapping[str, Raise] = field(compare=False, repr=False)
    """The rules of the scores that raise moments, by the name of the score."""
    library: Library = field(compare=False, repr=False)
    number: int = field(default=0, compare=False)
    """The number of its publication: a later one has a higher number, whatever its content. 0 if it has none."""

    @classmethod
    def of(cls, document: CatalogDocument, audiences: Mapping[str, Audience], library: Library) -> "Catalog":
        """The catalog of a document whose references are all valid."""
        version = blake2b(_canonical(document).encode(), digest_size=8).hexdigest()
        milestones = {kind: document.milestones.get(kind, ()) for kind in sorted(MILESTONES)}
        campaigns, fallbacks = [*_campaigns(document, audiences)], _fallbacks(document)
        listeners = _with_fallbacks(_listeners(campaigns, milestones), fallbacks)
        by_id = {campaign.id: campaign for campaign in (*campaigns, *fallbacks)}
        raising = {name: score.raises for name, score in sorted(document.scores.items()) if score.raises}
        return cls(version, document, milestones, by_id, listeners, raising, library)

    def listening(self, moment: Moment) -> tuple[Campaign, ...]:
        """The campaigns that react to a moment, in no particular order."""
        return self.listeners.get(MomentSelector(moment.kind, moment.offset_days), ())

    def to_json(self) -> str:
        """The content as JSON that `compile_catalog` accepts once parsed. A version always gives the same text."""
        return _canonical(self.document)


def next_number(before: int, now: datetime) -> int:
    """The number of a publication at `now`, after one with the number `before` (0 if there was none).

    It is at least the seconds since 1970, so that it grows even if the number of the one before was lost.
    """
    return max(before + 1, int(now.timestamp()))


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
            caps=(*terms.cap, *_channel_caps(document, terms.placement)),
            quiet_hours=tuple(_quiet_hours(document, terms)),
            plans_sold=frozenset(_plans_sold(terms, document)),
            is_killed=document.kill_switch,
        )


def _channel_caps(document: CatalogDocument, placement: str) -> Iterator[Cap]:
    """The caps of a placement's channel, which count all of the user's triggers on that channel."""
    if channel := document.channels.get(document.placements[placement].channel):
        for cap in channel.cap:
            yield Cap(max=cap.max, window_days=cap.window_days, event=cap.event, scope="channel")


def _quiet_hours(document: CatalogDocument, terms: CampaignTerms) -> Iterator[QuietHours]:
    """The quiet hours of a campaign, and those of its channel."""
    if terms.quiet_hours:
        yield terms.quiet_hours
    channel = document.channels.get(document.placements[terms.placement].channel)
    if channel and channel.quiet_hours:
        yield channel.quiet_hours


def _plans_sold(terms: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """The plan to which each offer of a campaign leads, if it names one."""
    variants = document.experiments[terms.experiment].variants if terms.experiment else ()
    for offer in {terms.offer, *(variant.offer for variant in variants if variant.offer)}:
        if plan := document.offers[offer].plan_to:
            yield plan


def _listeners(campaigns: Iterable[Campaign], milestones: Offsets) -> dict[MomentSelector, tuple[Campaign, ...]]:
    listeners: dict[MomentSelector, tuple[Campaign, ...]] = {}
    for campaign in campaigns:
        for kind, days in map(parse_selector, campaign.terms.moments):
            for offset in milestones.get(kind, (None,)) if days is None else (days,):
                selector = MomentSelector(kind, offset)
                listeners[selector] = (*listeners.get(selector, ()), campaign)
    return listeners


def _fallbacks(document: CatalogDocument) -> list[Campaign]:
    return [
        _fallback(id_, document) for id_, placement in sorted(document.placements.items()) if placement.fallback
    ]


def _with_fallbacks(
    listeners: dict[MomentSelector, tuple[Campaign, ...]], fallbacks: Sequence[Campaign]
) -> Listeners:
    """The listeners with fallbacks: a fallback reacts to every moment that a campaign of its placement has."""
    return {
        selector: (*campaigns, *(each for each in fallbacks if each.terms.placement in _placements(campaigns)))
        for selector, campaigns in listeners.items()
    }


def _placements(campaigns: Iterable[Campaign]) -> set[str]:
    return {campaign.terms.placement for campaign in campaigns}


def _fallback(placement_id: str, document: CatalogDocument) -> Campaign:
    """A placement's fallback as a campaign.

    Its id contains a dot, which no other campaign's id can. Its cool-down lasts as long as its offer is valid, so
    that a user never has it twice at the same time.
    """
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
    others = (other for other in document.campaigns.values() if other.placement == placement_id)
    return Campaign(
        id_,
        terms,
        offer,
        placement,
        holdouts=holdouts,
        caps=tuple(_channel_caps(document, placement_id)),
        quiet_hours=tuple(
            dict.fromkeys(quiet for other in (terms, *others) for quiet in _quiet_hours(document, other))
        ),
        plans_sold=frozenset(_plans_sold(terms, document)),
        is_killed=document.kill_switch,
        is_fallback=True,
    )


def _holdouts(document: CatalogDocument) -> list[Holdout]:
    return [Holdout(id_, terms) for id_, terms in sorted(document.holdouts.items())]


EMPTY = Catalog.of(CatalogDocument(), {}, Library())
"""The catalog without campaigns, in force until one is published."""
