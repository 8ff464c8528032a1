"""Campaigns and offers that a catalog closes: nothing new is offered, and what is open has to be recalled."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.document.schema import CatalogDocument

APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Closed:
    """The campaigns and offers that one catalog offers and the one that replaces it does not."""

    everything: bool = False
    """True if the kill switch was turned on."""
    campaigns: tuple[str, ...] = ()
    """Campaigns that were open and no longer are, or are gone; fallbacks included."""
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Offers that are no longer approved, or are gone, each with the campaigns that are still open and made it."""

    def __bool__(self) -> bool:
        return self.everything or bool(self.campaigns) or bool(self.offers)


def closed(before: Catalog, after: Catalog, now: datetime) -> Closed:
    """The campaigns and offers of `before` that `after` closes, at `now` (UTC)."""
    if after.document.kill_switch:
        return Closed(everything=not before.document.kill_switch)
    was_open = [id_ for id_ in before.campaigns if is_open(before, id_, now)]
    offers: dict[str, tuple[str, ...]] = {}
    for id_ in was_open:
        if is_open(after, id_, now):
            for offer in sorted(_offers(before.campaigns[id_], before.document)):
                if is_closed_offer(after, offer) and not is_closed_offer(before, offer):
                    offers[offer] = (*offers.get(offer, ()), id_)
    return Closed(False, tuple(sorted(id_ for id_ in was_open if not is_open(after, id_, now))), offers)


def is_open(catalog: Catalog, campaign_id: str, now: datetime) -> bool:
    """True if the campaign may offer something at `now` (UTC), to users in its audience."""
    campaign = catalog.campaigns.get(campaign_id)
    if campaign is None or catalog.document.kill_switch:
        return False
    terms = campaign.terms
    is_within = (terms.starts_at is None or terms.starts_at <= now) and (
        terms.ends_at is None or now < terms.ends_at
    )
    return terms.state == "live" and campaign.offer.status == APPROVED and is_within


def is_closed_offer(catalog: Catalog, offer_id: str) -> bool:
    """True if an offer is not approved, or not in the catalog."""
    offer = catalog.document.offers.get(offer_id)
    return offer is None or offer.status != APPROVED


def campaigns_with(catalog: Catalog, offer_id: str) -> tuple[str, ...]:
    """The campaigns that make an offer, themselves or by a variant."""
    of_all = catalog.campaigns.items()
    return tuple(sorted(id_ for id_, campaign in of_all if offer_id in _offers(campaign, catalog.document)))


def recalls(closing: Closed, most: int) -> Iterator[list[str]]:
    """The arguments of `upbeat catalog recall` that recall all that was closed, `most` campaigns at a time."""
    if closing.everything:
        yield ["--all"]
    for part in _parts(closing.campaigns, most):
        yield [*part]
    for offer, campaigns in closing.offers.items():
        yield from ([*part, "--offer", offer] for part in _parts(campaigns, most))


def _parts(ids: tuple[str, ...], most: int) -> Iterator[tuple[str, ...]]:
    return (ids[start : start + most] for start in range(0, len(ids), most))


def _offers(campaign: Campaign, document: CatalogDocument) -> set[str]:
    """The offers of a campaign: its own, and those of its variants."""
    experiment = campaign.terms.experiment
    variants = document.experiments[experiment].variants if experiment else ()
    return {campaign.terms.offer, *(variant.offer for variant in variants if variant.offer)}
