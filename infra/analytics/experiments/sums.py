"""Sums over the units of an arm: all that the statistics need, additive over days and arms.

Each unit brings four values: its outcome, what the outcome is divided by (1 for a mean), its covariate from before
the exposure, and its weight, 1 for the covariate. Arms are compared by ratios of their sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from math import isfinite
from typing import Any, Self

VALUES = ("outcome", "divisor", "covariate", "weight")
PAIRS = tuple(combinations(VALUES, 2))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over `count` independent units, or over users where a user has several units."""

    count: int = 0
    units: int = 0
    outcome: float = 0.0
    divisor: float = 0.0
    covariate: float = 0.0
    weight: float = 0.0
    outcome_outcome: float = 0.0
    divisor_divisor: float = 0.0
    covariate_covariate: float = 0.0
    weight_weight: float = 0.0
    outcome_divisor: float = 0.0
    outcome_covariate: float = 0.0
    outcome_weight: float = 0.0
    divisor_covariate: float = 0.0
    divisor_weight: float = 0.0
    covariate_weight: float = 0.0

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """The sums in a row of the warehouse."""
        counts, numbers = (fields(cls)[:2], fields(cls)[2:])
        return cls(*(int(row[each.name]) for each in counts), *(float(row[each.name] or 0) for each in numbers))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def is_finite(self) -> bool:
        """False if a value of a unit is infinite or no number."""
        return all(isfinite(getattr(self, each.name)) for each in fields(self))

    def mean(self, name: str) -> float:
        """The mean of one of the values."""
        return float(getattr(self, name)) / self.count

    def covariance(self, one: str, other: str) -> float:
        """The sample covariance of two of the values; of one with itself, its variance. Needs two units."""
        centred = float(getattr(self, f"{one}_{other}")) - self.mean(one) * float(getattr(self, other))
        return centred / (self.count - 1)
