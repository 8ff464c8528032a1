import json
from math import inf

import pytest

from shared.decisioning.scoring.load import MAX_BYTES, MAX_PROBLEMS, InvalidScore, load_score
from shared.domain.errors import UpbeatError
from tests.support.artifacts import (
    TRAINED,
    category,
    leaf,
    logistic,
    number,
    score,
    split,
    trees,
    written,
)

LEAVES = [leaf(0), leaf(1)]


def problems(content, **more):
    with pytest.raises(InvalidScore) as refused:
        load_score(content if isinstance(content, bytes) else written(content), **more)
    assert isinstance(refused.value, UpbeatError)
    return refused.value.problems


def without(content, field):
    return {name: value for name, value in content.items() if name != field}


@pytest.mark.parametrize("field", ["name", "version", "description", "trained", "intercept"])
def test_a_missing_field_is_named(field):
    assert problems(without(logistic(), field)) == [f"{field}: expected a value, found nothing"]


@pytest.mark.parametrize("field", ["on", "at", "rows", "how"])
def test_where_the_numbers_come_from_must_be_told(field):
    assert problems(logistic(trained=without(TRAINED, field))) == [
        f"trained.{field}: expected a value, found nothing"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (logistic(intercep=1), "intercep: expected a known field (intercept?), found 1"),
        (
            logistic(numeric=[number(coeficient=1)]),
            "numeric[0].coeficient: expected a known field (coefficient?), found 1",
        ),
        (logistic(kind="linear"), 'kind: expected one of logistic, trees, found "linear"'),
        (without(logistic(), "kind"), "kind: expected one of logistic, trees, found null"),
        (logistic(kind=["trees"]), 'kind: expected one of logistic, trees, found ["trees"]'),
        (logistic(intercept="1"), 'intercept: expected a number, found "1"'),
        (logistic(intercept=True), "intercept: expected a number, found true"),
        (
            logistic(intercept=1e13),
            "intercept: expected at most 1000000000000, found 10000000000000.0",
        ),
        (logistic(version=0), "version: expected at least 1, found 0"),
        (logistic(version="1"), 'version: expected a whole number, found "1"'),
        (
            logistic(name="a b"),
            'name: expected 1 to 64 letters, digits, _ or -, of which the first is a letter or digit, found "a b"',
        ),
        (
            logistic(numeric=[number("a b")]),
            'numeric[0].feature: expected the name of a fact, such as subscription.recent_payments, found "a b"',
        ),
        (logistic(numeric=[number(scale=0)]), "numeric[0].scale: expected more than 0, found 0"),
        (
            logistic(numeric=[number(missing="skip")]),
            'numeric[0].missing: expected fail, {"impute": NUMBER} or {"contribute": NUMBER}, found "skip"',
        ),
        (
            logistic(numeric=[number(missing=0)]),
            'numeric[0].missing: expected fail, {"impute": NUMBER} or {"contribute": NUMBER}, found 0',
        ),
        (
            logistic(numeric=[number(missing={"impute": "0"})]),
            'numeric[0].missing.impute: expected a number, found "0"',
        ),
        (
            logistic(categorical=[category(other=None)]),
            "categorical[0].other: expected a number or fail, found null",
        ),
        (
            logistic(categorical=[category(categories={})]),
            "categorical[0].categories: expected at least 1 entry, found 0",
        ),
        (logistic(numeric=[number(min=3, max=2)]), "numeric[0].max: expected at least min (3.0), found 2.0"),
        (logistic(numeric=[number(), number()]), 'numeric[1].feature: expected each feature once, found "x"'),
        (
            logistic(categorical=[category(), category()]),
            'categorical[1].feature: expected each feature once, found "c"',
        ),
        (
            logistic(numeric=[number("age")], trained=TRAINED | {"judged": ["aeg"]}),
            'trained.judged[0]: expected a feature of this score (age?), found "aeg"',
        ),
        (
            logistic(categorical=[category(categories={"a": "1"})]),
            'categorical[0].categories.a: expected a number, found "1"',
        ),
        (trees([leaf(0)], link="probit"), 'link: expected one of logistic, identity, found "probit"'),
        (trees(), "trees: expected at least 1 entry, found 0"),
        (trees([]), "trees[0]: expected at least 1 entry, found 0"),
        (
            trees([without(split(), "missing"), *LEAVES]),
            "trees[0][0].missing: expected a value, found nothing",
        ),
        (
            trees([3]),
            'trees[0][0]: expected {"leaf": NUMBER}, or a feature with a threshold or with categories, found 3',
        ),
        (
            trees([leaf(0) | {"left": 1}]),
            "trees[0][0].left: expected a known field, found 1",
        ),
        (
            trees([split(missing="fail"), *LEAVES]),
            'trees[0][0].missing: expected one of left, right, found "fail"',
        ),
    ],
)
def test_a_mistake_is_told_with_its_path_what_was_expected_and_what_was_found(content, expected):
    assert problems(content) == [expected]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ([split(), *LEAVES, leaf(2)], ["trees[0][3]: expected a node that is the child of exactly one, found 0"]),
        (
            [split(right=1), leaf(0)],
            ["trees[0][1]: expected a node that is the child of exactly one, found 2"],
        ),
        (
            [split(right=3), *LEAVES],
            [
                "trees[0][0].right: expected the index of a later node (1 to 2), found 3",
                "trees[0][2]: expected a node that is the child of exactly one, found 0",
            ],
        ),
        (
            [split(), split(left=1, right=3), *LEAVES],
            [
                "trees[0][1].left: expected the index of a later node (2 to 3), found 1",
                "trees[0][1]: expected a node that is the child of exactly one, found 2",
            ],
        ),
        ([split(left=0), *LEAVES], ["trees[0][0].left: expected at least 1, found 0"]),
    ],
    ids=["unreachable", "shared", "dangling", "cycle", "root"],
)
def test_a_tree_that_is_none_is_refused(tree, expected):
    assert problems(trees(tree)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the data: expected JSON in UTF-8, found no data"),
        (b"[]", "the data: expected an object, found a list"),
        (b"\xff", "the data: expected JSON in UTF-8, found a byte that is not UTF-8 at offset 0"),
        (written(logistic(intercept=inf)), "the data: expected finite numbers, found NaN or Infinity"),
        (
            b'{"kind": "logistic", "kind": "trees"}',
            "the data: expected each key once in an object, found one twice",
        ),
        (b"[" * 10_000, "the data: expected at most 32 levels of nesting, found more"),
        (b" " * (MAX_BYTES + 1), "score: expected at most 524288 bytes, found 524289"),
    ],
)
def test_what_is_no_artifact_at_all_is_refused(data, expected):
    assert problems(data) == [expected]


@pytest.mark.parametrize("literal", ["1e999", "-1e999", "1" + "0" * 400])
def test_a_number_too_large_to_be_one_is_refused(literal):
    [told] = problems(
        written(logistic(intercept=0)).replace(b'"intercept": 0', f'"intercept": {literal}'.encode())
    )
    assert told.startswith("intercept: expected ")


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (logistic(numeric=[number(f"x{n}") for n in range(129)]), "numeric"),
        (logistic(categorical=[category(f"x{n}") for n in range(129)]), "categorical"),
        (logistic(numeric=[number(knots=[{"at": n, "coefficient": 1} for n in range(17)])]), "numeric[0].knots"),
        (
            logistic(categorical=[category(categories={str(n): 1 for n in range(1001)})]),
            "categorical[0].categories",
        ),
        (logistic(description="x" * 4001), "description"),
        (logistic(numeric=[number("x" * 129)]), "numeric[0].feature"),
        (trees(*[[leaf(0)]] * 1001), "trees"),
        (trees([leaf(0)] * 128), "trees[0]"),
        (trees([split(categories=[str(n) for n in range(257)]), *LEAVES]), "trees[0][0].categories"),
    ],
)
def test_everything_has_a_bound(content, path):
    assert [told.partition(":")[0] for told in problems(content)] == [path]


def test_a_tree_of_64_leaves_is_not_too_large():
    chain = [node for n in range(63) for node in (split(left=2 * n + 1, right=2 * n + 2), leaf(n))]
    nodes = [
        chain[0],
        *(chain[index] for n in range(1, 63) for index in (2 * n - 1, 2 * n)),
        leaf(0.5),
        leaf(0.75),
    ]
    assert score(trees(nodes)).evaluate({"x": 11}).value == 0.75


def test_nobody_reads_more_than_fifty_mistakes():
    assert len(problems(trees(*[[split(), leaf(0), leaf(0), leaf(0)]] * 90))) == MAX_PROBLEMS
    assert len(problems(trees(*[[{}]] * 90))) == MAX_PROBLEMS


def test_a_feature_that_is_no_fact_is_a_mistake_where_the_facts_are_known():
    content = logistic(numeric=[number("recent_payment")], categorical=[category("plan")])
    assert problems(content, facts={"recent_payments", "plan"}) == [
        'numeric[0].feature: expected a known fact (recent_payments?), found "recent_payment"'
    ]
    grown = trees([split("tenur"), *LEAVES])
    assert problems(grown, facts={"tenure"}) == [
        'trees[0][0].feature: expected a known fact (tenure?), found "tenur"'
    ]


def test_several_mistakes_are_told_together():
    content = without(logistic(version=0, intercept="x", numeric=[number(scale=-1)]), "name")
    told = [problem.partition(":")[0] for problem in problems(content)]
    assert told == ["name", "version", "intercept", "numeric[0].scale"]


def test_the_text_of_the_error_lists_the_problems():
    with pytest.raises(InvalidScore, match="invalid score:\n  version: expected at least 1, found 0"):
        load_score(json.dumps(logistic(version=0)).encode())
