"""Logistic regression by Newton's method, in plain Python, since a few columns need no library."""

from collections.abc import Sequence
from math import exp

Row = Sequence[float]
MAX_STEPS = 25
CONVERGED = 1e-10
"""Largest change of any coefficient at which the fit stops."""
RIDGE = 1e-3
"""L2 penalty. It keeps the equations solvable for a constant column, and is too small to show in a coefficient."""


def fit(rows: Sequence[Row], labels: Sequence[bool], weights: Sequence[int]) -> list[float]:
    """The maximum-likelihood intercept and coefficients; each row counts as often as its weight."""
    design = [(1.0, *row) for row in rows]
    coefficients = [0.0] * len(design[0])
    for _ in range(MAX_STEPS):
        step = _solved(*_newton(design, labels, weights, coefficients))
        coefficients = [value + change for value, change in zip(coefficients, step, strict=True)]
        if max(map(abs, step)) < CONVERGED:
            break
    return coefficients


def probability(coefficients: Sequence[float], row: Row) -> float:
    """The predicted probability of a row."""
    log_odds = coefficients[0] + sum(coefficient * x for coefficient, x in zip(coefficients[1:], row, strict=True))
    return 1 / (1 + exp(-log_odds))


def _newton(
    design: Sequence[Row], labels: Sequence[bool], weights: Sequence[int], coefficients: Sequence[float]
) -> tuple[list[list[float]], list[float]]:
    """The negative Hessian and the gradient of the penalised log-likelihood, which determine the next step."""
    size = range(len(coefficients))
    curvature = [[RIDGE if i == j and i else 0.0 for j in size] for i in size]
    slope = [-RIDGE * value if i else 0.0 for i, value in enumerate(coefficients)]
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
    """Solve linear equations by Gauss-Jordan elimination.

    Needs no pivoting, because the matrix (a negative Hessian) is positive definite.
    """
    size = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        lines[i] = [value / lines[i][i] for value in lines[i]]
        for j in range(size):
            if j != i:
                lines[j] = [value - lines[j][i] * pivot for value, pivot in zip(lines[j], lines[i], strict=True)]
    return [line[-1] for line in lines]
