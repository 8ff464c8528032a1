"""Logistic regression by Newton's method, in plain Python: a few columns need no library."""

from collections.abc import Sequence
from math import exp

Row = Sequence[float]
ROUNDS = 25
CONVERGED = 1e-10
RIDGE = 1e-3
"""A penalty too small to be seen in a coefficient; it keeps the equations solvable where a column is constant."""


def fit(rows: Sequence[Row], labels: Sequence[bool], weights: Sequence[int]) -> list[float]:
    """The likeliest intercept and coefficient of each column, where a row counts `weights` times."""
    design = [(1.0, *row) for row in rows]
    coefficients = [0.0] * len(design[0])
    for _ in range(ROUNDS):
        step = _solved(*_newton(design, labels, weights, coefficients))
        coefficients = [one + change for one, change in zip(coefficients, step, strict=True)]
        if max(map(abs, step)) < CONVERGED:
            break
    return coefficients


def probability(coefficients: Sequence[float], row: Row) -> float:
    """What the regression says of a row."""
    log_odds = coefficients[0] + sum(one * x for one, x in zip(coefficients[1:], row, strict=True))
    return 1 / (1 + exp(-log_odds))


def _newton(
    design: Sequence[Row], labels: Sequence[bool], weights: Sequence[int], coefficients: Sequence[float]
) -> tuple[list[list[float]], list[float]]:
    """The curvature and the slope of the log-likelihood: their quotient is the next step."""
    size = range(len(coefficients))
    curvature = [[RIDGE if i == j and i else 0.0 for j in size] for i in size]
    slope = [-RIDGE * one if i else 0.0 for i, one in enumerate(coefficients)]
    for row, label, weight in zip(design, labels, weights, strict=True):
        p = probability(coefficients, row[1:])
        error, spread = weight * (label - p), weight * p * (1 - p)
        for i in size:
            slope[i] += error * row[i]
            weighted, line = spread * row[i], curvature[i]
            for j in size:
                line[j] += weighted * row[j]
    return curvature, slope


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of linear equations, by elimination; a curvature is positive, so any order of rows will do."""
    size = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        lines[i] = [value / lines[i][i] for value in lines[i]]
        for j in range(size):
            if j != i:
                lines[j] = [value - lines[j][i] * pivot for value, pivot in zip(lines[j], lines[i], strict=True)]
    return [line[-1] for line in lines]
