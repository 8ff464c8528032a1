"""Assignments: the experiment variants given to a user, stored so that no later change moves the user."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

MAX_ASSIGNMENTS = 64
"""The most assignments kept for one user; the oldest are dropped first."""


class Assignment(NamedTuple):
    """One user's variant of one experiment, at one version of its buckets; stored by field position."""

    experiment_id: str
    unit: str
    """The subscription id if the experiment assigns each subscription separately, else empty."""
    bucket_version: int
    variant: str
    at: datetime
    propensity: float = 1.0
    """The variant's probability at assignment time; later changes of the weights do not affect it."""


def assign(known: tuple[Assignment, ...], new: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The assignments with `new` in place of those of the same experiment and unit; only the newest 64 stay."""
    new = tuple(new)
    if not new:
        return known
    latest = {(assignment.experiment_id, assignment.unit): assignment for assignment in (*known, *new)}
    oldest_first = sorted(latest.values(), key=lambda assignment: assignment.at)
    return tuple(sorted(oldest_first[-MAX_ASSIGNMENTS:]))
