"""Campaigns' funnels as parts of an HTML page."""

from collections.abc import Iterator, Sequence

from infra.html_page import Cell, heading, paragraph, table
from infra.inspect.funnel import CampaignFunnel
from infra.inspect.funnel_page import NOTHING, OF_VARIANTS, in_cell, never_considered, title
from infra.inspect.funnel_table import OVERVIEW, Row, overview, table_of

NUMBER, PART = "number", "part"


def sections(campaigns: Sequence[CampaignFunnel]) -> Iterator[str]:
    """All campaigns in a table, and then each one that was considered, with its stages as bars."""
    considered = [one for one in campaigns if one.counts.considered]
    if not campaigns:
        yield paragraph(NOTHING)
    if considered:
        yield table(_head("campaign", OVERVIEW), map(_overview, considered))
    if idle := never_considered(campaigns):
        yield paragraph(idle)
    for campaign in considered:
        yield heading(title(campaign))
        found = table_of(campaign)
        yield table(_head("", found.columns), map(_row, found.rows))
    if any(campaign.variants for campaign in considered):
        yield paragraph(OF_VARIANTS, "quiet")


def _head(first: str, names: Sequence[str]) -> list[Cell]:
    return [Cell(first), *(Cell(name, NUMBER) for name in names)]


def _overview(campaign: CampaignFunnel) -> list[Cell]:
    return [Cell(campaign.campaign_id), *(Cell(f"{number:,}", NUMBER) for number in overview(campaign))]


def _row(row: Row) -> list[Cell]:
    kind = f"{NUMBER} {PART}" if row.is_part else NUMBER
    cells = (
        Cell(in_cell(number, share), kind, None if row.is_part or share is None else min(1.0, share))
        for number, share in zip(row.numbers, row.shares, strict=True)
    )
    return [Cell(row.name, PART if row.is_part else ""), *cells]
