"""What landed becomes typed rows: each event and message once, by its identity; what cannot be read is shown."""

import json
from base64 import b64encode
from collections import Counter

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from tests.support.raw_rows import (
    Warehouse,
    at,
    event,
    landed,
    letter,
    message,
    paid,
    text,
    tick,
)

EVENT = {"event_id": "e", "user_id": "u", "occurred_at": "2026-01-01T00:00:00Z", "kind": "clicked"}
WITHOUT = {"user_id": "u", "kind": "clicked"}
CE = {"ce-id": "ce", "ce-source": "/shop", "ce-time": "2026-01-01T00:00:00Z", "ce-specversion": "1.0"}
STRUCTURED = {"specversion": "1.0", "id": "ce", "source": "/shop", "time": "2026-01-01T00:00:00Z"}
FORMS = {
    "an event as it is": (EVENT, {}, ("", "e", "u", "main", at(0))),
    "its own source and subscription": (
        EVENT | {"source": "app", "subscription_id": "s"},
        {},
        ("app", "e", "u", "s", at(0)),
    ),
    "null counts as left out": (
        EVENT | {"source": None, "subscription_id": None},
        {},
        ("", "e", "u", "main", at(0)),
    ),
    "binary CloudEvent: fills in what is missing": (WITHOUT, CE, ("/shop", "ce", "u", "main", at(0))),
    "binary CloudEvent: the event's own fields win": (EVENT, CE, ("/shop", "e", "u", "main", at(0))),
    "attributes without ce-id are no CloudEvent": (
        EVENT,
        {"ce-source": "/shop"},
        ("", "e", "u", "main", at(0)),
    ),
    "structured CloudEvent with data": (STRUCTURED | {"data": WITHOUT}, {}, ("/shop", "ce", "u", "main", at(0))),
    "structured CloudEvent with base64": (
        STRUCTURED | {"data_base64": b64encode(json.dumps(WITHOUT).encode()).decode()},
        {},
        ("/shop", "ce", "u", "main", at(0)),
    ),
    "structured CloudEvent: null data beside base64": (
        STRUCTURED | {"data": None, "data_base64": b64encode(json.dumps(WITHOUT).encode()).decode()},
        {},
        ("/shop", "ce", "u", "main", at(0)),
    ),
    "structured by its content type alone": (
        {"id": "ce", "source": "/shop", "time": "2026-01-01T00:00:00Z", "data": WITHOUT},
        {"content-type": "application/cloudevents+json; charset=utf-8"},
        ("/shop", "ce", "u", "main", at(0)),
    ),
    "a time in another zone is the same instant": (
        EVENT | {"occurred_at": "2025-12-31T19:00:00-05:00"},
        {},
        ("", "e", "u", "main", at(0)),
    ),
    "a time in small letters": (
        EVENT | {"occurred_at": "2026-01-01t00:00:00z"},
        {},
        ("", "e", "u", "main", at(0)),
    ),
    "a time of nanoseconds is cut": (
        EVENT | {"occurred_at": "2026-01-01T12:00:00.000000999Z"},
        {},
        ("", "e", "u", "main", at(0.5)),
    ),
}
UNREADABLE = {
    "bytes that are no text": (b"\xff\xfe", "not_json"),
    "text that is no JSON": (b"{'a': 1}", "not_json"),
    "nothing at all": (b"", "not_json"),
    "JSON that is no object": (b"[1, 2]", "no_identity"),
    "a number": (b"5", "no_identity"),
    "no event_id": (json.dumps({"user_id": "u", "occurred_at": text(0)}).encode(), "no_identity"),
    "no user": (json.dumps({"event_id": "e", "occurred_at": text(0)}).encode(), "no_user"),
    "a user that is an object": (
        json.dumps({"event_id": "e", "user_id": {"id": "u"}, "occurred_at": text(0)}).encode(),
        "no_user",
    ),
    "no time": (json.dumps({"event_id": "e", "user_id": "u"}).encode(), "no_time"),
    "a time without offset": (json.dumps(EVENT | {"occurred_at": "2026-01-01T00:00:00"}).encode(), "no_time"),
    "a date": (json.dumps(EVENT | {"occurred_at": "2026-01-01"}).encode(), "no_time"),
    "a date with an offset": (json.dumps(EVENT | {"occurred_at": "2026-01-01+02:00"}).encode(), "no_time"),
    "a day that does not exist": (json.dumps(EVENT | {"occurred_at": "2026-02-30T00:00:00Z"}).encode(), "no_time"),
    "a CloudEvent whose base64 is none": (json.dumps(STRUCTURED | {"data_base64": "!"}).encode(), "no_user"),
    "a CloudEvent without data": (json.dumps(STRUCTURED).encode(), "no_user"),
}


@pytest.fixture(scope="module")
def forms():
    """Every form in one warehouse, each with a subscription of its own name where it names none."""
    warehouse = Warehouse()
    for name, (data, attributes, _) in FORMS.items():
        warehouse.land(landed("trigger-feedback", data, 1, name, attributes))
    warehouse.run("stg_inbound")
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize("name", FORMS)
def test_the_identity_of_an_event_is_read_from_every_form(forms, name):
    found = forms.rows(
        "SELECT source, event_id, user_id, subscription_id, occurred_at FROM stg_inbound"
        " WHERE topic = 'trigger-feedback' AND reason IS NULL AND pubsub_message_id = @name"
        " AND publish_time >= TIMESTAMP '2026-01-01 00:00:00+00'",
        name=name,
    )
    assert found == [FORMS[name][2]]


@pytest.fixture(scope="module")
def unreadable():
    rows = [landed("payment", data, 1, name) for name, (data, _) in UNREADABLE.items()]
    outgoing = [
        landed("decision", b"garbage", 1, "a decision that is no JSON"),
        landed("decision", {"user_id": "u", "decided_at": text(0)}, 1, "a decision without an id"),
        message("decision", 1, "no-user"),
        landed("catalog-published", {"message_id": "m"}, 1, "a catalog without a time"),
        tick(1, b"[["),
    ]
    warehouse = Warehouse(paid("u", 0, "good"), tick(1), tick(1, b""), *rows, *outgoing)
    warehouse.run("stg_unparsed", "stg_payment", "stg_decision", "stg_lifecycle_clock", "stg_catalog_published")
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_parsed_is_shown_with_its_reason(unreadable, name):
    found = unreadable.read("stg_unparsed", "topic, reason", "message_id = @id", id=name)
    assert found == [("payment", UNREADABLE[name][1])]


def test_what_cannot_be_parsed_stops_nothing_and_is_in_no_other_model(unreadable):
    assert unreadable.read("stg_payment", "event_id") == [("good",)]
    assert unreadable.read("stg_decision", "message_id") == []
    assert unreadable.read("stg_lifecycle_clock", "COUNT(*)") == [(2,)]
    counted = Counter(unreadable.read("stg_unparsed", "topic, reason"))
    assert {place: number for place, number in counted.items() if place[0] != "payment"} == {
        ("decision", "not_json"): 1,
        ("decision", "no_identity"): 1,
        ("decision", "no_user"): 1,
        ("catalog-published", "no_time"): 1,
        ("lifecycle-clock", "not_json"): 1,
    }


def test_of_publications_with_one_identity_the_first_counts_in_any_order_of_landing():
    again = [paid("u", 0, "p", amount=100 + number, published=days) for number, days in enumerate((3, 1, 2, 40))]
    elsewhere = paid("u", 0, "p", amount=500, source="other")
    for rows in (again, again[::-1]):
        warehouse = Warehouse(*rows, elsewhere)
        warehouse.run("stg_payment")
        assert sorted(warehouse.read("stg_payment", "source, amount")) == [("", 101), ("other", 500)]


def test_an_event_that_was_rejected_first_and_then_corrected_counts_as_corrected():
    wrong, right = paid("u", 0, "p", amount=-5), paid("u", 0, "p", amount=5, published=1)
    warehouse = Warehouse(wrong, right, letter(wrong))
    warehouse.run("stg_payment")
    assert warehouse.read("stg_payment", "amount, rejected") == [(5, None)]


def test_an_event_rejected_twice_is_rejected_although_its_letters_are_one_message():
    first, second = paid("u", 0, "p", amount=-5), paid("u", 0, "p", amount=-5, published=1)
    warehouse = Warehouse(first, second, letter(first), letter(second))
    warehouse.run("stg_payment", "stg_dead_letter")
    assert warehouse.read("stg_payment", "amount, rejected") == [(-5, "invalid")]
    assert warehouse.read("stg_dead_letter", "COUNT(*)") == [(1,)]


def test_a_message_published_again_counts_once_and_one_that_landed_twice_too():
    first = message("decision", 1, "d", user_id="u", outcome="issued", decision_id="d")
    again = message("decision", 1, "d", published=3, user_id="u", outcome="issued", decision_id="d")
    topic, double = again
    twice = (topic, double._replace(subscription_name="another way"))
    warehouse = Warehouse(again, twice, first)
    warehouse.run("stg_decision")
    assert warehouse.read("stg_decision", "message_id, publish_time") == [("d", at(1))]


def test_a_day_is_that_of_utc_whatever_the_zone_that_a_time_is_written_in():
    late = event("payment", "u", 0, "p", occurred_at="2026-03-01T01:00:00+05:00", outcome="failed")
    warehouse = Warehouse(late)
    warehouse.run("stg_payment")
    (found,) = warehouse.read("stg_payment", "DATE(occurred_at) AS day")
    assert found[0].isoformat() == "2026-02-28"


def test_values_of_another_type_than_the_contracts_are_unknown_not_an_error():
    fields = {"period_start": "soon", "auto_renew": "yes", "quantity": {"a": 1}, "store": ["x"], "order": 1.5}
    warehouse = Warehouse(paid("u", 0, "p", amount="a lot", **fields))
    warehouse.run("stg_payment")
    columns = "amount, period_start, auto_renew, quantity, store, event_order, plan"
    assert warehouse.read("stg_payment", columns) == [(None, None, None, None, None, 0, "basic")]


def test_an_empty_warehouse_builds_empty_models():
    warehouse = Warehouse()
    warehouse.run()
    filled = {name: rows for name, rows in warehouse.everything().items() if rows}
    assert filled == {}
