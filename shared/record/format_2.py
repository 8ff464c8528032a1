"""Format 2: records as they were before tallies counted each scope by itself. One is migrated when it is read.

A row counted one event of one campaign with one offer, placement and channel; it becomes counters in each of these
scopes. Sketches are kept as they are, since the names that they count cannot be told.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, cast

from shared.domain.sketches import Sketch
from shared.domain.tallies import SCOPES, Count, Tallies, Tally
from shared.record.rows import reader_of
from shared.record.user_record import UserRecord

TALLIES = UserRecord._fields.index("tallies")
"""The column of a record that had another type."""


class FormerTally(NamedTuple):
    """The count of one event, for the evicted triggers of one campaign with one offer."""

    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    event: str
    number: int
    last_at: datetime


class FormerTallies(NamedTuple):
    """All counters of one user."""

    rows: tuple[FormerTally, ...] = ()
    sketches: tuple[Sketch, ...] = ()


_read_record, _read_tallies = cast(Any, reader_of(UserRecord)), cast(Any, reader_of(FormerTallies))


def migrate(columns: list[Any]) -> UserRecord:
    """The record in the columns of one of format 2. Raises what a reader raises."""
    former = cast(FormerTallies, _read_tallies(columns[TALLIES] if len(columns) > TALLIES else []))
    as_today = [[] if place == TALLIES else column for place, column in enumerate(columns)]
    record = cast(UserRecord, _read_record(as_today))
    rows = [tally for row in former.rows for tally in _by_scope(row)]
    return record._replace(tallies=Tallies(sketches=former.sketches).merged(rows))


def _by_scope(row: FormerTally) -> Iterator[Tally]:
    """The counts of a row under its name in each scope."""
    for scope, name in zip(SCOPES, (*row[:4], ""), strict=True):
        yield Tally(scope, name, (Count(row.event, row.number, row.last_at),))
