"""Contract of the `Features` port: a table of Bigtable, and the rows of a file."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.analytics.features.rows import FeatureRow
from infra.replay.features_file import read_features
from shared.adapters.gcp.bigtable import BigtableFeatures
from shared.adapters.gcp.connection import BIGTABLE, connections
from shared.domain.features import NO_FEATURES, Feature, KnownFeatures
from shared.ports import Features
from tests.support.bigtable import EmulatedTable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GENEROUS_SECONDS = 30.0
Row = tuple[str, datetime, dict[str, Any]]
"""A user, the instant of which the row tells, and the features."""
Source = Callable[[list[Row]], Features]


@pytest.fixture(params=["file", pytest.param("bigtable", marks=pytest.mark.emulator)])
async def source(request, tmp_path: Path, project, monkeypatch) -> AsyncIterator[Source]:
    """A function that makes a source with some rows, written in their order."""
    if request.param == "file":

        def of_file(rows: list[Row]) -> Features:
            lines = [json.dumps({"user_id": user, "as_of": at.isoformat(), **values}) for user, at, values in rows]
            (tmp_path / "features.jsonl").write_text("\n".join(lines))
            return read_features(tmp_path / "features.jsonl")

        yield of_file
        return
    emulator = request.getfixturevalue("bigtable")
    table = EmulatedTable(emulator, project, monkeypatch)
    async with AsyncExitStack() as stack:

        def of_bigtable(rows: list[Row]) -> Features:
            for row in rows:
                list(table.write([FeatureRow(*row)]))
            (connection,) = connections({"BIGTABLE_EMULATOR_HOST": emulator.host}, BIGTABLE)
            stack.push_async_callback(connection.close)
            return BigtableFeatures(connection, table.name, GENEROUS_SECONDS)

        yield of_bigtable


async def test_a_user_of_whom_nothing_is_written_has_no_features(source: Source) -> None:
    features = source([("ben", NOON, {"value": 1})])
    assert await features.load("anna", NOON) == NO_FEATURES


@pytest.mark.parametrize(
    "value", [0, -1, 2**53, 0.1, 1e300, "", "gold", "émile ✓", "x" * 10_000, True, False, None]
)
async def test_a_value_is_read_as_it_was_written(source: Source, value: Any) -> None:
    (found,) = (await source([("anna", NOON, {"value": value})]).load("anna", NOON)).values.values()
    assert found == Feature(value, NOON)
    assert type(found.value) is type(value)


async def test_each_user_has_their_own(source: Source) -> None:
    users = ["anna", "ben", "émile", "a#b", "a", "z" * 128, "7", "."]
    features = source([(user, NOON, {"value": number, "name": user}) for number, user in enumerate(users)])
    for number, user in enumerate(users):
        expected = {"value": Feature(number, NOON), "name": Feature(user, NOON)}
        assert await features.load(user, NOON) == KnownFeatures(expected)


async def test_the_newest_value_up_to_now_is_known_with_its_time(source: Source) -> None:
    features = source(
        [
            ("anna", NOON, {"value": 2, "gone": "x"}),
            ("anna", NOON - HOUR, {"value": 1, "gone": "w"}),
            ("anna", NOON + HOUR, {"value": 3, "gone": None}),
        ]
    )
    known = [(await features.load("anna", NOON + hours * HOUR)).values for hours in (-2, -1, 0, 0.5, 1, 24)]
    assert known == [
        {},
        {"value": Feature(1, NOON - HOUR), "gone": Feature("w", NOON - HOUR)},
        {"value": Feature(2, NOON), "gone": Feature("x", NOON)},
        {"value": Feature(2, NOON), "gone": Feature("x", NOON)},
        {"value": Feature(3, NOON + HOUR), "gone": Feature(None, NOON + HOUR)},
        {"value": Feature(3, NOON + HOUR), "gone": Feature(None, NOON + HOUR)},
    ]


async def test_a_feature_that_newer_rows_do_not_have_keeps_its_value_and_its_time(source: Source) -> None:
    features = source([("anna", NOON - HOUR, {"old": 1, "value": 1}), ("anna", NOON, {"value": 2})])
    known = (await features.load("anna", NOON)).values
    assert known == {"old": Feature(1, NOON - HOUR), "value": Feature(2, NOON)}


async def test_of_one_instant_the_later_row_holds(source: Source) -> None:
    features = source([("anna", NOON, {"value": 1}), ("anna", NOON, {"value": 2})])
    assert (await features.load("anna", NOON)).values == {"value": Feature(2, NOON)}


async def test_an_instant_of_less_than_a_millisecond_is_in_time(source: Source) -> None:
    """Bigtable's times are whole milliseconds, rounded down."""
    features = source([("anna", NOON + timedelta(microseconds=999), {"value": 1})])
    known = await features.load("anna", NOON + timedelta(microseconds=999))
    assert known.values["value"].value == 1
