"""The export writes the rows that changed and no others, and deletes what it wrote itself and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

from infra.analytics.features.changes import Changes, Outcome
from infra.analytics.features.export import export, plan
from infra.analytics.warehouse.engine import open_engine
from infra.errors import InfraError, UsageError
from shared.adapters.gcp.feature_rows import row_key
from tests.support.bigtable import EmulatedTable

pytestmark = pytest.mark.emulator

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=30)
ROWS = {
    "anna": (NOON, 120.5, "gold", True),
    "ben": (NOON, -3.0, None, False),
    "émile": (NOON, None, "", None),
}


@pytest.fixture
def run(warehouse, table):
    """A function that exports what the warehouse has."""

    def exported(*only: str, into: Any = table, dry: bool = False, everything: bool = False) -> Outcome:
        with open_engine(warehouse) as engine:
            changes = Changes(engine, DAY, only, everything=everything)
            return plan(changes, NOW) if dry else export(changes, into, NOW)

    return exported


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.rows, outcome.written, outcome.unchanged, outcome.deleted


def later(rows: dict[str, tuple], by: timedelta, **changed: tuple) -> dict[str, tuple]:
    """The rows as of a later instant, some of them with other values."""
    return {user: (at + by, *changed.get(user, values)) for user, (at, *values) in rows.items()}


def test_the_first_export_writes_every_feature_of_every_user_with_its_time_and_a_mark(put, run, table) -> None:
    put(ROWS)
    assert run() == Outcome(3, 3, 0, 0, ("value", "segment", "vip"))
    assert table.cells == {
        "anna": {
            "features:value": [(b"120.5", NOON)],
            "features:segment": [(b'"gold"', NOON)],
            "features:vip": [(b"true", NOON)],
            "export:by": [(b"upbeat", NOON)],
        },
        "ben": {
            "features:value": [(b"-3.0", NOON)],
            "features:segment": [(b"null", NOON)],
            "features:vip": [(b"false", NOON)],
            "export:by": [(b"upbeat", NOON)],
        },
        "émile": {
            "features:value": [(b"null", NOON)],
            "features:segment": [(b'""', NOON)],
            "features:vip": [(b"null", NOON)],
            "export:by": [(b"upbeat", NOON)],
        },
    }


def test_the_same_again_writes_nothing(put, run, table) -> None:
    put(ROWS)
    run()
    before = table.cells
    assert counts(run()) == (3, 0, 3, 0)
    assert table.cells == before


def test_a_table_that_was_made_anew_gets_all_rows_on_demand(put, run, bigtable, project, monkeypatch) -> None:
    put(ROWS)
    run()
    anew = EmulatedTable(bigtable, project, monkeypatch)
    assert counts(run(into=anew)) == (3, 0, 3, 0)
    assert counts(run(into=anew, everything=True)) == (3, 3, 0, 0)
    assert anew.cells.keys() == ROWS.keys()


@pytest.mark.parametrize(
    "values", [(121.0, "gold", True), (None, "gold", True), (120.5, None, True), (120.5, "gold", None)]
)
def test_only_rows_that_changed_are_written_also_to_null(put, run, table, values: tuple) -> None:
    put(ROWS)
    run()
    put(later(ROWS, timedelta(hours=1), anna=values))
    assert counts(run()) == (3, 1, 2, 0)
    assert {user: cells["features:value"][0][1] for user, cells in table.cells.items()} == {
        "anna": NOON + timedelta(hours=1),
        "ben": NOON,
        "émile": NOON,
    }


def test_a_row_that_does_not_change_is_confirmed_after_its_time(put, run, table) -> None:
    put(ROWS)
    run()
    for hours, written in ((10, 0), (23, 0), (24, 3), (30, 0), (47, 0), (48, 3)):
        put(later(ROWS, timedelta(hours=hours)))
        assert counts(run()) == (3, written, 3 - written, 0)
    assert table.cells["ben"]["features:value"][0] == (b"-3.0", NOON + timedelta(hours=48))


def test_what_disappeared_is_deleted(put, run, table) -> None:
    put(ROWS)
    run()
    put({user: row for user, row in ROWS.items() if user != "ben"})
    assert counts(run(dry=True)) == (2, 0, 2, 1)
    assert "ben" in table.cells
    assert counts(run()) == (2, 0, 2, 1)
    assert table.cells.keys() == {"anna", "émile"}
    assert counts(run()) == (2, 0, 2, 0)


def test_a_user_who_comes_back_is_written_again(put, run, table) -> None:
    put(ROWS)
    run()
    put({"anna": ROWS["anna"]})
    run()
    put(ROWS)
    assert counts(run()) == (3, 2, 1, 0)
    assert table.cells.keys() == ROWS.keys()


def test_what_others_wrote_stays(put, run, table) -> None:
    """A row without the mark, a column of another family, and a cell that is newer than the export."""
    put(ROWS)
    run()
    table.put("stranger", "value", b"1", NOON)
    table.put("ben", "value", b"7", NOON + DAY)
    table.put("émile", "theirs", b"8", NOON)
    put({"anna": ROWS["anna"]})
    assert counts(run()) == (1, 0, 1, 2)
    assert table.cells.keys() == {"anna", "stranger", "ben", "émile"}
    assert table.cells["émile"] == {"features:theirs": [(b"8", NOON)]}
    assert table.cells["ben"] == {"features:value": [(b"7", NOON + DAY)]}
    assert table.cells["stranger"] == {"features:value": [(b"1", NOON)]}


def test_a_row_whose_mark_is_gone_is_somebody_elses(put, run, table) -> None:
    put(ROWS)
    run()
    row = table._table.direct_row(row_key("ben"))
    row.delete_cell("export", b"by")
    row.commit()
    put({"anna": ROWS["anna"], "émile": ROWS["émile"]})
    assert counts(run()) == (2, 0, 2, 0)
    assert table.cells["ben"]["features:value"] == [(b"-3.0", NOON)]


def test_an_export_that_fails_is_made_again(put, run, table) -> None:
    class Failing:
        def __init__(self, at: str) -> None:
            self.at = at

        def write(self, rows, retired):
            yield from table.write(list(rows)[:1] if self.at == "write" else rows, retired)
            if self.at == "write":
                raise InfraError("Bigtable: UNAVAILABLE")

        def delete(self, _rows, _features):
            raise InfraError("Bigtable: UNAVAILABLE")

    put(ROWS)
    for at, cells in (("write", 1), ("delete", 3)):
        with pytest.raises(InfraError):
            run(into=Failing(at))
        assert len(table.cells) == cells
    assert counts(run()) == (3, 3, 0, 0)
    put({"anna": ROWS["anna"]})
    with pytest.raises(InfraError):
        run(into=Failing("delete"))
    assert counts(run()) == (1, 0, 1, 2)


def test_some_features_can_be_exported_and_another_choice_writes_all_again(put, run, table) -> None:
    put(ROWS)
    assert run("value") == Outcome(3, 3, 0, 0, ("value",))
    assert table.cells["anna"].keys() == {"features:value", "export:by"}
    put(later(ROWS, timedelta(hours=1), anna=(120.5, "silver", False)))
    assert counts(run("value")) == (3, 0, 3, 0)
    assert counts(run("segment", "value")) == (3, 3, 0, 0)
    assert table.cells["anna"].keys() == {"features:value", "features:segment", "export:by"}
    assert counts(run("vip")) == (3, 3, 0, 0)
    assert table.cells["anna"].keys() == {"features:vip", "export:by"}
    with pytest.raises(
        UsageError, match=r"--only: expected features of user_features \(value, segment, vip\), found x"
    ):
        run("x")


def test_a_model_that_is_missing_or_empty_deletes_nothing(put, run, table, warehouse) -> None:
    import duckdb  # noqa: PLC0415

    put(ROWS)
    run()
    put({})
    with pytest.raises(
        InfraError, match="user_features: expected rows, found none; nothing is written, and nothing"
    ):
        run()
    with duckdb.connect(warehouse) as connection:
        connection.execute("DROP TABLE user_features")
    with pytest.raises(InfraError, match="expected the model user_features in the warehouse, found none"):
        run()
    assert table.cells.keys() == ROWS.keys()


def test_a_row_of_the_future_stops_the_export_before_it_writes(put, run, table) -> None:
    put({**ROWS, "zoe": (NOW + timedelta(seconds=1), 1.0, None, None)})
    with pytest.raises(InfraError, match=r"expected as_of up to now \(2026-03-31T12:00:00\+00:00\), found"):
        run()
    with pytest.raises(InfraError):
        run(dry=True)
    assert table.cells == {}


def test_a_value_that_no_feature_can_have_is_refused_by_name(put, run, warehouse) -> None:
    import duckdb  # noqa: PLC0415

    put(ROWS)
    with duckdb.connect(warehouse) as connection:
        connection.execute("ALTER TABLE user_features ADD COLUMN born DATE DEFAULT DATE '1990-01-01'")
    with pytest.raises(InfraError, match=r"user_features.born: expected numbers, text or booleans, found date"):
        run()


def test_many_rows_take_several_requests_and_are_all_written(put, run, table, monkeypatch) -> None:
    monkeypatch.setattr("infra.analytics.features.table.ROWS_AT_ONCE", 4)
    put({f"user-{number}": (NOON, float(number), None, None) for number in range(10)})
    assert counts(run()) == (10, 10, 0, 0)
    assert len(table.cells) == 10


def test_the_row_of_one_user_is_read_and_forgotten_whoever_wrote_it(table):
    table.put("ada", "spent", b"12.5", NOON)
    table.put("ada", "odd", b"no JSON\xff", NOON)
    table.put("ada2", "spent", b"1", NOON)
    assert table.read("ada") == {
        "spent": {"value": 12.5, "as_of": NOON},
        "odd": {"value": "no JSON\\xff", "as_of": NOON},
    }
    table.forget("ada")
    table.forget("nobody")
    assert (table.read("ada"), table.read("nobody")) == ({}, {})
    assert set(table.cells) == {"ada2"}
