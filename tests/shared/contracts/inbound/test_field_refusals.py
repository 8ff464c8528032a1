"""A field that breaks its rule is rejected; the detail names the field, the expectation and the kind found."""

from typing import Any

import pytest

from shared.contracts.inbound.fields import ID_IN_WORDS
from shared.contracts.reasons import RejectionReason
from tests.support.samples import COMMON, PAYMENT, VALID, refusal

VERDICTS = ["refunded", "refund_reversed", "disputed", "dispute_won", "dispute_lost"]
BAD_IDS = [
    "",
    "a/b",
    "a b",
    "a\nb",
    "a\n",
    "\x00",
    "a\u200bb",
    "ü",
    "\ud800",
    "x" * 257,
    "x" * 10_000,
    5,
    None,
    ["a"],
]
BAD_TIMES = [
    "2026-03-15T09:30:00",
    "2026-03-15",
    "2026-03-15 09:30:00Z",
    "2026-03-15T09:30Z",
    "2026-02-30T09:30:00Z",
    "2026-03-15T24:00:00Z",
    "2026-03-15T23:59:60Z",
    "2026-03-15T09:30:00+24:00",
    "2026-03-15T09:30:00+0100",
    "2026-W11-7T09:30:00Z",
    "20260315T093000Z",
    "٢٠٢٦-03-15T09:30:00Z",
    "1989-12-31T23:59:59Z",
    "1990-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-00:01",
    "12026-03-15T09:30:00Z",
    "yesterday",
    "",
    1773567000,
    1773567000.5,
    True,
    ["2026-03-15T09:30:00Z"],
]
NOT_WHOLE_MINOR_UNITS = [-1, 5.0, 9.99, "5", True, 10**12 + 1, 10**30, None, [5], {"value": 5}]
NOT_A_PLAN = ["", "x" * 129, "a\tb", "a\x7fb", "a\x85b", "\ud800", 7, ["a"]]
WRONG_KINDS_OF_VALUE = {
    "event_id": BAD_IDS,
    "user_id": BAD_IDS,
    "subscription_id": [bad for bad in BAD_IDS if bad is not None],
    "payment_id": [bad for bad in BAD_IDS if bad is not None],
    "occurred_at": [*BAD_TIMES, None],
    "grace_until": BAD_TIMES,
    "period_end": [*BAD_TIMES, "2026-03-15T09:30:00Z", "2026-03-15T10:30:00+01:00", "2026-03-14T00:00:00Z"],
    "amount": NOT_WHOLE_MINOR_UNITS,
    "currency": ["eur", "EURO", "€", "", "EUR\n", 978, None],
    "plan": [*NOT_A_PLAN, None],
    "outcome": [5, True, None, ["failed"], {"failed": 1}],
    "final": ["true", 1, 0, "", []],
    "failure_reason": ["x" * 257, 5, "\udc00"],
    "schema_version": ["1", 1.0, True],
    "source": ["two words", "x" * 257, "é", "tab\t", 5],
    "profile": ["DE", [], 5, {"country": "de"}, {"country": "DEU"}, {"locale": "x" * 36}, {"student": "yes"}],
}
WRONG_KINDS_OF_VALUE |= {
    "store": ["", "x" * 65, "a\tb", "\ud800", 7, ["a"]],
    "product_id": ["", "x" * 257, "a\x00b", "a\x9fb", 7, {"id": "a"}],
    "trigger_id": [bad for bad in BAD_IDS if bad is not None],
    "offer_ref": ["", "x" * 257, "a\x00b", "\ud800", 7, ["a"]],
    "ownership": [5, True, ["family"], {"family": 1}],
    "quantity": [0, -1, 10**6 + 1, 10**7, 10**30, 1.0, 1.5, "1", True, [1]],
    "current_price": [bad for bad in NOT_WHOLE_MINOR_UNITS if bad is not None],
    "auto_renew": ["true", 1, 0, "", []],
    "keeps_access": ["true", 1, 0, "", []],
    "grace": [5, True, 0, ["none"], {"none": 1}],
    "order": [10**9 + 1, -(10**9) - 1, 10**30, -(10**30), 1.0, 0.5, "1", True, [1]],
    "environment": [5, True, ["sandbox"]],
}
BROKEN_PAYMENTS = [(field, bad) for field, values in WRONG_KINDS_OF_VALUE.items() for bad in values]


@pytest.mark.parametrize(("field", "bad"), BROKEN_PAYMENTS)
def test_a_field_that_breaks_its_rule_is_named(field: str, bad: Any) -> None:
    rejected = refusal(PAYMENT | {field: bad})
    assert rejected.reason == RejectionReason.INVALID
    assert rejected.detail.startswith((f"{field}: expected ", f"{field}."))
    assert ", found " in rejected.detail


OTHER_TOPICS = [
    ("trial-start", "trial_ends_at", COMMON["occurred_at"]),
    ("trial-start", "trial_ends_at", "2026-03-15T09:29:59Z"),
    ("trial-start", "auto_renew", "false"),
    ("trial-start", "price", -1),
    ("trial-start", "currency", "Euro"),
    ("churn-signal", "strength", 1.1),
    ("churn-signal", "strength", -0.1),
    ("churn-signal", "strength", True),
    ("churn-signal", "strength", "0.5"),
    ("churn-signal", "reason", "x" * 257),
    ("churn-signal", "to_plan", ""),
    ("churn-signal", "resume_at", "2026-03-15"),
    ("churn-signal", "reason_code", 5),
    ("churn-signal", "reason_code", ["billing"]),
    ("churn-signal", "price", -1),
    ("churn-signal", "price", 12.99),
    ("churn-signal", "currency", "Euro"),
    ("churn-signal", "agree_until", "2026-03-15"),
    ("churn-signal", "order", 10**9 + 1),
    ("trial-start", "ownership", 1),
    ("trial-start", "quantity", 0),
    ("trial-start", "store", ""),
    ("trial-start", "product_id", "a\nb"),
    ("lifecycle-due", "order", "1"),
    ("lifecycle-due", "catalog_number", "1"),
    ("lifecycle-due", "catalog_number", -1),
    ("lifecycle-due", "catalog_number", 1.0),
    ("lifecycle-due", "catalog_number", True),
    ("lifecycle-due", "catalog_number", 10**12 + 1),
    ("lifecycle-due", "catalog_number", [1]),
    ("trigger-feedback", "trigger_id", "t/1"),
    ("trigger-feedback", "kind", 1),
    ("lifecycle-due", "occurred_at", "2026-03-15"),
]


@pytest.mark.parametrize(("topic", "field", "bad"), OTHER_TOPICS)
def test_the_other_topics_have_rules_too(topic: str, field: str, bad: Any) -> None:
    rejected = refusal(VALID[topic] | {field: bad}, topic)
    assert rejected.reason == RejectionReason.INVALID
    assert rejected.detail.startswith(f"{field}: expected ")


REQUIRED = [(topic, field) for topic, event in VALID.items() for field in event if field != "strength"]


@pytest.mark.parametrize(("topic", "field"), REQUIRED)
def test_a_missing_field_is_named(topic: str, field: str) -> None:
    event = {name: value for name, value in VALID[topic].items() if name != field}
    assert refusal(event, topic).detail == f"{field}: expected a value, found none"


UNKNOWN = [
    ("payment", "outcome", "chargeback"),
    ("payment", "outcome", "SUCCEEDED"),
    ("payment", "outcome", ""),
    ("payment", "schema_version", 2),
    ("payment", "schema_version", 0),
    ("churn-signal", "signal", "competitor_mentioned"),
    ("trigger-feedback", "kind", "printed"),
    ("payment", "ownership", "rented"),
    ("payment", "ownership", ""),
    ("payment", "grace", "short"),
    ("payment", "environment", "staging"),
    ("trial-start", "ownership", "FAMILY"),
    ("churn-signal", "reason_code", "moved_abroad"),
    ("churn-signal", "reason_code", ""),
]


@pytest.mark.parametrize(("topic", "field", "value"), UNKNOWN)
def test_an_unknown_value_of_a_closed_list_can_be_redriven(topic: str, field: str, value: Any) -> None:
    rejected = refusal(VALID[topic] | {field: value}, topic)
    assert rejected.reason == RejectionReason.UNKNOWN_VALUE
    assert rejected.detail.startswith(f"{field}: expected ")


def test_an_unknown_value_outranks_what_else_is_wrong() -> None:
    rejected = refusal(PAYMENT | {"amount": -1, "currency": None, "outcome": "chargeback"})
    assert rejected.reason == RejectionReason.UNKNOWN_VALUE
    assert rejected.detail.startswith("outcome: ")


@pytest.mark.parametrize("unknown", [{"reason_code": "moved_abroad"}, {"signal": "plan_paused"}])
def test_an_unknown_value_outranks_a_rule_about_several_fields(unknown: dict[str, str]) -> None:
    rejected = refusal(COMMON | {"signal": "plan_changed"} | unknown, "churn-signal")
    assert rejected.reason == RejectionReason.UNKNOWN_VALUE


SUCCESS = ("plan", "amount", "currency", "period_start", "period_end")
INCOMPLETE: list[tuple[dict[str, Any], str]] = [
    *((PAYMENT | {name: None}, f"{name}: expected a value") for name in SUCCESS),
    ({"outcome": "pending"}, "plan: expected a value"),
    ({"outcome": "extended", "payment_id": "in_1"}, "period_end: expected a value"),
    ({"outcome": "failed", "amount": 999}, "currency: expected a value"),
    ({"outcome": "failed", "amount": 0, "currency": None}, "currency: expected a value"),
    ({"outcome": "refunded", "payment_id": "in_1", "amount": 999}, "currency: expected a value"),
    *(
        (
            {"outcome": verdict, "period_end": "2026-04-15T09:30:00Z"},
            "payment_id: expected a value unless period_start has one",
        )
        for verdict in VERDICTS
    ),
]


@pytest.mark.parametrize(("event", "detail"), INCOMPLETE)
def test_a_payment_without_what_its_outcome_needs_is_refused(event: dict[str, Any], detail: str) -> None:
    rejected = refusal(COMMON | event)
    assert (rejected.reason, rejected.detail) == (RejectionReason.INVALID, f"{detail}, found none")


def test_all_that_a_success_lacks_is_named_up_to_the_third() -> None:
    detail = refusal(COMMON | {"outcome": "succeeded"}).detail
    assert detail == "; ".join(
        f"{name}: expected a value, found none" for name in ("amount", "currency", "period_end")
    )


@pytest.mark.parametrize("outcome", ["failed", "extended", "refunded"])
def test_a_period_that_is_given_ends_after_it_starts(outcome: str) -> None:
    period = {"period_start": "2026-03-15T09:30:00Z", "period_end": "2026-03-15T10:30:00+01:00"}
    detail = refusal(COMMON | {"outcome": outcome, "payment_id": "in_1"} | period).detail
    assert detail == "period_end: expected a time after period_start, found none after it"


def test_a_failure_with_and_without_grace_is_refused() -> None:
    failure = {"outcome": "failed", "grace": "none", "grace_until": "2026-03-15T09:30:00Z"}
    assert refusal(COMMON | failure).detail == "grace: expected no value beside grace_until, found both"


@pytest.mark.parametrize("signal", ["plan_changed", "plan_change_scheduled", "downgrade_scheduled"])
@pytest.mark.parametrize("to_plan", [{}, {"to_plan": None}])
def test_a_plan_change_without_a_plan_is_refused(signal: str, to_plan: dict[str, None]) -> None:
    rejected = refusal(COMMON | {"signal": signal} | to_plan, "churn-signal")
    assert (rejected.reason, rejected.detail) == (RejectionReason.INVALID, "to_plan: expected a value, found none")


def test_a_detail_has_the_path_the_expectation_and_the_kind_found() -> None:
    details = {
        "amount": (-5, "whole minor units from 0 to 1000000000000, found a number below 0"),
        "event_id": (
            "a/b",
            f"{ID_IN_WORDS}, found a text whose character 2 is SOLIDUS",
        ),
        "occurred_at": (
            "2026-03-15T09:30:00",
            "an RFC 3339 time with offset, from 1990 to 9999, found a time without offset",
        ),
        "period_end": ("2026-03-01T00:00:00Z", "a time after period_start, found none after it"),
        "currency": (None, "a value, found none"),
        "plan": ("", "1 to 128 characters, none of them a control character, found an empty string"),
        "final": (1, "true or false, found an integer"),
        "store": (
            "x" * 65,
            "1 to 64 characters, none of them a control character, found a string of 65 characters",
        ),
        "quantity": (0, "a whole number from 1 to 1000000, found a number below 1"),
        "order": (-(10**9) - 1, "a whole number from -1000000000 to 1000000000, found a number below -1000000000"),
        "ownership": ("rented", "one of purchased, family, promotional, seat, found a string of 6 characters"),
        "grace": ("short", "`none`, found a string of 5 characters"),
    }
    for field, (bad, expected) in details.items():
        assert refusal(PAYMENT | {field: bad}).detail == f"{field}: expected {expected}"


def test_only_the_first_three_problems_are_listed() -> None:
    detail = refusal({}).detail
    assert detail.count("found none") == 3
    assert detail.startswith("event_id: ")


def test_an_empty_message_and_a_byte_order_mark_are_named() -> None:
    for data, found in (
        (b"", "no data"),
        (b" \n", "only spaces"),
        (b"\xef\xbb\xbf{}", "a byte-order mark before it"),
    ):
        assert refusal(data).detail == f"the data: expected JSON in UTF-8, found {found}"


def test_a_number_out_of_bounds_is_told_by_the_bound_and_never_by_itself() -> None:
    signal = COMMON | {"signal": "inactivity"}
    for strength, found in (
        (2, "a number above 1"),
        (-0.5, "a number below 0"),
        ("1", "a string of 1 characters"),
    ):
        detail = refusal(signal | {"strength": strength}, "churn-signal").detail
        assert detail == f"strength: expected a number from 0 to 1, found {found}"
