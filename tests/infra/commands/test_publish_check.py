"""`publish --check`: what would become of an event, without anything running."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.remote.event_check import check_event
from infra.topology import load
from shared.contracts.inbound.envelope import Delivery, parse_clock, parse_event
from shared.domain.errors import Rejected
from tests.support.samples import PAYMENT, VALID

NOW = datetime(2026, 4, 1, tzinfo=UTC)
SKEW = timedelta(minutes=5)
LATER = "2199-01-01T00:00:00Z"


@pytest.fixture
def check(run):
    def checked(event: Any, topic: str = "payment", *words: str) -> Any:
        text = event if isinstance(event, str) else json.dumps(event)
        done = run("publish", topic, text, "--check", "--json", *words)
        told = json.loads(done.stdout)
        assert done.exit_code == (0 if told["accepted"] else 1)
        return told

    return checked


@pytest.mark.parametrize("topic", VALID)
def test_a_valid_event_is_told_as_it_is_understood(check, topic: str) -> None:
    told = check(VALID[topic], topic)
    assert (told["accepted"], told["reason"], told["ignored"]) == (True, None, [])
    assert set(told["understood"]) == {name for name, value in VALID[topic].items() if value is not None}


def test_times_are_understood_in_utc(check) -> None:
    told = check(PAYMENT | {"occurred_at": "2026-03-15T10:30:00+01:00"})
    assert told["understood"]["occurred_at"] == "2026-03-15T09:30:00Z"


def test_every_reason_for_a_refusal_is_told_with_the_value_that_is_meant(check) -> None:
    wrong = {"outcome": "Suceeded", "amount": -1, "currency": "eur", "plan": "", "period_end": 5, "quantity": 0}
    told = check(PAYMENT | wrong | {"profile": {"time_zone": "Berlin", "country": "UK"}})
    assert told["reason"] == "unknown_value"
    meant = {each["text"].partition(":")[0]: each["meant"] for each in told["problems"]}
    assert meant == {
        "outcome": "succeeded",
        "currency": "EUR",
        "profile.time_zone": "Europe/Berlin",
        "profile.country": "GB",
        "amount": None,
        "plan": None,
        "period_end": None,
        "quantity": None,
    }


def test_every_unknown_field_is_told_with_the_one_that_it_means(check) -> None:
    told = check(PAYMENT | {"paymentid": "x", "note": 1, "profile": {"timezone": "UTC", "x": {}}})
    assert told["ignored"] == [
        {"path": "paymentid", "meant": "payment_id"},
        {"path": "note", "meant": None},
        {"path": "profile.timezone", "meant": "profile.time_zone"},
        {"path": "profile.x", "meant": None},
    ]


def test_a_required_field_that_is_misspelt_is_told_twice(check) -> None:
    event = {"occured_at" if name == "occurred_at" else name: value for name, value in PAYMENT.items()}
    told = check(event)
    assert [each["text"] for each in told["problems"]] == ["occurred_at: expected a value, found none"]
    assert told["ignored"] == [{"path": "occured_at", "meant": "occurred_at"}]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("\ufeff{}", "not_json"),
        ("[]", "invalid"),
        ("{}", "invalid"),
        ('{"a": 1, "a": 2}', "invalid"),
        ('{"amount": NaN}', "invalid"),
        (json.dumps({"a": "x" * 70_000}), "too_large"),
        (json.dumps(PAYMENT | {"occurred_at": LATER}), "future_dated"),
    ],
)
def test_what_the_function_would_refuse_is_refused(check, event: str, reason: str) -> None:
    told = check(event)
    assert (told["reason"], told["understood"]) == (reason, {})
    assert told["problems"]


def test_bytes_that_are_no_text_are_refused_too(run) -> None:
    done = run("publish", "payment", "-", "--check", input=b"\xff\x00")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, "payment: would be refused as not_json")


def test_attributes_of_a_cloudevent_count(check) -> None:
    event = {name: value for name, value in PAYMENT.items() if name != "event_id"}
    words = [
        word for pair in ("ce-specversion=1.0", "ce-id=in_7", "ce-source=x", "ce-type=t") for word in ("-a", pair)
    ]
    assert check(event, "payment", *words)["accepted"]
    assert not check(event)["accepted"]


def test_a_tick_may_be_empty(check) -> None:
    assert check("", "lifecycle-clock")["accepted"]
    assert check({"shards": [64]}, "lifecycle-clock")["reason"] == "invalid"


def test_what_is_dropped_or_without_effect_is_noted(check) -> None:
    told = check(PAYMENT | {"environment": "sandbox", "profile": {"attributes": {"a": {}, "level": 3}}})
    assert [note.partition(":")[0] for note in told["notes"]] == [
        "dropped attribute",
        "a sandbox event changes nothing, unless the installation sets UPBEAT_PROCESS_SANDBOX",
    ]
    assert told["understood"]["profile"] == {"attributes": {"level": 3}}


def test_the_page_has_the_event_and_markup_as_it_is(run) -> None:
    event = json.dumps(PAYMENT | {"plan": "[red]x[/red]", "[b]": 1})
    lines = run("publish", "payment", event, "--check").stdout.splitlines()
    assert lines[0].startswith("payment: would be accepted: payment succeeded: [red]x[/red], ")
    assert "  plan          [red]x[/red]" in lines
    assert "  [b]" in lines


def test_a_thousand_unknown_fields_are_shown_in_part(run) -> None:
    event = json.dumps(PAYMENT | {f"x{number}": 1 for number in range(1000)})
    lines = run("publish", "payment", event, "--check").stdout.splitlines()
    assert "  and 950 more" in lines


def test_an_outgoing_topic_is_a_usage_error(run) -> None:
    assert run("publish", "decision", "{}", "--check").exit_code == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(load().topics_in)), st.sampled_from([{}, *VALID.values()]), st.data())
def test_the_check_agrees_with_the_function(topic: str, valid: dict[str, Any], data: st.DataObject) -> None:
    names = st.sampled_from([*PAYMENT, "profile", "profil", "trigger_id"]) | st.text(max_size=8)
    event = valid | data.draw(st.dictionaries(names, JSON, max_size=3))
    delivery = Delivery(json.dumps(event).encode(), {})
    try:
        parse_clock(delivery) if topic == "lifecycle-clock" else parse_event(topic, delivery)
        reason = None
    except Rejected as rejected:
        reason = rejected.reason
    checked = check_event(topic, delivery, datetime.max.replace(tzinfo=UTC), SKEW)
    assert checked.reason == reason
    assert bool(checked.problems) == bool(reason)
