"""Evaluation of a logistic regression: the sum of its terms."""

from collections.abc import Callable

from shared.decisioning.scoring.facts import Facts, Unusable, category, number
from shared.decisioning.scoring.logistic_artifact import (
    CategoricalTerm,
    Contribute,
    Impute,
    Logistic,
    NumericTerm,
)

Term = Callable[[object], float]
"""A function from a fact to its contribution to the log-odds. Raises `Unusable` if the term forbids the fact."""


def log_odds(content: Logistic) -> Callable[[Facts], float]:
    """A function from facts to the sum of the intercept and all terms. Its tables are prepared once."""
    intercept = content.intercept
    terms = [(term.feature, _numeric(term)) for term in content.numeric]
    terms += [(term.feature, _categorical(term)) for term in content.categorical]

    def log_odds_of(facts: Facts) -> float:
        total = intercept
        for feature, contribution in terms:
            total += contribution(facts.get(feature))
        return total

    return log_odds_of


def _numeric(term: NumericTerm) -> Term:
    feature, coefficient, center, scale = term.feature, term.coefficient, term.center, term.scale
    lowest = float("-inf") if term.min is None else term.min
    highest = float("inf") if term.max is None else term.max
    knots = [(knot.at, knot.coefficient) for knot in term.knots]

    def contribution(fact: object) -> float:
        x = number(feature, fact)
        if x < lowest:
            x = lowest
        elif x > highest:
            x = highest
        total = coefficient * (x - center) / scale
        for at, slope in knots:
            if x > at:
                total += slope * (x - at)
        return total

    return _or_missing(contribution, _when_missing(term, contribution), feature)


def _when_missing(term: NumericTerm, contribution: Term) -> float | None:
    match term.missing:
        case Impute(impute=value):
            return contribution(value)
        case Contribute(contribute=value):
            return value
        case _:
            return None


def _categorical(term: CategoricalTerm) -> Term:
    feature, coefficients = term.feature, term.categories
    other = None if term.other == "fail" else term.other

    def contribution(fact: object) -> float:
        coefficient = coefficients.get(category(feature, fact), other)
        if coefficient is None:
            raise Unusable(f"{feature}: expected a known category, found another")
        return coefficient

    return _or_missing(contribution, None if term.missing == "fail" else term.missing, feature)


def _or_missing(contribution: Term, missing: float | None, feature: str) -> Term:
    """The contribution of a fact, or `missing` if there is no fact. If `missing` is None too, the score fails."""

    def contribution_or_missing(fact: object) -> float:
        if fact is not None:
            return contribution(fact)
        if missing is None:
            raise Unusable(f"{feature}: expected a value, found nothing")
        return missing

    return contribution_or_missing
