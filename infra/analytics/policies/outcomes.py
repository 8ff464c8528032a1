"""The decisions of an experiment with a policy, and what came of them, read from the warehouse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np

from infra.analytics.policies.delay import DelayCurve, delay_curve
from infra.analytics.policies.posterior import Arm
from infra.analytics.warehouse.engine import Engine
from infra.errors import InfraError


class Outcome(StrEnum):
    """The kind of feedback that counts as a success of an offer."""

    CONVERTED = "converted"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Decisions in which an arm was given, one element of each array for a decision."""

    users: np.ndarray
    arms: np.ndarray
    segments: np.ndarray
    """Ids of audiences; an empty string for none."""
    propensities: np.ndarray
    """The probability of the arm, as it was logged: above 0, at most 1."""
    ages: np.ndarray
    """Hours since the decision."""
    delays: np.ndarray
    """Hours from the decision to the success; NaN where none is known yet."""

    def __len__(self) -> int:
        return len(self.arms)

    @property
    def succeeded(self) -> np.ndarray:
        """True for each decision whose success is known."""
        return ~np.isnan(self.delays)

    def only(self, chosen: np.ndarray) -> "Outcomes":
        """The decisions for which the array is true."""
        return Outcomes(
            self.users[chosen],
            self.arms[chosen],
            self.segments[chosen],
            self.propensities[chosen],
            self.ages[chosen],
            self.delays[chosen],
        )

    def curve(self) -> DelayCurve:
        """The distribution of the delay of successes."""
        known = self.succeeded
        return delay_curve(self.ages[known], self.delays[known], np.ones(int(known.sum())))

    def of_arms(self, names: Sequence[str], curve: DelayCurve) -> list[Arm]:
        """The outcomes of each of these arms; decisions count by the share of successes that is known by now."""
        shares, succeeded = curve.share_known(self.ages), self.succeeded
        chosen = {name: self.arms == name for name in names}
        return [
            Arm(name, float(own.sum()), float(shares[own].sum()), float(succeeded[own].sum()))
            for name, own in chosen.items()
        ]


QUERY = """
SELECT user_id, arm, segment, propensity,
  TIMESTAMP_DIFF(@now, decided_at, SECOND) AS age_seconds,
  TIMESTAMP_DIFF({outcome}_at, decided_at, SECOND) AS delay_seconds
FROM policy_inputs
WHERE experiment_id = @experiment AND given AND policy_version IS NOT NULL
  AND decision_date >= @since AND decided_at <= @now
"""


def read_outcomes(
    warehouse: Engine, experiment: str, now: datetime, days: int, outcome: Outcome = Outcome.CONVERTED
) -> Outcomes:
    """The decisions of the `days` before `now` (UTC) in which the experiment's policy gave an arm.

    What happened after `now` is not known yet. Raises `InfraError` if there is no such decision.
    """
    since = (now - timedelta(days=days)).date()
    found = warehouse.rows(QUERY.format(outcome=outcome.value), experiment=experiment, now=now, since=since)
    if not found:
        expected = f"decisions in which a policy gave an arm of experiment {experiment}"
        raise InfraError(
            f"policy_inputs: expected {expected}, from {since} to {now:%Y-%m-%d %H:%M} UTC, found none"
        )
    return of_rows(found)


def of_rows(rows: Iterable[dict[str, Any]]) -> Outcomes:
    """The outcomes in rows of the query. Raises `InfraError` for a propensity that is no probability."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("user_id", "arm", "segment", "propensity", "age", "delay")
    }
    for row in rows:
        age, delay = row["age_seconds"] / 3600, row["delay_seconds"]
        known = delay is not None and 0 <= delay <= row["age_seconds"]
        if not (row["propensity"] is not None and 0 < row["propensity"] <= 1):
            expected = "policy_inputs.propensity: expected a probability above 0"
            raise InfraError(f"{expected}, found {row['propensity']} (user {row['user_id']}, arm {row['arm']})")
        for name, value in zip(
            columns,
            (
                row["user_id"],
                row["arm"],
                row["segment"] or "",
                row["propensity"],
                age,
                delay / 3600 if known else np.nan,
            ),
            strict=True,
        ):
            columns[name].append(value)
    user, arm, segment, propensity, age_, delay_ = columns.values()
    return Outcomes(
        np.array(user, dtype=object),
        np.array(arm, dtype=object),
        np.array(segment, dtype=object),
        np.array(propensity, dtype=float),
        np.array(age_, dtype=float),
        np.array(delay_, dtype=float),
    )
