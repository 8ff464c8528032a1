"""Damage: a stored value that is not of its type is named by its path, and nothing damaged reaches a page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from shared.domain.assignments import Assignment
from shared.queries.user_view import everything, to_json
from shared.record.codec import UnreadableRecord, pack, unpack
from shared.record.damage import damage, misfit
from shared.record.user_record import UserRecord
from tests.shared.record.test_codec import inflated, records, written
from tests.support.histories import TERMS, USER
from tests.support.pages import page_of

NOW = datetime(2027, 1, 1, tzinfo=UTC)
JUNK = [None, 5, -1, "x", "", [], {}, [1], True, 1e300, "2026-01-01T00:00:00", 2**63]


@given(records())
def test_a_record_in_good_order_has_none(record: UserRecord) -> None:
    assert damage(unpack(pack(record))) is None


@given(records(), st.data())
def test_a_record_with_any_value_replaced_is_unreadable_or_damaged_or_can_be_shown(
    record: UserRecord, data: st.DataObject
) -> None:
    content = orjson.loads(inflated(pack(record)))
    ways = [*_ways(content[1])][1:]
    *way, last = ways[data.draw(st.integers(0, len(ways) - 1))]
    part = content[1]
    for step in way:
        part = part[step]
    part[last] = data.draw(st.sampled_from(JUNK))
    try:
        changed = unpack(written(content))
    except UnreadableRecord:
        return
    if damage(changed) is None:
        Console(file=StringIO(), width=80).print(page_of(changed, NOW, TERMS))
        assert to_json(everything(changed, NOW, TERMS))


def _ways(content: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value within lists and maps."""
    yield way
    steps = enumerate(content) if isinstance(content, list) else ()
    for step, part in steps:
        yield from _ways(part, (*way, step))


def test_the_first_damaged_part_is_named_by_its_path() -> None:
    assigned = Assignment("x", "", 0, "a", NOW, 0.5)
    record = UserRecord(USER, assignments=(assigned, assigned._replace(variant=5)), sequence="many")  # type: ignore[arg-type]
    assert damage(record) == "record.sequence: not of its type"
    assert damage(record._replace(sequence=1)) == "record.assignments[1].variant: not of its type"


@pytest.mark.parametrize(
    ("kind", "value"),
    [(int, True), (str, None), (datetime, datetime(2026, 1, 1)), (tuple[str, ...], ("a", 1)), (str | None, 1)],  # noqa: DTZ001
)
def test_what_is_nearly_of_its_type_does_not_fit(kind: Any, value: object) -> None:
    assert misfit(kind, value, "here")
