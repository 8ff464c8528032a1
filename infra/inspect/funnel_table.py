"""A campaign's funnel as a table: the stages are rows, and its parts stand beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from infra.inspect.funnel import CampaignFunnel, Counts
from infra.inspect.funnel_stages import Stage

FEEDBACK = (Stage.DELIVERED, Stage.SEEN, Stage.CLICKED, Stage.ACCEPTED, Stage.DISMISSED, Stage.CONVERTED)
OVERVIEW = ("considered", "issued", "seen", "accepted", "converted", "revoked")
"""The columns of the table of all campaigns."""


class Row(NamedTuple):
    """A stage, or one reason of it."""

    name: str
    numbers: tuple[int, ...]
    """One for each column."""
    of: tuple[int, ...] = ()
    """The numbers of which these are a share: candidates, or triggers issued. Empty if a share says nothing."""
    is_part: bool = False
    """True for one reason of the stage above."""

    @property
    def shares(self) -> tuple[float | None, ...]:
        """From 0 to 1; None where there is nothing to be a share of."""
        if not self.of:
            return (None,) * len(self.numbers)
        return tuple(number / of if of else None for number, of in zip(self.numbers, self.of, strict=True))


class FunnelTable(NamedTuple):
    """The table of one campaign."""

    columns: tuple[str, ...]
    """`all`, the variants, and then the users who are not held out and those who are."""
    rows: tuple[Row, ...]
    variants: int
    """The number of columns of variants."""


def table_of(campaign: CampaignFunnel) -> FunnelTable:
    """The table. A stage of feedback that nothing reached is left out."""
    columns = dict(_columns(campaign))
    return FunnelTable(tuple(columns), tuple(_rows([*columns.values()])), len(campaign.variants))


def overview(campaign: CampaignFunnel) -> tuple[int, ...]:
    """The numbers of `OVERVIEW`."""
    counts = campaign.counts
    revoked = sum(counts.revoked.values())
    return counts.considered, counts.issued, counts.seen, counts.accepted, counts.converted, revoked


def _columns(campaign: CampaignFunnel) -> Iterator[tuple[str, Counts]]:
    yield "all", campaign.counts
    is_one = len({variant.experiment_id for variant in campaign.variants}) == 1
    for part in campaign.variants:
        yield part.variant if is_one else f"{part.experiment_id}/{part.variant}", part.counts
    if campaign.held_out and campaign.treated:
        yield "not held out", campaign.treated
        yield "held out", campaign.held_out


def _rows(columns: Sequence[Counts]) -> Iterator[Row]:
    considered = tuple(counts.considered for counts in columns)
    issued = tuple(counts.issued for counts in columns)
    yield Row("considered", considered)
    yield from _with_reasons("lost", [counts.lost for counts in columns], considered)
    yield Row("issued", issued, considered)
    for stage in FEEDBACK:
        numbers = tuple(getattr(counts, stage) for counts in columns)
        if any(numbers):
            yield Row(stage.value, numbers, issued)
    yield from _with_reasons("revoked", [counts.revoked for counts in columns], issued)


def _with_reasons(name: str, columns: Sequence[Mapping[str, int]], of: tuple[int, ...]) -> Iterator[Row]:
    """A stage and its reasons, in the order of the first column, which has them all; nothing if there is none."""
    if not columns[0]:
        return
    yield Row(name, tuple(sum(reasons.values()) for reasons in columns), of)
    for reason in columns[0]:
        yield Row(reason or "no reason", tuple(reasons.get(reason, 0) for reasons in columns), of, is_part=True)
