from math import inf, isclose, nan
from random import Random

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

from infra.analytics.artifacts import find_score
from infra.analytics.training.score_sql import columns_by_name, in_context, score_sql
from tests.support.artifacts import category, leaf, logistic, number, score, split, trees
from tests.support.duck import scores

ROWS = 10_000
PLANS = ["a", "b", "it's", 'quoted "', "back\\slash", "line\nbreak", "å", ""]
COLUMNS = {"x": "double", "y": "bigint", "flag": "boolean", "c": "varchar"}


def seeded(seed):
    return Random(seed)  # noqa: S311 - cases, not secrets


def some_rows(random, count=ROWS):
    numbers = [0.0, -0.0, 10.0, 10.000000000000002, 9.999999999999998, 1e12, -1e12, 1e-300, nan, inf, -inf]
    return [
        (
            random.choice([None, random.choice(numbers), random.uniform(-50, 50)]),
            random.choice([None, random.randint(-20, 20)]),
            random.choice([None, True, False]),
            random.choice([None, *PLANS]),
        )
        for _ in range(count)
    ]


def same(one, other):
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=0, abs_tol=1e-9)


def agree(asked, rows, **options):
    found = scores(score_sql(asked, "`users`", ["n"], **options), "users", COLUMNS, rows)
    expected = [asked.evaluate(dict(zip(COLUMNS, row, strict=True))).value for row in rows]
    differing = [
        (row, one, other)
        for row, one, other in zip(rows, expected, found, strict=True)
        if (one is None) != (other is None)
        or (one is not None and not isclose(one, other, rel_tol=0, abs_tol=1e-9))
    ]
    assert differing == []
    return expected


def random_term(random, feature):
    missing = random.choice(["fail", {"impute": random.uniform(-5, 5)}, {"contribute": random.uniform(-1, 1)}])
    knots = [
        {"at": random.uniform(-10, 10), "coefficient": random.uniform(-0.2, 0.2)}
        for _ in range(random.randint(0, 4))
    ]
    bounds = random.choice([{}, {"min": -20, "max": 20}, {"min": 0}, {"max": 5.5}])
    more = {"center": random.uniform(-3, 3), "scale": random.uniform(0.5, 3)}
    return number(feature, random.uniform(-0.2, 0.2), missing=missing, knots=knots, **bounds, **more)


def random_tree(random, leaves):
    """A tree as its nodes in order, each split before its children."""
    if leaves == 1:
        return [leaf(random.uniform(-1, 1))]
    left = random_tree(random, random.randint(1, leaves - 1))
    right = random_tree(random, leaves - (len(left) + 1) // 2)
    kind = random.choice(["x", "y", "c", "flag"])
    by = (
        {"categories": random.sample(PLANS, 2)}
        if kind == "c"
        else {"threshold": random.choice([0, 10, random.uniform(-9, 9)])}
    )
    by = {"categories": ["true"]} if kind == "flag" else by
    moved = [[shifted(node, by_how) for node in part] for part, by_how in ((left, 1), (right, 1 + len(left)))]
    root = split(kind, 1, 1 + len(left), missing=random.choice(["left", "right"]), **by)
    return [root, *moved[0], *moved[1]]


def shifted(node, by):
    return node if "leaf" in node else node | {"left": node["left"] + by, "right": node["right"] + by}


@pytest.mark.parametrize("seed", range(4))
def test_a_logistic_score_is_the_same_in_sql_for_ten_thousand_rows(seed):
    random = seeded(seed)
    flags = {"categories": {"true": 0.5, "false": -0.2}, "other": 0, "missing": 0.1}
    plans = {
        "categories": {plan: random.uniform(-1, 1) for plan in PLANS[:-2]},
        "other": random.choice([0.3, "fail"]),
        "missing": random.choice([-0.4, "fail"]),
    }
    asked = score(
        logistic(
            intercept=random.uniform(-1, 1),
            numeric=[random_term(random, "x"), random_term(random, "y")],
            categorical=[category("flag", **flags), category("c", **plans)],
        )
    )
    assert len({*agree(asked, some_rows(random))}) > 100


@pytest.mark.parametrize(("seed", "count", "link"), [(1, 1, "logistic"), (2, 100, "logistic"), (3, 3, "identity")])
def test_trees_are_the_same_in_sql_for_ten_thousand_rows(seed, count, link):
    random = seeded(seed)
    grown = [random_tree(random, random.randint(1, 16)) for _ in range(count)]
    assert len({*agree(score(trees(*grown, link=link, base=0.25)), some_rows(random))}) > 5


def test_a_thousand_trees_are_one_query():
    random = seeded(5)
    grown = [random_tree(random, 4) for _ in range(1000)]
    agree(score(trees(*grown, link="logistic")), some_rows(random, 100))


def test_a_tree_as_deep_as_an_artifact_allows_is_one_query():
    chain = [
        node
        for depth in range(63)
        for node in (split("x", 2 * depth + 1, 2 * depth + 2, threshold=-depth), leaf(depth / 64))
    ]
    agree(score(trees([*chain, leaf(0.99)])), some_rows(seeded(6), 500))


def test_log_odds_that_no_exponential_can_take_are_scores_all_the_same():
    asked = score(logistic(numeric=[number("x", 1e6, min=-1e9, max=1e9)]))
    assert agree(asked, [(1e9, 0, True, ""), (-1e9, 0, True, ""), (0.0, 0, True, "")]) == [1.0, 0.0, 0.5]


def test_a_fact_that_is_a_number_and_a_category_is_both():
    asked = score(
        logistic(numeric=[number("y", 0.1)], categorical=[category("y", categories={"7": 1, "-3": 2}, other=0)])
    )
    agree(asked, [(0.0, y, None, None) for y in range(-9, 9)])


def test_the_shipped_score_reads_columns_of_other_names_and_a_column_that_is_not_there_is_missing():
    asked = find_score("churn_risk@1")
    names = {
        "subscription.status": "s",
        "subscription.auto_renew": "a",
        "subscription.payment_failing": "f",
        "subscription.recent_payments": "p",
        "subscription.days_until_period_end": "d",
    }
    rows = [("active", True, False, 3, 12), ("grace", False, True, 1, -4), (None, True, False, 3, 12)]
    types = {"s": "varchar", "a": "boolean", "f": "boolean", "p": "bigint", "d": "bigint"}
    found = scores(score_sql(asked, "users", ["n"], columns_by_name(names)), "users", types, rows)
    expected = [asked.evaluate(dict(zip(names, row, strict=True))).value for row in rows]
    assert found == [pytest.approx(expected[0]), pytest.approx(expected[1]), None]


def test_a_score_reads_the_context_of_a_decision():
    asked = score(logistic(numeric=[number("subscription.recent_payments", 0.3)]))
    sql = score_sql(asked, "decisions", ["n"], in_context)
    context = ['{"subscription.recent_payments": 3}', "{}"]
    found = scores(sql, "decisions", {"context": "json"}, [[one] for one in context])
    assert found == [pytest.approx(asked.evaluate({"subscription.recent_payments": 3}).value), None]
