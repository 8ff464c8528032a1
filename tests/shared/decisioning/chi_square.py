"""The chi-square test, for counts that are the same at every run: what is found is a fact, not a fluke."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import sqrt


def is_even(counts: Sequence[int]) -> bool:
    """Whether counts differ no more than chance lets them, once in a thousand."""
    expected = sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    return statistic < limit(len(counts) - 1)


def are_independent(pairs: Iterable[tuple[object, object]]) -> bool:
    """Whether the one tells nothing of the other, to the same degree of belief."""
    table = Counter(pairs)
    rows, columns = _margin(table, 0), _margin(table, 1)
    expected = {cell: rows[cell[0]] * columns[cell[1]] / table.total() for cell in product(rows, columns)}
    statistic = sum((table[cell] - count) ** 2 / count for cell, count in expected.items())
    return statistic < limit((len(rows) - 1) * (len(columns) - 1))


def limit(degrees: int) -> float:
    """What chi-square exceeds once in a thousand times, by Wilson and Hilferty's approximation."""
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + 3.0902 * sqrt(spread)) ** 3)


def _margin(table: Mapping[tuple[object, object], int], side: int) -> Counter[object]:
    margin = Counter[object]()
    for cell, count in table.items():
        margin[cell[side]] += count
    return margin
