"""Assertions: queries whose rows are failures."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

import duckdb

from infra.analytics.warehouse.checks import check, days_before, read_assertions
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.header import InvalidModel
from tests.support.warehouses import DAILY, STAGED, START, TOTAL, built, models, payment

TESTED = STAGED.replace(
    "-- tests: {not_null: [user_id]}\n",
    "-- tests:\n"
    "--   not_null: [user_id, amount]\n"
    '--   accepted_values: {user_id: [u-0, u-1, "it\'s"]}\n'
    "--   references: {publish_date: daily.day}\n"
    "--   fresh: {column: occurred_at, hours: 24}\n"
    "--   volume: {days: 7, least: 0.5, most: 2}\n",
)
NOW = START + timedelta(days=9)


@pytest.fixture
def engine():
    with DuckDBEngine.of(duckdb.connect()) as engine:
        yield engine


def failures(engine, folder, messages, now=NOW, since=date(1990, 1, 1), **files):
    known = models(folder, **{"stg_payment": TESTED, **files})
    engine.land("raw_payment", messages)
    built(engine, known)
    return {
        each.name: each.failures
        for each in check(engine, read_assertions(known, folder), now, since)
        if not each.holds
    }


def daily(days, each=2):
    return [payment(number % 2, day, amount=number) for day in range(days) for number in range(each)]


def ids(messages):
    return [message._replace(message_id=str(number)) for number, message in enumerate(messages)]


def test_what_holds_gives_no_row(engine, tmp_path):
    assert failures(engine, tmp_path, ids(daily(9))) == {}


def test_a_key_that_occurs_twice_is_shown(engine, tmp_path):
    found = failures(engine, tmp_path, daily(9, each=1))
    assert found["stg_payment.unique"] == [{"message_id": "0", "number_of_rows": 9}]


def test_missing_unknown_and_unreferred_values_are_shown(engine, tmp_path):
    odd = payment(7, 8)
    none = payment(1, 8)._replace(data=b'{"user_id": null, "occurred_at": "2026-03-09T12:00:00Z", "amount": "x"}')
    far = payment(1, 7, occurred=2)
    found = failures(engine, tmp_path, ids([*daily(5), odd, none, far]))
    assert found["stg_payment.not_null.user_id"] == [{"number_of_rows": 1}]
    assert found["stg_payment.not_null.amount"] == [{"number_of_rows": 1}]
    assert found["stg_payment.accepted_values.user_id"] == [{"user_id": "u-7", "number_of_rows": 1}]
    assert found["stg_payment.references.publish_date"] == [
        {"publish_date": date(2026, 3, 8), "number_of_rows": 1}
    ]


def test_an_old_or_an_empty_model_is_not_fresh(engine, tmp_path):
    found = failures(engine, tmp_path, ids(daily(9)), now=NOW + timedelta(hours=1))
    assert found["stg_payment.fresh"] == [{"newest": START + timedelta(days=8)}]
    with DuckDBEngine.of(duckdb.connect()) as empty:
        assert failures(empty, tmp_path, [])["stg_payment.fresh"] == [{"newest": None}]


@pytest.mark.parametrize(("last", "holds"), [(0, False), (1, True), (2, True), (4, True), (5, False)])
def test_the_volume_of_yesterday_is_bounded_by_the_mean_of_the_days_before(engine, tmp_path, last, holds):
    found = failures(engine, tmp_path, ids([*daily(8), *(payment(0, 8, amount=n) for n in range(last))]))
    assert ("stg_payment.volume" not in found) is holds


def test_only_the_partitions_since_a_day_are_checked(engine, tmp_path):
    since = days_before(NOW, 3)
    assert since == date(2026, 3, 7)
    found = failures(engine, tmp_path, ids([*daily(9), payment(7, 2)]), since=since)
    assert "stg_payment.accepted_values.user_id" not in found


def test_own_assertions_are_files_with_a_sentence(engine, tmp_path):
    (tmp_path / "assertions").mkdir()
    file = tmp_path / "assertions" / "few_payments.sql"
    file.write_text(
        "-- description: No day has more than two payments.\nSELECT day FROM daily WHERE payments > 2\n"
    )
    found = failures(engine, tmp_path, ids([*daily(9), payment(0, 3)]))
    assert found["few_payments"] == [{"day": date(2026, 3, 4)}]
    for text, said in {
        "SELECT day FROM daily": "line 1: expected a header",
        "-- description: A sentence.\nSELECT RAND() AS a": "line 2: expected a function of the portable subset",
        "-- description: A sentence.\nSELECT message_id FROM stg_payment": "line 2: expected a filter of",
    }.items():
        file.write_text(text)
        with pytest.raises(InvalidModel, match=said):
            read_assertions(models(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "daily",
            DAILY.replace("-- columns", "-- tests: {references: {day: nothing.day}}\n-- columns"),
            "nothing.day",
        ),
        (
            "daily",
            DAILY.replace("-- columns", "-- tests: {references: {day: total.day}}\n-- columns"),
            "total.day",
        ),
        (
            "total",
            TOTAL.replace("-- columns", "-- tests: {volume: {least: 0, most: 1}}\n-- columns"),
            "a partition",
        ),
    ],
)
def test_assertions_that_name_nothing_are_refused(tmp_path, name, text, said):
    with pytest.raises(InvalidModel, match=said):
        read_assertions(models(tmp_path, **{name: text}), tmp_path)


def test_values_with_quotes_are_values(engine, tmp_path):
    odd = payment(0, 8)._replace(data=b'{"user_id": "it\'s", "occurred_at": "2026-03-09T12:00:00Z", "amount": 1}')
    assert "stg_payment.accepted_values.user_id" not in failures(engine, tmp_path, ids([*daily(9), odd]))
    assert datetime(2026, 3, 9, 12, tzinfo=UTC) == START + timedelta(days=8)
