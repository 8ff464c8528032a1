from math import exp, inf, log, nan

import pytest

from tests.support.artifacts import category, logistic, number, score


def log_odds(content, facts):
    """The sum of the terms, computed back from the score."""
    value = score(content).evaluate(facts).value
    return log(value / (1 - value))


def error(content, facts):
    scored = score(content).evaluate(facts)
    assert scored.value is None
    return scored.error.removeprefix("score risk version 1: ")


def test_the_score_is_the_probability_of_the_log_odds():
    content = logistic(intercept=-1, numeric=[number("x", 0.5), number("y", -2)], categorical=[category()])
    scored = score(content).evaluate({"x": 4, "y": 0.25, "c": "a"})
    assert scored == (1 / (1 + exp(-1.5)), "risk", 1, None)


def test_a_score_tells_which_facts_it_asks_for():
    asked = score(logistic(numeric=[number("x"), number("y")], categorical=[category("c")]))
    assert asked.features == {"x", "y", "c"}


@pytest.mark.parametrize(
    ("x", "expected"),
    [(30, 0), (40, 1), (10, -2), (60, 3 + 0.5 * 10), (100, 7 + 0.5 * 50 + 0.25 * 20), (0, -2), (900, 7 + 25 + 5)],
)
def test_a_number_is_clipped_centered_scaled_and_bent_at_its_knots(x, expected):
    knots = [{"at": 50, "coefficient": 0.5}, {"at": 80, "coefficient": 0.25}]
    term = number(coefficient=1, center=30, scale=10, knots=knots, min=10, max=100)
    content = logistic(intercept=-20, numeric=[term])
    assert log_odds(content, {"x": x}) == pytest.approx(expected - 20)


@pytest.mark.parametrize(("fact", "expected"), [(True, 2), (False, 0), (3, 6), (0.5, 1), (-1, -2)])
def test_a_boolean_counts_as_one_or_zero_in_a_numeric_term(fact, expected):
    assert log_odds(logistic(numeric=[number(coefficient=2)]), {"x": fact}) == pytest.approx(expected)


@pytest.mark.parametrize("facts", [{}, {"x": None}])
def test_a_missing_number_is_imputed_contributes_or_fails(facts):
    imputed = number(coefficient=2, missing={"impute": 3}, max=2)
    contributed = number(coefficient=2, missing={"contribute": 0.25})
    assert log_odds(logistic(numeric=[imputed]), facts) == pytest.approx(4)
    assert log_odds(logistic(numeric=[contributed]), facts) == pytest.approx(0.25)
    assert error(logistic(numeric=[number()]), facts) == "x: expected a value, found nothing"


@pytest.mark.parametrize(
    ("fact", "found"),
    [
        ("7", "a number, found text"),
        ([1], "a number, found a list"),
        ({}, "a number, found a dict"),
        (nan, "a finite number, found one that is not"),
        (-inf, "a finite number, found one that is not"),
        (10**400, "a finite number, found one that is too large"),
    ],
)
def test_what_is_no_finite_number_fails_whatever_the_rule_for_missing(fact, found):
    content = logistic(numeric=[number(missing={"impute": 0})])
    assert error(content, {"x": fact}) == f"x: expected {found}"


@pytest.mark.parametrize(
    ("fact", "expected"), [("a", 1), ("b", 2), (True, 3), (False, 4), (7, 5), ("true", 3), ("7", 5)]
)
def test_a_category_is_text_a_boolean_in_words_or_a_whole_number_in_digits(fact, expected):
    categories = {"a": 1, "b": 2, "true": 3, "false": 4, "7": 5}
    content = logistic(categorical=[category(categories=categories)])
    assert log_odds(content, {"c": fact}) == pytest.approx(expected)


def test_an_unknown_category_contributes_or_fails_without_being_named():
    assert log_odds(logistic(categorical=[category(other=-3)]), {"c": "secret"}) == pytest.approx(-3)
    told = error(logistic(categorical=[category()]), {"c": "secret"})
    assert told == "c: expected a known category, found another"


@pytest.mark.parametrize("facts", [{}, {"c": None}])
def test_a_missing_category_contributes_or_fails(facts):
    assert log_odds(logistic(categorical=[category(missing=2)]), facts) == pytest.approx(2)
    assert error(logistic(categorical=[category(other=0)]), facts) == "c: expected a value, found nothing"


@pytest.mark.parametrize(
    ("fact", "found"), [(1.0, "a number"), (2**64, "a number"), ([], "a list"), (b"a", "a bytes")]
)
def test_what_can_be_no_category_fails_whatever_the_rules(fact, found):
    content = logistic(categorical=[category(other=0, missing=0)])
    assert error(content, {"c": fact}) == f"c: expected text, a boolean or a whole number, found {found}"


@pytest.mark.parametrize(("x", "expected"), [(1e6, 1.0), (-1e6, 0.0)])
def test_extreme_log_odds_end_at_nought_and_one(x, expected):
    assert score(logistic(numeric=[number()])).evaluate({"x": x}).value == expected


def test_log_odds_that_are_not_finite_fail():
    steep = number(coefficient=1e12)
    assert error(logistic(numeric=[steep]), {"x": 1e300}) == "expected finite log-odds, found inf"
    opposed = logistic(numeric=[steep, number("y", -1e12)])
    assert error(opposed, {"x": 1e300, "y": 1e300}) == "expected finite log-odds, found nan"


def test_a_score_of_no_terms_says_the_same_of_everybody():
    assert score(logistic()).evaluate({"anything": object()}).value == 0.5
