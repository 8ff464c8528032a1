"""Format 2: records with one row for each campaign, offer and event, and with sketches, count at least the same.

`format_2.json` holds records as that version wrote them, with everything that had happened to their triggers.
"""

from base64 import b64decode
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.decisioning.document.vocabulary import MAX_CAP
from shared.domain.tallies import MAX_NAMES, SCOPES, events_of
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord

RECORDS: dict[str, Any] = orjson.loads((Path(__file__).parent / "format_2.json").read_bytes())
each = pytest.mark.parametrize("name", sorted(RECORDS))


def read(name: str) -> UserRecord:
    return unpack(b64decode(RECORDS[name]["blob"]))


def counted(record: UserRecord, scope: str, name: str, event: str) -> int:
    """The events that the record still counts under a name: stored, tallied, and in sketches."""
    stored = sum(
        kind == event and SCOPES[scope](trigger) == name
        for trigger in record.triggers
        for kind, _ in events_of(trigger)
    )
    tallied = sum(
        count.number
        for tally in record.tallies.rows
        for count in tally.counts
        if tally[:2] == (scope, name) and count.event == event
    )
    sketches = record.tallies.sketches
    return stored + tallied + sum(one.estimate(scope, name) for one in sketches if one.event == event)


@each
def test_nothing_that_happened_is_lost(name: str) -> None:
    record = read(name)
    for place, number in RECORDS[name]["happened"].items():
        scope, of, event = place.split("/")
        assert counted(record, scope, of, event) >= min(number, MAX_CAP), place


def test_rows_become_exact_counters_of_each_scope() -> None:
    record = read("rows")
    assert record.tallies.sketches == ()
    for place, number in RECORDS["rows"]["happened"].items():
        scope, of, event = place.split("/")
        assert counted(record, scope, of, event) == number, place


def test_sketches_are_kept_as_they_are() -> None:
    record = read("sketches")
    assert [sketch.event for sketch in record.tallies.sketches] == ["delivered", "dismissed", "issued", "withheld"]
    grown = record.tallies.plus(record.triggers[0], events_of(record.triggers[0]))
    assert grown.sketches == record.tallies.sketches


@each
def test_a_record_is_written_back_as_of_today(name: str) -> None:
    record = read(name)
    assert unpack(pack(record)) == record
    assert record.tallies.most_names <= MAX_NAMES
