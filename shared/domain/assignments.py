"""Assignments: which variant of an experiment a user was given, so that nothing ever changes it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

MAX_ASSIGNMENTS = 64


class Assignment(NamedTuple):
    """One user's variant of one experiment, at one version of its buckets; stored by position."""

    experiment_id: str
    unit: str
    """The subscription it was made for, where an experiment assigns these one by one; else empty."""
    bucket_version: int
    variant: str
    at: datetime
    propensity: float = 1.0
    """How likely the variant was then, whatever the weights are now."""


def assign(known: tuple[Assignment, ...], new: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """With new assignments in place of those of the same experiment; of more than 64 the oldest are forgotten."""
    new = tuple(new)
    if not new:
        return known
    latest = {(one.experiment_id, one.unit): one for one in (*known, *new)}
    return tuple(sorted(sorted(latest.values(), key=lambda one: one.at)[-MAX_ASSIGNMENTS:]))
