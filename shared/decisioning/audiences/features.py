"""Features as facts: the newest value while it is fresh and of the declared type, or null with a reason."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.decisioning.audiences.attributes import as_fact, mismatch
from shared.decisioning.audiences.facts import FEATURE
from shared.decisioning.document.schema import Feature as FeatureTerms
from shared.domain.features import KnownFeatures
from shared.domain.instants import later

MAX_REASONS = 4
"""The most reasons that are told one by one."""


class FeatureFact(NamedTuple):
    """A feature as a fact."""

    value: object
    reason: str | None = None
    """The reason why it is null; None if it has a value."""


def feature_fact(fact: str, terms: FeatureTerms | None, known: KnownFeatures, now: datetime) -> FeatureFact:
    """A feature by its name as a fact, as of an instant (UTC). Without terms, the catalog does not declare it."""
    if terms is None:
        return FeatureFact(None, f"{fact}: expected a feature that the catalog declares")
    if known.failure:
        return FeatureFact(None, f"features unavailable: {known.failure}")
    found = known.values.get(fact.removeprefix(FEATURE))
    if found is None:
        return FeatureFact(None, f"{fact} has no value")
    stale_at = later(found.as_of, timedelta(hours=terms.max_age_hours))
    if now >= stale_at:
        return FeatureFact(None, f"{fact} stale since {stale_at.isoformat()}")
    if found.value is None:
        return FeatureFact(None, f"{fact} unknown as of {found.as_of.isoformat()}")
    if problem := mismatch(fact, found.value, terms):
        return FeatureFact(None, problem)
    return FeatureFact(as_fact(found.value, terms))


def told(reasons: Collection[str]) -> tuple[str, ...]:
    """The reasons, each once and in order; of many the first few, and the number of the others."""
    each = sorted({*reasons})
    if len(each) <= MAX_REASONS:
        return tuple(each)
    return (*each[:MAX_REASONS], f"and {len(each) - MAX_REASONS} more")
