"""The log line of a delivery, for people."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from infra.terminal.log_view import LogView, RawLog
from shared.observability.event_log import FIELDS
from tests.support.samples import PAYMENT

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
APPLIED = {
    "severity": "INFO",
    "message": "payment: applied",
    "topic": "payment",
    "outcome": "applied",
    "status_before": "none",
    "status_after": "active",
    "duration_ms": 4.2,
    "latency_ms": 34.4,
    "data": json.dumps(PAYMENT | {"user_id": "ada", "plan": "premium"}),
}
TRIGGER = {
    "topic": "upsell-trigger",
    "kind": "issued",
    "campaign_id": "upgrade",
    "offer_id": "annual",
    "placement": "banner",
    "moment": "activated",
}


def shown(*entries: Any, **options: Any) -> str:
    out = io.StringIO()
    view = LogView(Console(file=out, width=200, **options), now=lambda: NOON)
    for entry in entries:
        view("payment", entry if isinstance(entry, str) else json.dumps(entry))
    return out.getvalue()


def line(entry: Any) -> str:
    day, text = shown(entry).splitlines()
    assert (day, text[:26]) == ("2026-03-01 UTC", "12:00:00 payment          ")
    return text[26:]


def test_a_line_tells_outcome_user_event_effect_and_latency() -> None:
    assert line(APPLIED) == (
        "applied       ada          payment succeeded: premium, 2026-03-15 to 2026-04-15; none -> active  34 ms"
    )


def test_triggers_are_told_by_their_campaigns_and_changes_by_their_facts() -> None:
    change = {
        "topic": "subscription-change",
        "before": {"status": "none"},
        "after": {"status": "active", "plan": "premium"},
        "changed": ["plan", "status"],
        "moments": [],
    }
    told = line(APPLIED | {"published": [TRIGGER, change]})
    assert "; none -> active, plan premium; issued upgrade: annual in banner (activated)" in told


def test_a_dead_letter_tells_its_reason() -> None:
    refused = {
        "severity": "WARNING",
        "message": "payment: dead letter: invalid: amount: expected whole minor units, found a decimal number",
        "topic": "payment",
        "outcome": "dead_lettered",
        "reason": "invalid",
        "data": json.dumps(PAYMENT | {"user_id": "ada", "amount": 9.99}),
        "duration_ms": 1.0,
    }
    assert line(refused) == (
        "dead_lettered ada          payment; dead letter: invalid: amount: expected whole minor units,"
        " found a decimal number  1 ms"
    )
    assert "\x1b[1;31m" in shown(refused, force_terminal=True, color_system="standard")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"unknown_fields": ["paymentId (payment_id?)"]}, "; ignored paymentId (payment_id?)"),
        ({"dropped_attributes": ["a: expected a text, found an object"]}, "; dropped a: expected a text"),
        ({"waiting_verdicts": 2}, "; 2 refunds or disputes wait for their payment"),
        ({"features_failure": "timeout"}, "; without features: timeout"),
        ({"delivery_attempt": 3}, "; attempt 3"),
        ({"cold_start": True}, "34 ms, cold start"),
    ],
)
def test_what_is_wrong_or_unusual_is_told(fields: dict[str, Any], told: str) -> None:
    assert told in line(APPLIED | fields)


def test_on_a_moved_clock_a_line_has_the_time_of_that_clock_and_its_true_latency() -> None:
    out = io.StringIO()
    month = timedelta(days=30)
    view = LogView(Console(file=out, width=200), lambda: month, lambda: NOON)
    for milliseconds in (34.4, -10.0):
        view("payment", json.dumps(APPLIED | {"latency_ms": month / timedelta(milliseconds=1) + milliseconds}))
    day, first, second = out.getvalue().splitlines()
    assert (day, first[-7:], second[-6:]) == ("2026-03-31 UTC", "  34 ms", "  4 ms")


def test_without_the_content_of_the_event_its_topic_and_status_are_told() -> None:
    bare = {name: value for name, value in APPLIED.items() if name != "data"}
    assert line(bare) == "applied       -            payment; none -> active  34 ms"


def test_ticks_are_told_where_somebody_was_due() -> None:
    tick = {"message": "lifecycle-clock: ticked", "topic": "lifecycle-clock", "outcome": "ticked", "left": 0}
    assert shown(tick | {"due_users": 0}) == ""
    assert line(tick | {"due_users": 3}).split() == ["ticked", "-", "users", "due:", "3"]
    assert "users due: 0" in line(tick | {"due_users": 0, "left": 2})


def test_the_day_is_told_once_until_another_begins() -> None:
    out = io.StringIO()
    days = iter([NOON, NOON, NOON.replace(day=2)])
    view = LogView(Console(file=out, width=200), now=lambda: next(days))
    for _ in range(3):
        view("payment", "x")
    assert [text for text in out.getvalue().splitlines() if text.endswith("UTC")] == [
        "2026-03-01 UTC",
        "2026-03-02 UTC",
    ]


def test_nothing_in_an_event_commands_the_terminal() -> None:
    evil = PAYMENT | {"user_id": "\x1b[2J[red]\u202e", "plan": "\x9b31m"}
    refused = APPLIED | {"outcome": "dead_lettered", "data": json.dumps(evil)}
    text = shown(refused, refused | {"unknown_fields": ["\x1b]0;x\x07"], "data": "\x1b"}, force_terminal=False)
    assert not any(each in text for each in "\x1b\x9b\x07\u202e")
    assert "[red]" in text


def test_without_a_terminal_there_is_no_colour() -> None:
    assert "\x1b" not in shown(APPLIED, APPLIED | {"outcome": "failed", "severity": "ERROR"})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6), st.booleans())
def test_any_fields_give_a_line(fields: dict[str, Any], has_outcome: bool) -> None:
    entry = APPLIED | fields if has_outcome else {"message": "m", **fields}
    assert shown(entry, "x").splitlines()


def test_raw_lines_are_json_with_the_name_of_the_process() -> None:
    out = io.StringIO()
    raw = RawLog(Console(file=out))
    for text in (json.dumps(APPLIED), "words", "{broken", '["list"]'):
        raw("payment", text)
    told = [json.loads(text) for text in out.getvalue().splitlines()]
    assert told[0] == {"process": "payment", **APPLIED}
    assert [each["message"] for each in told[1:]] == ["words", "{broken", '["list"]']
