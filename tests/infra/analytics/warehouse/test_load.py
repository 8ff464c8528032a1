"""Loading a raw log: each message once, whatever is loaded again, grows or is torn."""

from datetime import timedelta

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

import duckdb

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.load import load
from infra.errors import UsageError
from infra.raw.line import to_line
from tests.support.warehouses import payment

TOPICS = ("payment", "dead-letter")


@pytest.fixture
def engine():
    with DuckDBEngine.of(duckdb.connect()) as engine:
        yield engine


@pytest.fixture
def file(tmp_path):
    (tmp_path / "raw").mkdir()
    file = tmp_path / "raw" / "payment.jsonl"
    file.write_bytes(b"".join(to_line(payment(number, number)) for number in range(3)))
    return file


def loaded(engine, file):
    (done,) = load(engine, file.parent.parent, TOPICS)
    return done.added, done.known, len(done.unreadable), done.unfinished


def number_of(engine, table):
    return engine.rows(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]  # noqa: S608 - our own names


def test_a_log_is_loaded_with_every_column(engine, file):
    assert loaded(engine, file) == (3, 0, 0, None)
    (row,) = engine.rows("SELECT * FROM raw_payment WHERE message_id = '1'")
    one = payment(1, 1)
    assert row == one._asdict()
    assert number_of(engine, "raw_dead_letter") == 0


def test_the_same_log_twice_adds_nothing_from_wherever_it_is(engine, file, tmp_path):
    loaded(engine, file)
    assert loaded(engine, file) == (0, 0, 0, None)
    copy = tmp_path / "copy" / "raw" / "payment.jsonl"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(file.read_bytes())
    assert loaded(engine, copy) == (0, 3, 0, None)
    assert number_of(engine, "raw_payment") == 3


def test_a_log_that_grew_loads_what_is_new(engine, file):
    loaded(engine, file)
    with file.open("ab") as more:
        more.write(to_line(payment(3, 3)))
    assert loaded(engine, file) == (1, 0, 0, None)


def test_a_log_that_began_anew_is_read_from_its_start(engine, file):
    loaded(engine, file)
    file.write_bytes(b"".join(to_line(payment(number, number, amount=6)) for number in range(2, 9)))
    assert loaded(engine, file) == (7, 0, 0, None)
    file.write_bytes(to_line(payment(3, 3, amount=6)) + to_line(payment(50, 3)))
    assert loaded(engine, file) == (1, 1, 0, None)


def test_a_torn_line_is_told_and_loaded_once_it_is_finished(engine, file):
    line = to_line(payment(3, 3))
    with file.open("ab") as more:
        more.write(line[:20])
    assert loaded(engine, file) == (3, 0, 0, f"{file}: line 4: not finished")
    with file.open("ab") as more:
        more.write(line[20:])
    assert loaded(engine, file) == (1, 0, 0, None)


def test_lines_that_are_no_message_are_told_and_kept(engine, file):
    bad = [b"garbage\n", b'{"message_id": 1}\n', b"\xff\x00\n", b"\n"]
    file.write_bytes(file.read_bytes() + b"".join(bad))
    (done,) = load(engine, file.parent.parent, TOPICS)
    assert done.unreadable[0] == f"{file}: line 4: expected a JSON object, found something else"
    assert (done.added, len(done.unreadable)) == (3, 4)
    kept = engine.rows("SELECT message_id, data, attributes FROM raw_unreadable ORDER BY message_id")
    assert [row["data"] for row in kept] == bad
    assert kept[1]["attributes"]["problem"].startswith("expected")
    loaded(engine, file)
    assert number_of(engine, "raw_unreadable") == 4


def test_messages_that_differ_in_one_column_are_all_kept(engine):
    one = payment(1, 1)
    others = [
        one._replace(message_id="2"),
        one._replace(subscription_name="other"),
        one._replace(publish_time=one.publish_time + timedelta(microseconds=1)),
        one._replace(attributes={}),
        one._replace(data=b""),
    ]
    assert engine.land("raw_payment", [one, *others, one]) == 6
    assert engine.land("raw_payment", [one, *others]) == 0


def test_a_folder_without_a_log_is_refused(engine, tmp_path):
    with pytest.raises(UsageError, match="expected a raw log"):
        load(engine, tmp_path, TOPICS)
    (tmp_path / "summary.jsonl").write_text("")
    with pytest.raises(UsageError, match=r"expected files of topics, found summary\.jsonl"):
        load(engine, tmp_path, TOPICS)
