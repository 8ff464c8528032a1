"""The delay of outcomes: the share of them that is known at each age of a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class DelayCurve:
    """The distribution of the delay between a decision and its outcome, as a step function.

    Ages and delays are in one unit of the caller's choice, such as hours.
    """

    delays: np.ndarray
    """The distinct delays that were seen, in order."""
    shares: np.ndarray
    """The share of all outcomes that have come by each of these delays; the last one is 1."""

    def share_known(self, ages: Sequence[float] | np.ndarray) -> np.ndarray:
        """The share of the outcomes that is known of decisions of these ages: 0 to 1.

        Nothing of it where no outcome was ever seen: then they may all be still to come.
        """
        steps = np.concatenate(([0.0], self.shares))
        return steps[np.searchsorted(self.delays, np.asarray(ages, dtype=float), side="right")]


def delay_curve(
    ages: Sequence[float] | np.ndarray, delays: Sequence[float] | np.ndarray, numbers: Sequence[float] | np.ndarray
) -> DelayCurve:
    """The curve of outcomes that were seen: for each its decision's age, its delay, and how many were alike.

    Young decisions show only short delays, so a plain histogram would call every delay short. The estimator of
    Lynden-Bell (1971, doi:10.1093/mnras/155.1.95) corrects for that: the share that has come by a delay t is the
    product, over all longer delays u, of the chance not to come exactly at u among the outcomes that came by u and
    whose decisions are at least u old. One is added to that number, so that the last few outcomes cannot make the
    whole curve zero. Outcomes slower than the oldest decision are unknown to it.
    """
    ages, delays, numbers = (np.asarray(values, dtype=float) for values in (ages, delays, numbers))
    distinct = np.unique(delays)
    if not len(distinct):
        return DelayCurve(distinct, distinct)
    came = _sums(delays, numbers, distinct)
    # Came by u and old enough to show u: those with a delay up to u, without those younger than u. These came
    # before u too, since an outcome is never older than its decision.
    younger = _sums_below(ages, numbers, distinct)
    at_risk = np.cumsum(came) - younger
    stayed = 1 - came / (at_risk + 1)
    shares = np.concatenate((np.cumprod(stayed[:0:-1])[::-1], [1.0]))
    return DelayCurve(distinct, shares)


def _sums(values: np.ndarray, numbers: np.ndarray, distinct: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(distinct, values), weights=numbers, minlength=len(distinct))


def _sums_below(values: np.ndarray, numbers: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The sum of the numbers whose value is below each bound."""
    order = np.argsort(values, kind="stable")
    totals = np.concatenate(([0.0], np.cumsum(numbers[order])))
    return totals[np.searchsorted(values[order], bounds, side="left")]
