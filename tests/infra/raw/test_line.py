import re
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.raw.line import COLUMNS, Landed, UnreadableLine, from_line, subscription_name, to_line
from infra.topology import ROOT

AT = datetime(2026, 3, 1, 9, 0, 0, 120_000, tzinfo=UTC)
NAME = subscription_name("p", "payment")
LANDED = Landed(NAME, "7", AT, {"source": "shop"}, b'{"a": 1}')

messages = st.builds(
    Landed,
    st.text(),
    st.text(),
    st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(st.text(), st.text(), max_size=3),
    st.binary(max_size=99),
)


@given(messages)
def test_whatever_was_published_is_read_as_it_was_written(landed):
    line = to_line(landed)
    assert line.count(b"\n") == 1
    assert from_line(line) == landed


def test_the_columns_are_those_of_the_raw_tables():
    terraform = (ROOT / "infra/terraform/warehouse.tf").read_text()
    columns = dict(
        re.findall(r'^    (\w+)\s+= "([A-Z]+)"', terraform.split("raw_columns")[1].split("}")[0], re.MULTILINE)
    )
    assert columns == {
        "subscription_name": "STRING",
        "message_id": "STRING",
        "publish_time": "TIMESTAMP",
        "attributes": "JSON",
        "data": "BYTES",
    }
    assert set(orjson.loads(to_line(LANDED))) == set(columns) == set(COLUMNS)


def test_a_line_says_all_in_the_types_of_a_load():
    assert orjson.loads(to_line(LANDED)) == {
        "subscription_name": "projects/p/subscriptions/payment-landing",
        "message_id": "7",
        "publish_time": "2026-03-01T09:00:00.120000Z",
        "attributes": {"source": "shop"},
        "data": "eyJhIjogMX0=",
    }


def test_a_line_of_an_export_is_read_too():
    columns = orjson.loads(to_line(LANDED))
    as_exported = {"publish_time": "2026-03-01 09:00:00.12 UTC", "attributes": '{"source": "shop"}'}
    assert from_line(orjson.dumps(columns | as_exported)) == LANDED
    del columns["data"], columns["attributes"]
    assert from_line(orjson.dumps(columns)) == LANDED._replace(data=b"", attributes={})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "expected a JSON object, found something else"),
        (b"\xff", "expected a JSON object, found something else"),
        (to_line(LANDED)[:40], "expected a JSON object, found something else"),
        (b"[]", "expected a JSON object, found another kind of JSON"),
        (b"{}", "found no subscription_name"),
    ],
)
def test_what_is_no_line_is_refused_with_what_was_found(line, told):
    with pytest.raises(UnreadableLine, match=told):
        from_line(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": 7},
        {"publish_time": "2026-03-01T09:00:00"},
        {"publish_time": "yesterday"},
        {"publish_time": 5},
        {"publish_time": "9999-12-31T23:59:59-10:00"},
        {"attributes": []},
        {"attributes": [1]},
        {"attributes": {"a": 1}},
        {"attributes": "{"},
        {"data": "%"},
        {"data": 5},
        {"data": []},
        {"data": False},
        {"data": {"a": 1}},
    ],
)
def test_a_column_of_another_type_is_refused(wrong):
    with pytest.raises(UnreadableLine, match="another type"):
        from_line(orjson.dumps(orjson.loads(to_line(LANDED)) | wrong))
