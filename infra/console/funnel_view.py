"""A campaign's funnel as the page shows it: bars, and the table of its parts."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from infra.inspect.funnel import CampaignFunnel
from infra.inspect.funnel_page import title
from infra.inspect.funnel_table import FunnelTable, Row, overview, table_of


class Bar(NamedTuple):
    """One bar, in percent of its base."""

    name: str
    number: int
    width: float
    style: str


class FunnelView(NamedTuple):
    """One campaign."""

    campaign_id: str
    title: str
    overview: tuple[int, ...]
    decided: Sequence[Bar]
    """The fates of the candidates."""
    followed: Sequence[Bar]
    """The fates of the offers."""
    table: FunnelTable
    considered: int
    issued: int


def view_of(funnel: CampaignFunnel) -> FunnelView:
    """The view of one campaign."""
    table = table_of(funnel)
    split = next(place for place, row in enumerate(table.rows) if row.name == "issued")
    decided, followed = table.rows[1 : split + 1], table.rows[split + 1 :]
    return FunnelView(
        funnel.campaign_id,
        title(funnel),
        overview(funnel),
        [*_bars([decided[-1], *decided[:-1]])],
        [*_bars(followed)],
        table,
        funnel.counts.considered,
        funnel.counts.issued,
    )


def _bars(rows: Sequence[Row]) -> Iterator[Bar]:
    """A bar for each stage; for each reason instead of the stage that has them."""
    stage = ""
    for row, following in zip_longest(rows, rows[1:]):
        if not row.is_part:
            stage = row.name
        if following and following.is_part and not row.is_part:
            continue
        name = f"{stage}: {row.name}" if row.is_part else row.name
        yield Bar(name, row.numbers[0], round(100 * (row.shares[0] or 0), 2), "lost" if row.is_part else stage)
