"""The runner: what a message changes, and what it leaves alone."""

from contextlib import suppress

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.errors import WarehouseError
from infra.analytics.warehouse.header import InvalidModel
from tests.support.warehouses import DAILY, SEEN, STAGED, TOTAL, UNCHANGED, built, models, payment


@pytest.fixture
def engine(tmp_path):
    with DuckDBEngine.at(str(tmp_path / "warehouse.duckdb")) as engine:
        engine.land("raw_payment", [payment(number, number) for number in range(20)])
        yield engine


@pytest.fixture
def known(tmp_path):
    return models(tmp_path)


def rows_of(engine):
    return {
        "stg_payment": engine.rows(
            "SELECT message_id, user_id, occurred_at, amount, publish_date FROM stg_payment ORDER BY message_id"
        ),
        "daily": engine.rows("SELECT day, payments, amount FROM daily ORDER BY day"),
        "seen": engine.rows("SELECT day, amount FROM seen ORDER BY day"),
        "total": engine.rows("SELECT amount, days FROM total"),
    }


def test_the_first_run_builds_everything_in_order(engine, known):
    days = list(range(20))
    assert list(known) == ["stg_payment", "daily", "seen", "total"]
    assert built(engine, known) == {
        "stg_payment": ("rebuilt", days),
        "daily": ("rebuilt", days),
        "seen": ("view", []),
        "total": ("rebuilt", [None]),
    }
    assert engine.rows("SELECT amount, days FROM total") == [{"amount": 100, "days": 20}]


def test_a_second_run_does_nothing_and_writes_nothing(engine, known, tmp_path):
    built(engine, known)
    before = (tmp_path / "warehouse.duckdb").read_bytes()
    with_state = engine.recall()
    assert built(engine, known) == UNCHANGED
    assert engine.recall() == with_state
    assert (tmp_path / "warehouse.duckdb").read_bytes() == before


def test_a_message_that_landed_ten_days_late_changes_exactly_its_partitions(engine, known):
    built(engine, known)
    engine.land("raw_payment", [payment(99, 9)])
    assert built(engine, known) == {
        "stg_payment": ("replaced", [9]),
        "daily": ("replaced", [9]),
        "seen": ("unchanged", []),
        "total": ("rebuilt", [None]),
    }
    assert built(engine, known) == UNCHANGED


def test_an_event_ten_days_before_its_message_changes_the_day_of_either_beyond_the_lookback(engine, known):
    built(engine, known)
    engine.land("raw_payment", [payment(99, 19, occurred=9)])
    done = built(engine, known)
    assert done["stg_payment"] == ("replaced", [19])
    assert done["daily"] == ("replaced", [9])
    day = engine.rows("SELECT payments FROM daily WHERE day = DATE '2026-03-10'")
    assert day == [{"payments": 2}]


def test_a_row_that_came_to_nothing_stops_what_follows(engine, known):
    built(engine, known)
    engine.land("raw_payment", [payment(99, 9)._replace(data=b"garbage")])
    assert built(engine, known) == UNCHANGED


def test_a_change_that_leaves_a_model_as_it_was_is_not_taken_in_again(engine, known):
    built(engine, known)
    engine.land("raw_payment", [payment(99, 9)._replace(data=b"garbage")])
    built(engine, known)
    assert {state.table: state.seen for state in engine.recall()}["stg_payment"] == 2


def test_a_changed_query_is_built_again_and_changed_words_are_not(engine, known, tmp_path):
    built(engine, known)
    other = models(tmp_path, daily=DAILY.replace("How many.", "The number of payments."))
    assert built(engine, other) == UNCHANGED
    other = models(tmp_path, daily=DAILY.replace("SUM(amount)", "SUM(amount) * 2"))
    done = built(engine, other)
    assert done["stg_payment"] == ("unchanged", [])
    assert done["daily"] == ("rebuilt", list(range(20)))
    assert done["total"] == ("rebuilt", [None])


def test_a_changed_view_builds_its_readers_again(engine, known, tmp_path):
    built(engine, known)
    other = models(tmp_path, seen=SEEN.replace("day, amount FROM", "day, amount + 1 AS amount FROM"))
    assert built(engine, other)["total"] == ("rebuilt", [None])
    assert engine.rows("SELECT amount FROM total") == [{"amount": 120}]


def test_a_model_may_become_a_view_and_a_view_a_table(engine, known, tmp_path):
    built(engine, known)
    table = SEEN.replace("materialized: view", "materialized: table")
    assert built(engine, models(tmp_path, seen=table))["seen"] == ("rebuilt", [None])
    assert built(engine, models(tmp_path, seen=SEEN))["seen"] == ("view", [])


def test_a_partition_whose_rows_are_gone_is_emptied_and_so_is_what_follows(engine, known, tmp_path):
    built(engine, known)
    fewer = STAGED + "AND JSON_VALUE(message, '$.user_id') <> 'u-7'\n"
    done = built(engine, models(tmp_path, stg_payment=fewer))
    assert (done["stg_payment"], done["daily"]) == (("rebuilt", [7]), ("replaced", [7]))
    assert engine.rows("SELECT days FROM total") == [{"days": 19}]
    assert built(engine, models(tmp_path, stg_payment=fewer)) == UNCHANGED


def test_only_selected_models_are_built_and_the_others_catch_up(engine, known):
    assert list(built(engine, known, "+daily")) == ["stg_payment", "daily"]
    engine.land("raw_payment", [payment(99, 9)])
    assert built(engine, known, "stg_payment") == {"stg_payment": ("replaced", [9])}
    assert built(engine, known)["daily"] == ("replaced", [9])
    with pytest.raises(InvalidModel, match="--select: expected a model, found 'nothing'; known are: stg_payment"):
        built(engine, known, "nothing")


def test_a_full_refresh_computes_everything_and_changes_nothing(engine, known):
    built(engine, known)
    before = rows_of(engine)
    done = built(engine, known, full_refresh=True)
    assert all(days == [] for _, days in done.values())
    assert rows_of(engine) == before
    assert built(engine, known) == UNCHANGED


class Killed(BaseException):
    """A stop at any statement, as a kill is."""


@pytest.mark.parametrize("after", range(0, 60, 3))
def test_a_run_that_was_killed_leaves_whole_tables_and_the_next_one_goes_on(engine, known, after, monkeypatch):
    built(engine, known)
    before = rows_of(engine)
    engine.land("raw_payment", [payment(99, 19, occurred=9), payment(98, 4)])
    left = [after]
    do = DuckDBEngine._do

    def counted(self, sql, parameters=None):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return do(self, sql, parameters)

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBEngine, "_do", counted)
        with suppress(Killed):
            built(engine, known)
    halfway = rows_of(engine)
    built(engine, known)
    after_all = rows_of(engine)
    assert all(halfway[name] in (before[name], after_all[name]) for name in ("stg_payment", "daily", "total"))
    assert after_all["total"] == [{"amount": 110, "days": 20}]
    assert built(engine, known) == UNCHANGED


def test_landed_tables_that_are_missing_are_named(known):
    told = "found no raw_payment: upbeat warehouse load DIR"
    with DuckDBEngine.of(duckdb.connect()) as empty, pytest.raises(InvalidModel, match=told):
        built(empty, known)


def test_empty_tables_are_built_empty(known):
    with DuckDBEngine.of(duckdb.connect()) as engine:
        engine.land("raw_payment", [])
        built(engine, known)
        assert engine.rows("SELECT amount, days FROM total") == [{"amount": None, "days": 0}]
        assert built(engine, known) == UNCHANGED


def test_a_row_without_its_partition_is_refused_and_changes_nothing(engine, tmp_path):
    third = "DATE(TIMESTAMP '2026-03-03 00:00:00+00')"
    without = STAGED.replace("DATE(publish_time)", f"NULLIF(DATE(publish_time), {third})")
    known = models(tmp_path, stg_payment=without)
    with pytest.raises(
        WarehouseError, match="stg_payment: expected a day in publish_date of each row, found 1 row"
    ):
        built(engine, known)
    assert "stg_payment" not in engine.relations()


def test_a_failed_query_tells_the_words_of_the_engine(engine, tmp_path):
    known = models(tmp_path, total=TOTAL.replace("SUM(amount)", "SUM(amount) / 0"))
    with pytest.raises(WarehouseError, match="division by zero"):
        built(engine, known)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(-5, 5)), max_size=5),
        min_size=1,
        max_size=4,
    )
)
def test_runs_in_steps_give_what_one_run_over_all_gives(tmp_path_factory, batches):
    known = models(tmp_path_factory.mktemp("models"))
    with DuckDBEngine.of(duckdb.connect()) as stepwise, DuckDBEngine.of(duckdb.connect()) as at_once:
        messages = []
        for batch in batches:
            for published, back, amount in batch:
                messages.append(payment(len(messages), published, published - back, amount))
            stepwise.land("raw_payment", messages)
            built(stepwise, known)
        at_once.land("raw_payment", reversed(messages))
        built(at_once, known)
        assert rows_of(stepwise) == rows_of(at_once)
