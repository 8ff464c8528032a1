import json
import random
from math import exp, inf, nan

import pytest

from tests.bench.scores import FACTS
from tests.bench.scores import trees as random_trees
from tests.support.artifacts import leaf, split, trees
from tests.support.artifacts import score as score_of

LEFT, RIGHT = leaf(0.25), leaf(0.75)


def value(content, **facts):
    return score_of(content).evaluate(facts).value


def error(content, **facts):
    scored = score_of(content).evaluate(facts)
    assert scored.value is None
    return scored.error.removeprefix("score risk version 1: ")


@pytest.mark.parametrize(("x", "expected"), [(9.9, 0.25), (10, 0.25), (10.1, 0.75), (True, 0.25), (-1e300, 0.25)])
def test_a_number_up_to_the_threshold_goes_left(x, expected):
    assert value(trees([split(), LEFT, RIGHT]), x=x) == expected


@pytest.mark.parametrize(("missing", "expected"), [("left", 0.25), ("right", 0.75)])
@pytest.mark.parametrize(
    "by", [{"threshold": 10}, {"threshold": -1e12}, {"threshold": 1e12}, {"categories": ["a"]}]
)
def test_what_is_missing_goes_where_the_split_says(by, missing, expected):
    content = trees([split(missing=missing, **by), LEFT, RIGHT])
    assert (value(content), value(content, x=None)) == (expected, expected)


def test_one_fact_may_be_missing_to_the_left_here_and_to_the_right_there():
    content = trees(
        [split(missing="left"), leaf(0.1), leaf(0.2)],
        [split(missing="right"), leaf(0.3), leaf(0.4)],
    )
    assert (value(content), value(content, x=1), value(content, x=11)) == (0.5, 0.4, pytest.approx(0.6))


@pytest.mark.parametrize(
    ("fact", "expected"), [("a", 0.25), ("z", 0.75), (True, 0.25), (False, 0.75), (7, 0.25), ("", 0.75)]
)
def test_one_of_the_categories_goes_left_and_any_other_right(fact, expected):
    assert value(trees([split(categories=["a", "true", "7"]), LEFT, RIGHT]), x=fact) == expected


def test_a_tree_is_walked_to_its_leaf_and_all_leaves_add_up_with_the_base():
    deep = [split(), split("y", 3, 4), leaf(0.3), leaf(0.1), leaf(0.2)]
    content = trees(deep, [leaf(0.05)], base=0.5)
    assert value(content, x=1, y=1) == pytest.approx(0.65)
    assert value(content, x=1, y=11) == pytest.approx(0.75)
    assert value(content, x=11) == pytest.approx(0.85)


def test_the_logistic_link_makes_a_probability_of_the_sum():
    content = trees([split(), leaf(-2), leaf(3)], base=-1, link="logistic")
    assert value(content, x=11) == pytest.approx(1 / (1 + exp(-2)))
    assert value(content, x=1) == pytest.approx(1 / (1 + exp(3)))


@pytest.mark.parametrize(("base", "found"), [(1.5, "1.75"), (-0.5, "-0.25")])
def test_a_score_outside_nought_to_one_fails(base, found):
    content = trees([split(), LEFT, RIGHT], base=base)
    assert error(content, x=1) == f"expected a score from 0 to 1, found {found}"


@pytest.mark.parametrize("base", [-0.25, 0.75])
def test_nought_and_one_are_scores(base):
    assert value(trees([split(), LEFT, RIGHT], base=base), x=1) in (0, 1)


@pytest.mark.parametrize(
    ("by", "fact", "expected"),
    [
        ({}, "1", "x: expected a number, found text"),
        ({}, nan, "x: expected a finite number, found one that is not"),
        ({}, inf, "x: expected a finite number, found one that is not"),
        ({"categories": ["a"]}, 1.5, "x: expected text, a boolean or a whole number, found a number"),
    ],
)
def test_a_fact_of_the_wrong_type_fails(by, fact, expected):
    assert error(trees([split(**by), LEFT, RIGHT]), x=fact) == expected


@pytest.mark.parametrize("leaves", [[8], [1, 2], [9, 64, 3], [16, 17, 32, 33, 7]])
def test_many_trees_agree_with_a_walk_by_the_letter_of_the_artifact(leaves):
    content, draw = grown(leaves), random.Random(7)  # noqa: S311 - no secret
    score = score_of(content)
    assert any("categories" in node for tree in content["trees"] for node in tree)
    for _ in range(200):
        facts = {fact: draw.choice([None, draw.randrange(-5, 105)]) for fact in FACTS}
        log_odds = content["base"] + sum(reached(tree, facts) for tree in content["trees"])
        assert score.evaluate(facts).value == pytest.approx(1 / (1 + exp(-log_odds)), abs=1e-12)


def grown(leaves):
    """An artifact of random trees with these numbers of leaves. Splits by the last three facts use categories."""
    each = [json.loads(random_trees(20, count)) for count in leaves]
    mixed = [
        tree for of_one_size in zip(*(artifact["trees"] for artifact in each), strict=True) for tree in of_one_size
    ]
    return each[0] | {"trees": [[of_categories(node) for node in tree] for tree in mixed]}


def of_categories(node):
    if node.get("feature") not in FACTS[-3:]:
        return node
    rest = {name: value for name, value in node.items() if name != "threshold"}
    return rest | {"categories": [str(known) for known in range(0, 100, 2 + int(node["threshold"]) % 5)]}


def reached(tree, facts):
    """The leaf that a walk from the root reaches."""
    node = tree[0]
    while "leaf" not in node:
        node = tree[node[side(node, facts[node["feature"]])]]
    return node["leaf"]


def side(node, fact):
    if fact is None:
        return node["missing"]
    goes_left = str(fact) in node["categories"] if "categories" in node else fact <= node["threshold"]
    return "left" if goes_left else "right"
