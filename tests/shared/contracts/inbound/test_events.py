"""Valid events become domain events; equivalent spellings give equal events and digests."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.envelope import EVENTS, parse_event
from shared.domain.events import (
    Event,
    Fact,
    FeedbackGiven,
    FeedbackKind,
    Key,
    PaymentOutcome,
    PaymentReported,
    Profile,
    Signal,
    SignalSeen,
    TimePassed,
    TrialStarted,
)
from tests.support.samples import COMMON, PAYMENT, VALID, delivery

AT = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)
MONTH_LATER = datetime(2026, 4, 15, 9, 30, tzinfo=UTC)


def parsed(event: dict[str, Any], topic: str = "payment") -> Event:
    return parse_event(topic, delivery(event))


FACTS: dict[str, Fact] = {
    "trial-start": TrialStarted("premium", datetime(2026, 3, 29, 9, 30, tzinfo=UTC), auto_renew=True),
    "payment": PaymentReported(PaymentOutcome.SUCCEEDED, "premium", 999, "EUR", AT, MONTH_LATER),
    "churn-signal": SignalSeen(Signal.INACTIVITY, strength=0.5),
    "trigger-feedback": FeedbackGiven("t-1", FeedbackKind.CLICKED),
    "lifecycle-due": TimePassed(),
}


@pytest.mark.parametrize("topic", VALID)
def test_a_minimal_event_of_each_topic_becomes_its_fact(topic: str) -> None:
    event = parsed(VALID[topic], topic)
    assert event.fact == FACTS[topic]
    assert event.key == Key(AT, topic, "", "e-1")
    assert (event.user_id, event.subscription_id, event.profile) == ("secret-user", "main", Profile())


def test_a_payment_with_every_field_is_parsed() -> None:
    whole = PAYMENT | {
        "schema_version": 1,
        "source": "https://billing.example/eu",
        "subscription_id": "family:2",
        "profile": {"country": "DE", "locale": "de-DE", "time_zone": "Europe/Berlin", "student": False},
        "outcome": "failed",
        "final": True,
        "failure_reason": "card_expired",
        "grace_until": "2026-03-22T09:30:00Z",
        "payment_id": "in_1",
        "partial": True,
    }
    event = parsed(whole)
    assert event.key.source == "https://billing.example/eu"
    assert event.subscription_id == "family:2"
    assert event.profile == Profile("DE", "de-DE", "Europe/Berlin", student=False)
    assert event.fact == PaymentReported(
        PaymentOutcome.FAILED,
        "premium",
        999,
        "EUR",
        AT,
        MONTH_LATER,
        final=True,
        grace_until=datetime(2026, 3, 22, 9, 30, tzinfo=UTC),
        payment_id="in_1",
        partial=True,
    )


def test_a_signal_with_every_field_is_parsed() -> None:
    pause = {
        "signal": "pause_scheduled",
        "reason": "holiday",
        "effective_at": "2026-04-15T09:30:00Z",
        "resume_at": "2026-04-15T11:30:00.25+02:00",
        "to_plan": "basic",
        "strength": 1,
    }
    resume_at = datetime(2026, 4, 15, 9, 30, 0, 250_000, tzinfo=UTC)
    assert parsed(COMMON | pause, "churn-signal").fact == SignalSeen(
        Signal.PAUSE_SCHEDULED, "holiday", MONTH_LATER, resume_at, "basic", 1.0
    )


@pytest.mark.parametrize("topic", EVENTS)
def test_the_topic_and_the_source_are_part_of_the_identity(topic: str) -> None:
    assert parsed(VALID[topic] | {"source": "a"}, topic).key.cause != parsed(VALID[topic], topic).key.cause
    assert parsed(VALID[topic], topic).key.topic == topic


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2026-03-15T09:30:00Z", 0),
        ("2026-03-15t09:30:00z", 0),
        ("2026-03-15T10:30:00+01:00", 0),
        ("2026-03-14T23:30:00-10:00", 0),
        ("2026-03-15T09:30:00-00:00", 0),
        ("2026-03-15T09:30:00.5Z", 500_000),
        ("2026-03-15T09:30:00.123456789Z", 123_456),
    ],
)
def test_every_way_to_write_a_time_is_read_in_utc(written: str, micros: int) -> None:
    occurred_at = parsed(PAYMENT | {"occurred_at": written}).occurred_at
    assert occurred_at == AT.replace(microsecond=micros)
    assert occurred_at.tzinfo is UTC


def test_the_first_and_the_last_instant_are_accepted() -> None:
    lifetime = {"period_start": "1989-12-31T23:00:00-01:00", "period_end": "9999-12-31T23:59:59.999999Z"}
    fact = parsed(PAYMENT | lifetime).fact
    assert isinstance(fact, PaymentReported)
    assert fact.period_start == datetime(1990, 1, 1, tzinfo=UTC)
    assert fact.period_end == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "id_", ["a", ".", "..", "__x__", "A-z_0.9:@", "$RCAnonymousID:8f3c", "auth0|42", "a+b@example.com", "x" * 256]
)
def test_ids_that_a_store_may_refuse_are_ids_all_the_same(id_: str) -> None:
    event = parsed(PAYMENT | {"event_id": id_, "user_id": id_, "subscription_id": id_, "payment_id": id_})
    assert (event.key.event_id, event.user_id, event.subscription_id) == (id_, id_, id_)


@pytest.mark.parametrize("amount", [0, 10**12])
def test_the_least_and_the_greatest_amount_are_accepted(amount: int) -> None:
    assert parsed(PAYMENT | {"amount": amount}).fact == PaymentReported(
        PaymentOutcome.SUCCEEDED, "premium", amount, "EUR", AT, MONTH_LATER
    )


def test_a_plan_may_be_written_in_any_script() -> None:
    fact = parsed(PAYMENT | {"plan": "プレミアム 🎵"}).fact
    assert isinstance(fact, PaymentReported)
    assert fact.plan == "プレミアム 🎵"


OPTIONAL = [
    "subscription_id",
    "schema_version",
    "source",
    "profile",
    "final",
    "partial",
    "grace_until",
    "payment_id",
]


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_equals_a_field_left_out(field: str) -> None:
    assert parsed(PAYMENT | {field: None}) == parsed(PAYMENT)


def test_an_explicit_default_equals_a_field_left_out() -> None:
    spelled_out = {"schema_version": 1, "subscription_id": "main", "final": False, "partial": False}
    assert parsed(PAYMENT | spelled_out) == parsed(PAYMENT)


@given(
    st.permutations(list(PAYMENT)), st.dictionaries(st.text().filter(lambda name: name[:1] == "x"), st.integers())
)
def test_key_order_and_unknown_fields_change_nothing(order: list[str], unknown: dict[str, int]) -> None:
    assert parsed({name: PAYMENT[name] for name in order} | unknown) == parsed(PAYMENT)


@given(st.integers(-23 * 60, 23 * 60))
def test_equal_instants_at_other_offsets_give_the_same_event(minutes: int) -> None:
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
    local = datetime.fromtimestamp(AT.timestamp() + minutes * 60, UTC)
    assert parsed(PAYMENT | {"occurred_at": f"{local:%Y-%m-%dT%H:%M:%S}{offset}"}) == parsed(PAYMENT)


CHANGED_CONTENT: list[dict[str, Any]] = [
    {"amount": 1000},
    {"currency": "USD"},
    {"outcome": "failed"},
    {"plan": "basic"},
    {"period_end": "2026-04-15T09:30:00.000001Z"},
    {"final": True},
    {"failure_reason": "card_expired"},
    {"payment_id": "in_1"},
    {"subscription_id": "family"},
    {"user_id": "another"},
    {"occurred_at": "2026-03-15T09:30:01Z"},
    {"profile": {"country": "DE"}},
    {"profile": {"student": False}},
]


@pytest.mark.parametrize("other", CHANGED_CONTENT)
def test_any_change_of_content_changes_the_digest(other: dict[str, Any]) -> None:
    digests = {parsed(PAYMENT | changed).digest for changed in ({}, other, {"amount": 1})}
    assert len(digests) == 3


def test_digests_in_stored_documents_stay_valid() -> None:
    digests = {topic: parsed(event, topic).digest for topic, event in VALID.items()}
    assert digests == {
        "trial-start": "8f074fa4e5e52170",
        "payment": "7c8f218398cb8bfa",
        "churn-signal": "95d8d9986462d778",
        "trigger-feedback": "5228e8c13c06ba0a",
        "lifecycle-due": "945c0d3f5360c085",
    }
