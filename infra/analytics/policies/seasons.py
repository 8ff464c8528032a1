"""Many simulated seasons, one for each seed, and their mean."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from infra.analytics.policies.simulation import Season, simulate


class Seasons(NamedTuple):
    """Seasons on one set of terms; each array has a row for a seed and a column for a refresh."""

    season: Season
    decisions: np.ndarray
    """Decisions until each refresh."""
    lost: np.ndarray
    lost_by_chance: np.ndarray

    @property
    def captured(self) -> np.ndarray:
        """The mean part of the way from equal shares to always giving the best arm, at each refresh."""
        return 1 - self.lost.mean(axis=0) / self.lost_by_chance

    @property
    def spread(self) -> float:
        """The standard deviation of what a season loses."""
        return float(self.lost[:, -1].std(ddof=1)) if len(self.lost) > 1 else 0.0

    def milestones(self) -> Iterator[tuple[int, float, float, float]]:
        """Decisions, captured, lost, and lost at equal shares, at some eight refreshes and at the end."""
        last = len(self.decisions) - 1
        for index in sorted({2**power - 1 for power in range(30) if 2**power - 1 < last} | {last}):
            yield (
                int(self.decisions[index]),
                float(self.captured[index]),
                float(self.lost[:, index].mean()),
                float(self.lost_by_chance[index]),
            )

    def facts(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            **self.season._asdict(),
            "seeds": len(self.lost),
            "captured": float(self.captured[-1]),
            "lost": float(self.lost[:, -1].mean()),
            "lost_standard_deviation": self.spread,
            "course": [
                {"decisions": int(number), "captured": float(captured), "lost": float(lost)}
                for number, captured, lost in zip(
                    self.decisions, self.captured, self.lost.mean(axis=0), strict=True
                )
            ],
        }


def simulate_all(season: Season, seeds: int, progress: Callable[[float], None] = lambda _share: None) -> Seasons:
    """Seasons with the seeds from 0."""
    courses = []
    for seed in range(seeds):
        courses.append(simulate(season, seed))
        progress((seed + 1) / seeds)
    first = courses[0]
    return Seasons(season, first.decisions, np.array([course.lost for course in courses]), first.lost_by_chance)
