"""Valid events become domain events; equivalent spellings give equal events and digests."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.envelope import EVENTS, parse_event
from shared.contracts.inbound.events import Payment
from shared.contracts.inbound.validation import validate
from shared.domain.events import (
    Environment,
    ErasureRequested,
    Event,
    Fact,
    FeedbackGiven,
    FeedbackKind,
    Key,
    Ownership,
    PaymentOutcome,
    PaymentReported,
    Profile,
    Purchase,
    ReasonCode,
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
    "trial-start": TrialStarted("premium", datetime(2026, 3, 29, 9, 30, tzinfo=UTC)),
    "payment": PaymentReported(PaymentOutcome.SUCCEEDED, "premium", 999, "EUR", AT, MONTH_LATER),
    "churn-signal": SignalSeen(Signal.INACTIVITY, strength=0.5),
    "trigger-feedback": FeedbackGiven("t-1", FeedbackKind.CLICKED),
    "user-erasure": ErasureRequested(),
    "lifecycle-due": TimePassed(),
}


@pytest.mark.parametrize("topic", VALID)
def test_a_minimal_event_of_each_topic_becomes_its_fact(topic: str) -> None:
    event = parsed(VALID[topic], topic)
    assert event.fact == FACTS[topic]
    assert event.key == Key(AT, topic, "", "e-1")
    assert (event.user_id, event.subscription_id, event.profile) == ("secret-user", "main", Profile())
    assert (event.order, event.environment) == (0, Environment.PRODUCTION)


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
        "auto_renew": False,
        "keeps_access": True,
        "store": "play_store",
        "product_id": "com.example.premium:monthly",
        "ownership": "family",
        "quantity": 5,
        "current_price": 1099,
        "trigger_id": "5d0c",
        "offer_ref": "spring half price",
        "order": -7,
        "environment": "sandbox",
    }
    event = parsed(whole)
    assert (event.order, event.environment) == (-7, Environment.SANDBOX)
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
        auto_renew=False,
        keeps_access=True,
        purchase=Purchase("play_store", "com.example.premium:monthly", Ownership.FAMILY, 5, 1099, "EUR"),
        failure_reason="card_expired",
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


def test_a_trial_with_every_field_is_parsed() -> None:
    whole = VALID["trial-start"] | {
        "auto_renew": False,
        "price": 999,
        "currency": "USD",
        "store": "app_store",
        "product_id": "premium.monthly",
        "ownership": "promotional",
        "quantity": 1,
    }
    assert parsed(whole, "trial-start").fact == TrialStarted(
        "premium",
        datetime(2026, 3, 29, 9, 30, tzinfo=UTC),
        auto_renew=False,
        purchase=Purchase("app_store", "premium.monthly", Ownership.PROMOTIONAL, 1, 999, "USD"),
    )


def test_a_price_increase_with_every_field_is_parsed() -> None:
    increase = {
        "signal": "price_increase_pending",
        "price": 1299,
        "currency": "EUR",
        "effective_at": "2026-04-15T09:30:00Z",
        "agree_until": "2026-03-15T09:30:00Z",
        "reason_code": "developer",
    }
    assert parsed(COMMON | increase, "churn-signal").fact == SignalSeen(
        Signal.PRICE_INCREASE_PENDING,
        effective_at=MONTH_LATER,
        reason_code=ReasonCode.DEVELOPER,
        price=1299,
        currency="EUR",
        agree_until=AT,
    )


PLAN_CHANGES = {Signal.PLAN_CHANGED, Signal.PLAN_CHANGE_SCHEDULED, Signal.DOWNGRADE_SCHEDULED}


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_is_parsed_with_no_more_than_its_kind_needs(signal: Signal) -> None:
    needed = {"to_plan": "basic"} if signal in PLAN_CHANGES else {}
    event = parsed(COMMON | {"signal": signal.value} | needed, "churn-signal")
    assert event.fact == SignalSeen(signal, to_plan=needed.get("to_plan"))


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_code_is_kept_beside_the_reason(code: ReasonCode) -> None:
    why = {"signal": "cancelled", "reason": "said so", "reason_code": code.value}
    assert parsed(COMMON | why, "churn-signal").fact == SignalSeen(
        Signal.CANCELLED, reason="said so", reason_code=code
    )


def reported(**fields: Any) -> PaymentReported:
    fact = parsed(COMMON | fields).fact
    assert isinstance(fact, PaymentReported)
    return fact


VERDICTS = ["refunded", "refund_reversed", "disputed", "dispute_won", "dispute_lost"]


@pytest.mark.parametrize("outcome", VERDICTS)
def test_a_verdict_needs_only_the_id_of_its_payment_or_its_start(outcome: str) -> None:
    assert reported(outcome=outcome, payment_id="in_1") == PaymentReported(
        PaymentOutcome(outcome), payment_id="in_1"
    )
    assert reported(outcome=outcome, period_start="2026-03-15T09:30:00Z") == PaymentReported(
        PaymentOutcome(outcome), period_start=AT
    )


def test_a_failure_needs_nothing_else() -> None:
    assert reported(outcome="failed") == PaymentReported(PaymentOutcome.FAILED)


def test_a_pending_payment_needs_a_plan() -> None:
    assert reported(outcome="pending", plan="premium") == PaymentReported(PaymentOutcome.PENDING, "premium")


def test_a_pending_payment_may_give_access_until_it_settles() -> None:
    pending = reported(outcome="pending", plan="premium", grace_until="2026-04-15T09:30:00Z")
    assert pending.grace_until == MONTH_LATER


def test_an_extension_needs_the_new_end() -> None:
    extended = reported(outcome="extended", period_end="2026-04-15T09:30:00Z")
    assert extended == PaymentReported(PaymentOutcome.EXTENDED, period_end=MONTH_LATER)


def test_a_currency_needs_no_amount() -> None:
    assert reported(outcome="failed", currency="EUR").currency == "EUR"


def test_a_failure_without_grace_ends_it_as_it_begins() -> None:
    assert reported(outcome="failed", grace="none").grace_until == AT
    assert reported(outcome="failed", grace=None).grace_until is None


@pytest.mark.parametrize("topic", ["trial-start", "payment"])
@pytest.mark.parametrize("auto_renew", [True, False, None])
def test_a_renewal_that_is_said_differs_from_one_left_out(topic: str, auto_renew: bool | None) -> None:
    fact = parsed(VALID[topic] | {"auto_renew": auto_renew}, topic).fact
    assert isinstance(fact, TrialStarted | PaymentReported)
    assert fact.auto_renew is auto_renew


@pytest.mark.parametrize("topic", ["trial-start", "payment"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("store", "a"),
        ("store", "🎵" * 64),
        ("product_id", "x" * 256),
        ("ownership", Ownership.PURCHASED),
        ("ownership", Ownership.SEAT),
        ("quantity", 1),
        ("quantity", 10**6),
    ],
)
def test_each_fact_about_a_purchase_is_kept_as_it_is_given(topic: str, field: str, value: Any) -> None:
    fact = parsed(VALID[topic] | {field: value}, topic).fact
    assert isinstance(fact, TrialStarted | PaymentReported)
    assert fact.purchase == Purchase()._replace(**{field: value})


@pytest.mark.parametrize("price", [0, 1099])
def test_a_price_brings_its_currency(price: int) -> None:
    paid = reported(**PAYMENT | {"current_price": price})
    assert paid.purchase == Purchase(current_price=price, currency="EUR")
    assert reported(**PAYMENT).purchase == Purchase()


@pytest.mark.parametrize("topic", sorted(EVENTS.keys() - {"user-erasure"}))
@pytest.mark.parametrize("order", [-(10**9), 0, 10**9])
def test_every_event_about_a_subscription_may_have_an_order(topic: str, order: int) -> None:
    assert parsed(VALID[topic] | {"order": order}, topic).order == order


def test_an_erasure_is_about_the_whole_user_and_tells_nothing_of_it() -> None:
    told = {"subscription_id": "family", "order": 7, "profile": {"country": "DE", "attributes": {"level": 7}}}
    plain = parsed(VALID["user-erasure"], "user-erasure")
    assert parsed(VALID["user-erasure"] | told, "user-erasure") == plain
    assert (plain.subscription_id, plain.order, plain.profile, plain.attributes) == ("main", 0, Profile(), ())


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
    "auto_renew",
    "keeps_access",
    "grace",
    "order",
    "environment",
    "store",
    "product_id",
    "ownership",
    "quantity",
    "current_price",
]


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_equals_a_field_left_out(field: str) -> None:
    assert parsed(PAYMENT | {field: None}) == parsed(PAYMENT)


def test_an_explicit_default_equals_a_field_left_out() -> None:
    spelled_out = {"schema_version": 1, "subscription_id": "main", "final": False, "partial": False}
    spelled_out |= {"order": 0, "environment": "production", "keeps_access": False}
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
    {"auto_renew": True},
    {"auto_renew": False},
    {"keeps_access": True},
    {"order": 2},
    {"environment": "sandbox"},
    {"store": "stripe"},
    {"product_id": "premium"},
    {"ownership": "seat"},
    {"quantity": 2},
    {"current_price": 0},
    {"grace": "none"},
    {"trigger_id": "5d0c"},
    {"offer_ref": "spring"},
]


@pytest.mark.parametrize("topic", ["payment", "trial-start"])
def test_the_offer_that_led_to_a_purchase_has_no_effect(topic: str) -> None:
    named = VALID[topic] | {"trigger_id": "nobody-knows-it", "offer_ref": "spring, 50% off"}
    assert parsed(named, topic).fact == parsed(VALID[topic], topic).fact


DETAILS: dict[str, Any] = {
    "schema_version": 1,
    "subscription_id": "family",
    "source": "",
    "order": 0,
    "environment": "sandbox",
    "profile": {"country": None, "time_zone": "Europe/Berlin", "student": False},
    "final": False,
    "partial": True,
    "auto_renew": True,
    "grace_until": "2026-04-15T09:30:00.5+02:00",
    "quantity": 1,
    "ownership": "seat",
}


@pytest.mark.parametrize("other", CHANGED_CONTENT)
def test_any_change_of_content_changes_the_digest(other: dict[str, Any]) -> None:
    digests = {parsed(PAYMENT | changed).digest for changed in ({}, other, {"amount": 1})}
    assert len(digests) == 3


@given(st.sets(st.sampled_from(list(DETAILS))))
def test_a_digest_is_that_of_the_whole_content_without_defaults(chosen: set[str]) -> None:
    event = validate(Payment, PAYMENT | {name: DETAILS[name] for name in chosen})
    content = orjson.dumps(event.model_dump(exclude_defaults=True), option=orjson.OPT_SORT_KEYS)
    assert event.digest() == blake2b(content, digest_size=8).hexdigest()


def test_digests_in_stored_documents_stay_valid() -> None:
    digests = {topic: parsed(event, topic).digest for topic, event in VALID.items()}
    assert digests == {
        "trial-start": "8f074fa4e5e52170",
        "payment": "7c8f218398cb8bfa",
        "churn-signal": "95d8d9986462d778",
        "trigger-feedback": "5228e8c13c06ba0a",
        "user-erasure": "945c0d3f5360c085",
        "lifecycle-due": "945c0d3f5360c085",
    }


def test_the_digest_of_a_trial_that_renews_is_the_one_of_when_that_was_the_default() -> None:
    trial = VALID["trial-start"]
    renewing = parsed(trial | {"auto_renew": True}, "trial-start")
    assert renewing.digest == parsed(trial, "trial-start").digest == "8f074fa4e5e52170"
    assert parsed(trial | {"auto_renew": False}, "trial-start").digest != renewing.digest
