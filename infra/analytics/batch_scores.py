"""Batch scoring on this machine: evaluates a score for every row of a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.analytics.tables import Row
from shared.decisioning.scoring.score import Score, Scored


@dataclass(slots=True)
class RowCounts:
    """Running counts over the rows read so far."""

    unseen: set[str]
    """The features that no row has had yet."""
    rows: int = 0
    failed: int = 0
    """Rows without a score."""


def score_rows(score: Score, rows_read: Iterable[Row], counts: RowCounts) -> Iterator[Scored]:
    """Evaluate the score for each row, and update `counts`."""
    for row in rows_read:
        if isinstance(row, str):
            scored = Scored.failed(score.name, score.version, row)
        else:
            scored = score.evaluate(row)
            counts.unseen.difference_update(row)
        counts.rows += 1
        counts.failed += scored.value is None
        yield scored
