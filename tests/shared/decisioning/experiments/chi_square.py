"""The chi-square test. It is used on deterministic counts, so a test never fails by chance."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import sqrt


def is_even(counts: Sequence[int]) -> bool:
    """True if the counts fit an even distribution at a significance level of 0.001."""
    expected = sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    return statistic < limit(len(counts) - 1)


def are_independent(pairs: Iterable[tuple[object, object]]) -> bool:
    """True if the two values of the pairs are independent at a significance level of 0.001."""
    table = Counter(pairs)
    rows, columns = _margin(table, 0), _margin(table, 1)
    expected = {cell: rows[cell[0]] * columns[cell[1]] / table.total() for cell in product(rows, columns)}
    statistic = sum((table[cell] - count) ** 2 / count for cell, count in expected.items())
    return statistic < limit((len(rows) - 1) * (len(columns) - 1))


def limit(degrees: int) -> float:
    """The 0.999 quantile of chi-square, by the approximation of Wilson and Hilferty.

    https://en.wikipedia.org/wiki/Chi-squared_distribution#Asymptotic_properties
    """
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + 3.0902 * sqrt(spread)) ** 3)


def _margin(table: Mapping[tuple[object, object], int], side: int) -> Counter[object]:
    margin = Counter[object]()
    for cell, count in table.items():
        margin[cell[side]] += count
    return margin
