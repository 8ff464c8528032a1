"""What became of each unit: moments, feedback, money and access, in windows around its first occasion."""

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from tests.support.raw_rows import (
    Warehouse,
    answered,
    candidate,
    catalog,
    change,
    decision,
    paid,
    tick,
    trigger,
    verdict,
)

GIFT = {
    "variants": [{"id": "plain", "weight": 0.5}, {"id": "with_gift", "weight": 0.5}],
    "goal_metrics": ["renewed", "accepted"],
    "guardrail_metrics": ["refunded", "nothing.at.all"],
}
DAY = 40
"""The day of each user's first occasion."""


def exposed(user, variant="plain", **fields):
    return decision(user, DAY, candidate(variant=variant, **fields))


ROWS = [
    catalog(experiments={"gift": GIFT}, holdouts={"all": {"percent": 5}}),
    # the moment that was decided occurred at the same instant: it is no outcome, and it is before
    exposed("renews"),
    change("renews", DAY, moments=["renewed"]),
    change("renews", DAY + 10, moments=["renewed"]),
    change("renews", DAY + 12, moments=["renewed"]),
    # exactly 7 days after is in the window of 7, exactly 28 days before is not in the covariate
    exposed("bounds"),
    change("bounds", DAY - 28, moments=["renewed"]),
    change("bounds", DAY + 7, moments=["renewed"]),
    # told late: it counts when it occurred
    exposed("late"),
    change("late", DAY + 30, moments=[("renewed", DAY + 3)]),
    exposed("never"),
    exposed("accepts"),
    trigger("accepts", DAY),
    answered("accepts", DAY, "accepted", DAY + 8),
    # money: paid before the occasion and refunded after it
    exposed("refunds"),
    paid("refunds", DAY - 1, "r1", amount=500, payment_id="r"),
    verdict("refunds", DAY + 1, "r2", "refunded", payment_id="r"),
    paid("refunds", DAY + 20, "r3", amount=200),
    # access: 10 days before, 2 days after, and then again from day 10 on
    exposed("access"),
    change("access", DAY - 10, "active"),
    change("access", DAY + 2, "expired"),
    change("access", DAY + 10, "active"),
    # a unit that is a subscription
    decision("subs", DAY, candidate(variant="plain", experiment_id="per-sub", unit="subscription",
                                    subscription_id="a")),
    change("subs", DAY - 1, "active", subscription_id="a"),
    change("subs", DAY - 1, "active", subscription_id="b"),
    change("subs", DAY + 3, "expired", subscription_id="a", user_status="active", user_entitled=True),
    paid("subs", DAY + 1, "s1", amount=7, subscription_id="b"),
    paid("subs", DAY + 1, "s2", amount=3, subscription_id="a"),
    tick(DAY + 50),
]  # fmt: skip
VALUES = [
    # user, metric, window: numerator, covariate
    ("renews", "renewed", 7, 0, 1),
    ("renews", "renewed", 14, 1, 1),
    ("renews", "renewed", 60, 1, 1),
    ("bounds", "renewed", 7, 1, 0),
    ("late", "renewed", 7, 1, 0),
    ("never", "renewed", 60, 0, 0),
    ("never", "accepted", 60, 0, 0),
    ("never", "revenue:EUR", 60, 0, 0),
    ("accepts", "accepted", 7, 0, 0),
    ("accepts", "accepted", 14, 1, 0),
    ("refunds", "revenue:EUR", 7, -500, 500),
    ("refunds", "revenue:EUR", 28, -300, 500),
    ("access", "entitled_days", 7, 2, 10),
    ("access", "entitled_days", 14, 6, 10),
    ("access", "entitled_days", 60, 42, 10),
]


@pytest.fixture(scope="module")
def built():
    warehouse = Warehouse(*ROWS)
    warehouse.run("metrics")
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize(("user", "metric", "days", "numerator", "covariate"), VALUES)
def test_a_metric_counts_what_happened_in_its_window(built, user, metric, days, numerator, covariate):
    found = built.read(
        "metrics",
        "numerator, denominator, covariate, numerator_squared, denominator_squared, cross_product,"
        " covariate_squared, covariate_cross",
        "experiment_id = 'gift' AND unit_id = @user AND metric = @metric AND window_days = @days",
        user=user, metric=metric, days=days,
    )  # fmt: skip
    n, c = numerator, covariate
    assert found == [pytest.approx((n, 1, c, n * n, 1, n, c * c, n * c))]


def test_of_a_unit_that_is_a_subscription_only_its_own_counts(built):
    found = built.read(
        "metrics", "metric, numerator, covariate", "unit_id = 'subs/a' AND window_days = 14 AND complete"
    )
    assert sorted(found) == [("entitled_days", 3.0, 1.0), ("revenue:EUR", 3.0, 0.0)]


def test_every_unit_has_every_metric_and_window_and_an_unknown_metric_has_none(built):
    found = built.read("metrics", "unit_id, metric, window_days, complete", "experiment_id = 'gift'")
    users = {"renews", "bounds", "late", "never", "accepts", "refunds", "access"}
    metrics = {"renewed", "accepted", "refunded", "entitled_days", "revenue:EUR"}
    assert {row[:3] for row in found} == {(u, m, w) for u in users for m in metrics for w in (7, 14, 28, 60)}
    assert len(found) == len(users) * len(metrics) * 4
    assert {row[2:] for row in found} == {(7, True), (14, True), (28, True), (60, False)}


def test_a_holdout_has_the_metrics_of_all_experiments(built):
    found = built.read("metrics", "metric", "experiment_id = 'holdout/all'")
    assert {row[0] for row in found} == {"renewed", "accepted", "refunded", "entitled_days", "revenue:EUR"}


def test_a_metric_that_names_nothing_is_told_by_an_assertion(built):
    from infra.analytics.warehouse.checks import check, read_assertions  # noqa: PLC0415
    from tests.support.raw_rows import MODELS, at  # noqa: PLC0415

    assertions = [one for one in read_assertions(MODELS) if one.name == "metrics_are_known"]
    (outcome,) = check(built.engine, assertions, now=at(100))
    assert [(row["experiment_id"], row["metric"]) for row in outcome.failures] == [("gift", "nothing.at.all")]
