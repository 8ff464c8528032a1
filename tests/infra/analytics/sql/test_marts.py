"""The other marts: moments, days of subscriptions, funnel, inputs of policies and features of users."""

from datetime import date, timedelta

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from shared.domain.events import FeedbackKind
from shared.domain.moments import NOT_TOLD, MomentKind
from tests.support.raw_rows import (
    MODELS,
    Warehouse,
    answered,
    at,
    candidate,
    change,
    decision,
    event,
    held,
    paid,
    text,
    tick,
    trigger,
    verdict,
)


def day(number):
    return date(2026, 1, 1) + timedelta(days=number)


def test_a_moment_is_told_once_by_the_first_message_and_by_the_day_on_which_it_occurred():
    warehouse = Warehouse(
        change("u", 20, moments=[("renewed", 10)]),
        change("u", 12, moments=[("renewed", 10), ("plan.changed", 12)]),
        change("u", 13, moments=[("renewed", 10)], subscription_id="s"),
    )
    warehouse.run("moments")
    columns = "subscription_id, kind, at, decided_at, decision_lateness_seconds, moment_date"
    assert sorted(warehouse.read("moments", columns)) == [
        ("main", "plan.changed", at(12), at(12), 0.0, day(12)),
        ("main", "renewed", at(10), at(12), 2 * 86400.0, day(10)),
        ("s", "renewed", at(10), at(13), 3 * 86400.0, day(10)),
    ]


def test_a_subscription_has_a_row_for_each_day_from_its_first_change_to_its_end():
    warehouse = Warehouse(
        change("u", 0.5, "trialing"),
        change("u", 2.1, "grace"),
        change("u", 2.2, "active"),
        change("u", 4.5, "expired"),
        change("u", 6.5, "expired", facts={"plan": "other"}),
        change("u", 8.5, "active"),
        tick(10.5),
    )
    warehouse.run("subscription_daily")
    found = warehouse.read("subscription_daily", "day, status, entitled")
    days = {0: "trialing", 1: "trialing", 2: "active", 3: "active", 4: "expired", 6: "expired"}
    days |= dict.fromkeys((8, 9, 10), "active")
    assert sorted(found) == [(day(n), status, status != "expired") for n, status in days.items()]


def test_the_user_is_entitled_by_any_subscription_whichever_changed_last():
    both = {"user_status": "active", "user_entitled": True}
    warehouse = Warehouse(
        change("u", 0.5, "active", subscription_id="a"),
        change("u", 1.5, "paused", subscription_id="b", **both),
        change("u", 2.5, "paused", subscription_id="a", user_status="paused", user_entitled=False),
    )
    warehouse.run("subscription_daily")
    found = warehouse.read("subscription_daily", "day, subscription_id, entitled, user_entitled")
    assert sorted(found) == [
        (day(0), "a", True, True),
        (day(1), "a", True, True),
        (day(1), "b", False, True),
        (day(2), "a", False, False),
        (day(2), "b", False, False),
    ]


def test_the_funnel_counts_each_stage_on_its_own_day():
    warehouse = Warehouse(
        decision(
            "u", 1, candidate(variant="plain"), candidate("other", outcome="lost", reason="audience", given=None)
        ),
        decision("v", 1, held(variant="plain")),
        trigger("u", 1, variant="plain"),
        trigger("u", 1, "revoked", 5, variant="plain", revoke_reason="moment"),
        answered("u", 1, "impression", 2.5, variant="plain"),
        answered("u", 1, "impression", 2, variant="plain"),
        answered("u", 1, "dismissed", 3, variant="plain"),
        answered("v", 1, "suppressed", 1, variant="plain"),
    )
    warehouse.run("funnel")
    found = warehouse.read("funnel", "day, campaign_id, variant, stage, reason, number")
    assert sorted(found, key=repr) == sorted(
        [
            (day(1), "upgrade", "plain", "considered", None, 2),
            (day(1), "upgrade", "plain", "lost", "holdout", 1),
            (day(1), "other", None, "considered", None, 1),
            (day(1), "other", None, "lost", "audience", 1),
            (day(1), "upgrade", "plain", "issued", None, 1),
            (day(2), "upgrade", "plain", "seen", None, 1),
            (day(3), "upgrade", "plain", "dismissed", None, 1),
            (day(5), "upgrade", "plain", "revoked", "moment", 1),
        ],
        key=repr,
    )


def test_a_policy_learns_from_each_choice_with_its_probability_and_what_came_of_it():
    arm = {"variant": "a", "policy_version": "7", "propensity": 0.2}
    warehouse = Warehouse(
        decision("u", 1, candidate(**arm), context={"scores.churn": 0.5}),
        answered("u", 1, "accepted", 2),
        answered("u", 1, "converted", 3),
        answered("u", 1, "converted", 4),
        decision("v", 1, candidate(**arm)),
        answered("v", 1, "accepted", 2),
        decision("w", 1, held(**arm)),
        decision("x", 1, candidate("other")),
    )
    warehouse.run("policy_inputs")
    columns = "user_id, arm, propensity, policy_version, given, context, accepted_at, converted_at, delay_seconds"
    assert sorted(warehouse.read("policy_inputs", columns)) == [
        ("u", "a", 0.2, "7", True, {"scores.churn": 0.5}, at(2), at(3), 2 * 86400.0),
        ("v", "a", 0.2, "7", True, None, at(2), None, 86400.0),
        ("w", "a", 0.2, "7", False, None, None, None, None),
    ]


def test_features_are_true_as_of_the_newest_message_and_unknown_is_null():
    warehouse = Warehouse(
        change("u", 0, "active", facts={"period_end": text(110), "store": "stripe"}, moments=["renewed"]),
        change("u", 1, "paused", subscription_id="s", user_status="active", user_entitled=True),
        paid("u", 5, "old"),
        paid("u", 50, "new", payment_id="n"),
        verdict("u", 51, "back", "refunded", payment_id="n"),
        verdict("u", 60, "no", "failed"),
        event("churn-signal", "u", 90, "s1", signal="cancel_page_viewed"),
        event("churn-signal", "u", 20, "s2", signal="cancel_page_viewed"),
        trigger("u", 60),
        answered("u", 60, "impression", 61),
        change("quiet", 99, "trialing"),
        tick(100),
    )
    warehouse.run("user_features")
    columns = (
        "user_id, as_of, status, store, subscriptions, days_known, days_to_period_end, payments, payments_90d,"
        " payments_failed_90d, refunds_365d, days_since_paid, renewals_365d, cancel_page_views_30d, offers_90d,"
        " days_since_offer, offers_seen_90d, offers_clicked_90d"
    )
    assert sorted(warehouse.read("user_features", columns)) == [
        ("quiet", at(100), "trialing", None, 1, 1.0, None, 0, 0, 0, 0, None, 0, 0, 0, None, 0, 0),
        ("u", at(100), "active", "stripe", 2, 100.0, 10.0, 2, 1, 1, 1, 50.0, 1, 1, 1, 40.0, 1, 0),
    ]


TOLD = set(MomentKind) - NOT_TOLD
"""The kinds of moments that reach the warehouse."""


@pytest.mark.parametrize("name", ["marts/metrics.sql", "assertions/metrics_are_known.sql"])
def test_the_kinds_that_a_metric_may_be_are_those_of_the_contracts(name):
    from infra.analytics.warehouse.models import SQL  # noqa: PLC0415 - after the check that sqlglot is there

    assert {*TOLD, *FeedbackKind} <= set((SQL / name).read_text().split("'"))


def test_the_kinds_of_moments_in_headers_are_those_of_the_contracts():
    assert set(MODELS["moments"].header.tests.accepted_values["kind"]) == TOLD
    answers = set(MODELS["stg_exposure"].header.tests.accepted_values["kind"])
    assert answers == {*FeedbackKind, "suppressed"}
