"""The terminal page of campaigns' funnels."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.inspect.funnel import CampaignFunnel
from infra.inspect.funnel_table import OVERVIEW, FunnelTable, overview, table_of

NOTHING = "No campaign was considered: no decision was made, and no catalog is known."
OF_VARIANTS = "The column of a variant begins where the campaign would have won: before, nobody has one."
AT_MOST = 4
"""Columns beside `all` that fit a terminal; more are shown in further tables."""


def page(campaigns: Sequence[CampaignFunnel]) -> Group:
    """All campaigns in a table, and then each one that was considered."""
    if not campaigns:
        return Group(Text(NOTHING))
    considered = [one for one in campaigns if one.counts.considered]
    parts: list[RenderableType] = [_overview(considered)] if considered else []
    if idle := never_considered(campaigns):
        parts += [Text(), Text(idle)]
    for campaign in considered:
        parts += [Text(), *_campaign(campaign)]
    if any(campaign.variants for campaign in considered):
        parts += [Text(), Text(OF_VARIANTS, style="dim")]
    return Group(*parts)


def never_considered(campaigns: Sequence[CampaignFunnel]) -> str:
    """A sentence about the live campaigns whose moments never occurred; empty if there are none."""
    idle = [campaign.campaign_id for campaign in campaigns if not campaign.counts.considered]
    return f"Never considered, since none of their moments occurred: {', '.join(sorted(idle))}." if idle else ""


def in_cell(number: int, share: float | None) -> str:
    """A number, with its share if that is known."""
    if share is None:
        return f"{number:,}"
    return f"{number:,} (<1%)" if 0 < share < 0.005 else f"{number:,} ({100 * share:.0f}%)"


def title(campaign: CampaignFunnel) -> str:
    """The campaign, with its experiments."""
    experiments = dict.fromkeys(part.experiment_id for part in campaign.variants)
    return (
        f"{campaign.campaign_id}, in experiment {', '.join(experiments)}" if experiments else campaign.campaign_id
    )


def _overview(campaigns: Sequence[CampaignFunnel]) -> Table:
    grid = _table("campaign", OVERVIEW)
    for campaign in campaigns:
        grid.add_row(Text(campaign.campaign_id), *(f"{number:,}" for number in overview(campaign)))
    return grid


def _campaign(campaign: CampaignFunnel) -> Iterator[RenderableType]:
    yield Text(title(campaign), style="bold")
    found = table_of(campaign)
    for columns in _together(found):
        yield _part(found, [0, *columns])


def _together(found: FunnelTable) -> Iterator[Sequence[int]]:
    """The columns beside `all` of each table, so that those that are compared stay together."""
    others = range(1, len(found.columns))
    if len(others) <= AT_MOST:
        yield others
        return
    variants, held_out = others[: found.variants], others[found.variants :]
    yield from (variants[start : start + AT_MOST] for start in range(0, len(variants), AT_MOST))
    if held_out:
        yield held_out


def _part(found: FunnelTable, columns: Sequence[int]) -> Table:
    grid = _table("", [found.columns[column] for column in columns])
    for row in found.rows:
        cells = (in_cell(row.numbers[column], row.shares[column]) for column in columns)
        style = "dim" if row.is_part else ""
        grid.add_row(Text(f"{'  ' if row.is_part else ''}{row.name}"), *cells, style=style)
    return grid


def _table(first: str, names: Sequence[str]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    grid.add_column(first, overflow="fold")
    for name in names:
        grid.add_column(Text(name), justify="right", overflow="fold")
    return grid
