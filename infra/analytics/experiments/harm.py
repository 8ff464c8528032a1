"""Guardrails that are surely worse: the one verdict of the report and of the guard."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from infra.analytics.experiments.comparisons import Arms, lack
from infra.analytics.experiments.confidence_sequence import ALPHA, always_valid_p
from infra.analytics.experiments.directions import harm_of
from infra.analytics.experiments.estimates import NoEstimate, adjusted_means
from infra.analytics.experiments.outcomes import Outcomes
from infra.analytics.experiments.sums import Sums


@dataclass(frozen=True, slots=True)
class Harm:
    """A guardrail of one arm within one window, against no harm beyond the margin."""

    metric: str
    arm: str
    window_days: int
    control: float
    value: float
    margin: float
    """The harm that is tolerated, as a share of control's mean."""
    p: float
    """The always-valid p-value: it may be looked at every day."""
    level: float
    """The p-value below which the harm is sure: all verdicts of an experiment together err in 5% at most."""

    @property
    def is_sure(self) -> bool:
        """True if the arm is surely worse than control by more than the margin."""
        return self.p < self.level

    def __str__(self) -> str:
        return (
            f"{self.metric} of {self.arm} is {self.value:.4g} within {self.window_days} days,"
            f" {self.control:.4g} in control (harm beyond {self.margin:.3g} of it: p = {self.p:.2g},"
            f" sure below {self.level:.2g})"
        )


def harms(
    found: Outcomes, guardrails: Iterable[str], arms: Sequence[Arms], margin: float, units: int
) -> list[Harm]:
    """A verdict for each guardrail, arm and window that can be compared, the surest harm first.

    `units` are those in the experiment, each of which must have a row.
    """
    compared = [*_compared(found, guardrails, arms, units)]
    verdicts = [
        Harm(metric, arm, window, *_tested(metric, sums, margin), ALPHA / len(compared))
        for metric, arm, window, sums in compared
    ]
    return sorted(verdicts, key=lambda verdict: verdict.p)


def _compared(
    found: Outcomes, guardrails: Iterable[str], arms: Sequence[Arms], units: int
) -> Iterator[tuple[str, str, int, tuple[Sums, Sums]]]:
    for metric in guardrails:
        for window, outcome in found.get(metric, {}).items():
            totals = outcome.total()
            for each in arms:
                if lack(outcome, units) is None and _can_compare(*each.of(totals)):
                    yield metric, each.arm, window, each.of(totals)


def _can_compare(control: Sums, arm: Sums) -> bool:
    try:
        adjusted_means(control, arm, adjusted=True)
    except NoEstimate:
        return False
    return True


def _tested(metric: str, sums: tuple[Sums, Sums], margin: float) -> tuple[float, float, float, float]:
    """The means of control and arm, the margin, and the p-value of harm up to it."""
    means, sign = adjusted_means(*sums, adjusted=True), harm_of(metric)
    control, arm = means.control, means.arm
    tolerated = margin * (1 if control.value >= 0 else -1)
    # harm beyond the margin = sign * arm - (sign + tolerated) * control
    beyond = sign * arm.value - (sign + tolerated) * control.value
    error = sqrt(arm.error_squared + (sign + tolerated) ** 2 * control.error_squared)
    p = always_valid_p(beyond / error, sums[0].count + sums[1].count) if beyond > 0 else 1.0
    return control.value, arm.value, margin, p
