"""Quiet rules: the quiet hours and days that a catalog writes for campaigns and channels."""

from datetime import time

from shared.decisioning.document.schema import CampaignTerms, CatalogDocument, Channel
from shared.decisioning.document.vocabulary import parse_days
from shared.decisioning.quiet import ALL_DAYS, Quiet


def quiet_rules(document: CatalogDocument, terms: CampaignTerms) -> tuple[Quiet, ...]:
    """The quiet hours and days of a campaign, and those of its channel."""
    placement = document.placements.get(terms.placement)
    channel = document.channels.get(placement.channel) if placement else None
    return tuple(_quiet(part) for part in (terms, channel) if part and (part.quiet_hours or part.days))


def _quiet(part: CampaignTerms | Channel) -> Quiet:
    hours = part.quiet_hours
    return Quiet(
        (time.fromisoformat(hours.start), time.fromisoformat(hours.end)) if hours else None,
        frozenset[int]().union(*map(parse_days, part.days)) if part.days else ALL_DAYS,
        drops=hours is not None and hours.then == "drop",
    )
