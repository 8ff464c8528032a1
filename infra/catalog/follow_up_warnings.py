"""Warnings about campaigns that follow others: the open trigger that they follow would keep them from winning."""

from collections.abc import Iterator
from datetime import timedelta

from shared.decisioning.document.problems import problem
from shared.decisioning.document.schema import CampaignTerms, CatalogDocument
from shared.decisioning.document.vocabulary import parse_selector
from shared.domain.moments import MomentKind, MomentSelector


def follow_up_warnings(id_: str, campaign: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """The warning about each campaign that this one cannot win against, open as it is when the moment comes."""
    told = set[str]()
    for selector in map(parse_selector, campaign.moments):
        if selector.campaign and selector.campaign not in told:
            followed = document.campaigns[selector.campaign]
            if _is_open_then(followed, selector, document):
                told.add(selector.campaign)
                yield from _in_the_way(id_, campaign, selector.campaign, document)


def _in_the_way(id_: str, campaign: CampaignTerms, followed_id: str, document: CatalogDocument) -> Iterator[str]:
    followed, group = document.campaigns[followed_id], campaign.exclusivity_group
    if group and group == followed.exclusivity_group:
        expected = f"another group than that of {followed_id}, whose open trigger excludes what follows it"
        yield problem(f"campaigns.{id_}.exclusivity_group", expected, group)
    elif not _gets_a_place(campaign, followed, document):
        expected = f"more than that of {followed_id} ({followed.priority}), which holds the only place then"
        yield problem(f"campaigns.{id_}.priority", expected, campaign.priority)


def _is_open_then(followed: CampaignTerms, selector: MomentSelector, document: CatalogDocument) -> bool:
    """True if a trigger of the followed campaign is still open, and not dismissed, when the moment comes."""
    if selector.kind is MomentKind.FEEDBACK_DISMISSED:
        return False
    hours = followed.expires_after_hours or document.offers[followed.offer].validity_hours
    return timedelta(hours=hours) > (selector.offset or timedelta(0))


def _gets_a_place(campaign: CampaignTerms, followed: CampaignTerms, document: CatalogDocument) -> bool:
    """True if the followed campaign's open trigger leaves a place, or its own."""
    placement = document.placements[campaign.placement]
    if campaign.placement != followed.placement or placement.holds == "decision" or placement.max_triggers > 1:
        return True
    return campaign.replaces and campaign.priority > followed.priority
