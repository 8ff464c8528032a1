"""A compiled catalog: validated, with references resolved and clauses compiled, indexed by moment."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import blake2b
from itertools import chain

from shared.decisioning.audiences.audience import Audience
from shared.decisioning.audiences.facts import FEATURE
from shared.decisioning.document.milestone_offsets import milestone_offsets
from shared.decisioning.document.quiet_rules import quiet_rules
from shared.decisioning.document.schema import (
    ByScore,
    CampaignTerms,
    Cap,
    CatalogDocument,
    Offer,
    Placement,
    Raise,
    precedence,
)
from shared.decisioning.document.vocabulary import FALLBACK_PREFIX, parse_selector
from shared.decisioning.experiments.experiment import Experiment, Holdout
from shared.decisioning.library import Library
from shared.decisioning.quiet import Quiet
from shared.domain.follow_ups import FollowUps
from shared.domain.milestones import Offsets
from shared.domain.moments import FOLLOW_UPS, Moment, MomentSelector
from shared.domain.tallies import ISSUED

Precedence = tuple[bool, int, float, str]
"""A sort key of campaigns, best first. Fallbacks come last; otherwise it is as `precedence` says."""


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
    quiet: tuple[Quiet, ...] = ()
    """Its own quiet hours and days and those of its channel; a fallback has those of all of its placement."""
    plans_sold: frozenset[str] = frozenset()
    """The plans to which its offer, or that of any variant, leads."""
    is_killed: bool = False
    """True while the catalog's kill switch is on."""
    is_fallback: bool = False
    """True for a placement's fallback: it is for users who are eligible for no campaign of the placement."""
    fixed_precedence: Precedence = field(init=False)
    """Its precedence with its fixed rank: that of a campaign that no score ranks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fixed_precedence", self.precedence(self.terms.fixed_rank))

    def precedence(self, rank: float) -> Precedence:
        """Its precedence with a rank."""
        return self.is_fallback, *precedence(self.id, self.terms, rank)


Listeners = Mapping[MomentSelector, tuple[Campaign, ...]]
"""The campaigns that react to each moment."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All campaigns at one version, made with `compile_catalog`. Two catalogs of one version are equal."""

    version: str
    """A hash of the content, 16 hex digits. The order of keys and explicit defaults do not change it."""
    document: CatalogDocument = field(compare=False, repr=False)
    milestones: Offsets = field(compare=False)
    """The offsets of every milestone; empty for a milestone that the catalog does not use."""
    follow_ups: FollowUps = field(compare=False)
    """The follow-ups that campaigns react to, by the campaign that they follow."""
    campaigns: Mapping[str, Campaign] = field(compare=False, repr=False)
    """Every campaign by its id, fallbacks included."""
    listeners: Listeners = field(compare=False, repr=False)
    raising: Mapping[str, Raise] = field(compare=False, repr=False)
    """The rules of the scores that raise moments, by the name of the score."""
    library: Library = field(compare=False, repr=False)
    number: int = field(default=0, compare=False)
    """The number of its publication: a later one has a higher number, whatever its content. 0 if it has none."""
    asks_features: bool = field(init=False, compare=False)
    """True if an audience or a score asks for a feature that it declares: then the user's features are read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asks_features", bool(self.document.features) and self._asks_features())

    def _asks_features(self) -> bool:
        audiences = (campaign.audience for campaign in self.campaigns.values())
        asked = [one.variables for one in audiences if one]
        asked += [self.library.score(name, one.version).features for name, one in self.document.scores.items()]
        declared = {f"{FEATURE}{name}" for name in self.document.features}
        return not declared.isdisjoint(chain.from_iterable(asked))

    @classmethod
    def of(cls, document: CatalogDocument, audiences: Mapping[str, Audience], library: Library) -> "Catalog":
        """The catalog of a document whose references are all valid."""
        version = blake2b(_canonical(document).encode(), digest_size=8).hexdigest()
        milestones = milestone_offsets(document)
        campaigns, fallbacks = [*_campaigns(document, audiences)], _fallbacks(document, audiences)
        listeners = _with_fallbacks(_listeners(campaigns, document), fallbacks)
        by_id = {campaign.id: campaign for campaign in (*campaigns, *fallbacks)}
        raising = {name: score.raises for name, score in sorted(document.scores.items()) if score.raises}
        follow_ups = _follow_ups(listeners)
        return cls(version, document, milestones, follow_ups, by_id, listeners, raising, library)

    def listening(self, moment: Moment) -> tuple[Campaign, ...]:
        """The campaigns that react to a moment, in no particular order."""
        return self.listeners.get(MomentSelector(moment.kind, moment.offset, moment.campaign), ())

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
    experiments = {id_: Experiment.of(id_, terms, audiences) for id_, terms in document.experiments.items()}
    holdouts = _holdouts(document, audiences)
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
            quiet=quiet_rules(document, terms),
            plans_sold=frozenset(_plans_sold(terms, document)),
            is_killed=document.kill_switch,
        )


def _channel_caps(document: CatalogDocument, placement: str) -> Iterator[Cap]:
    """The caps of a placement's channel, which count all of the user's triggers on that channel."""
    if channel := document.channels.get(document.placements[placement].channel):
        for cap in channel.cap:
            yield Cap(**dict(cap), scope="channel")


def _plans_sold(terms: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """The plan to which each offer of a campaign leads, if it names one."""
    variants = document.experiments[terms.experiment].variants if terms.experiment else ()
    for offer in {terms.offer, *(variant.offer for variant in variants if variant.offer)}:
        if plan := document.offers[offer].plan_to:
            yield plan


def _listeners(
    campaigns: Iterable[Campaign], document: CatalogDocument
) -> dict[MomentSelector, tuple[Campaign, ...]]:
    """The campaigns by moment. A kind that only time brings stands for its offsets in the map of milestones."""
    listeners: dict[MomentSelector, tuple[Campaign, ...]] = {}
    for campaign in campaigns:
        for named in map(parse_selector, campaign.terms.moments):
            for offset in document.milestones.get(named.kind, ()) if named.is_of_map else (named.offset,):
                selector = named._replace(offset=offset)
                listeners[selector] = (*listeners.get(selector, ()), campaign)
    return listeners


def _follow_ups(listeners: Listeners) -> FollowUps:
    follow_ups: dict[str, list[MomentSelector]] = {}
    for selector in listeners:
        if selector.kind in FOLLOW_UPS and selector.campaign:
            follow_ups.setdefault(selector.campaign, []).append(selector)
    return follow_ups


def _fallbacks(document: CatalogDocument, audiences: Mapping[str, Audience]) -> list[Campaign]:
    holdouts = _holdouts(document, audiences)
    return [
        _fallback(id_, document, holdouts)
        for id_, placement in sorted(document.placements.items())
        if placement.fallback
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


def _fallback(placement_id: str, document: CatalogDocument, every: Sequence[Holdout]) -> Campaign:
    """A placement's fallback as a campaign.

    Its cool-down lasts as long as its offer is valid, so
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
    id_ = f"{FALLBACK_PREFIX}{placement_id}"
    holdouts = tuple(holdout for holdout in every if holdout.covers(id_))
    others = (other for other in document.campaigns.values() if other.placement == placement_id)
    return Campaign(
        id_,
        terms,
        offer,
        placement,
        holdouts=holdouts,
        caps=tuple(_channel_caps(document, placement_id)),
        quiet=tuple(dict.fromkeys(rule for other in (terms, *others) for rule in quiet_rules(document, other))),
        plans_sold=frozenset(_plans_sold(terms, document)),
        is_killed=document.kill_switch,
        is_fallback=True,
    )


def _holdouts(document: CatalogDocument, audiences: Mapping[str, Audience]) -> list[Holdout]:
    return [
        Holdout(id_, terms, audiences[terms.audience] if terms.audience else None)
        for id_, terms in sorted(document.holdouts.items())
    ]


@cache
def empty_catalog() -> Catalog:
    """The catalog without campaigns, in force until one is published.

    It is made when somebody asks for it, because that builds the validators of catalogs, and a process that only
    tells who is entitled starts sooner without them.
    """
    return Catalog.of(CatalogDocument(), {}, Library())
