"""The sample ratio: whether the arms have the shares that they were given, overall and by parts.

A ratio that chance does not explain means that units were lost or added in one arm, and no number below it can be
trusted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from scipy.stats import chi2, chi2_contingency, norm

from infra.analytics.experiments.definition import Definition
from infra.analytics.experiments.exposed import Cell

MISMATCH = 0.001
"""A p-value below this is a mismatch and not chance."""
MIN_EXPECTED = 5
"""The fewest units expected in an arm for the chi-square to hold."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The units of a part of the experiment by arm, against those expected."""

    part: str
    observed: Mapping[str, int]
    expected: Mapping[str, float]
    """Empty where nothing can be expected; `untested` says why."""
    p: float | None
    untested: str | None = None


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """All checks of the sample ratio."""

    overall: Ratio
    by_day: tuple[Ratio, ...]
    by_catalog_version: tuple[Ratio, ...]
    by_bucket_version: tuple[Ratio, ...]
    impressions: Ratio

    @property
    def mismatches(self) -> tuple[str, ...]:
        """A sentence for each check that fails; the parts of one kind share its error (Bonferroni)."""
        groups = {
            "overall": (self.overall,),
            "by day": self.by_day,
            "by catalog version": self.by_catalog_version,
            "by bucket version": self.by_bucket_version,
            "impressions by arm": (self.impressions,),
        }
        return tuple(sentence for name, ratios in groups.items() for sentence in _mismatches(name, ratios))


def sample_ratio(definition: Definition, cells: Sequence[Cell]) -> SampleRatio:
    """The checks over the units in the experiment."""
    check = _Check(definition)
    return SampleRatio(
        check.ratio("all units", cells),
        tuple(check.parts(cells, lambda cell: f"{cell.exposure_date:%Y-%m-%d}")),
        tuple(check.parts(cells, lambda cell: cell.catalog_version or "none")),
        tuple(
            check.parts(cells, lambda cell: "none" if cell.bucket_version is None else f"{cell.bucket_version}")
        ),
        _impressions(definition, cells),
    )


class _Check:
    def __init__(self, definition: Definition) -> None:
        self.definition = definition

    def parts(self, cells: Iterable[Cell], part_of: Callable[[Cell], str]) -> Iterator[Ratio]:
        """The ratio of each part."""
        found: dict[str, list[Cell]] = defaultdict(list)
        for cell in cells:
            found[part_of(cell)].append(cell)
        for part, members in sorted(found.items()):
            yield self.ratio(part, members)

    def ratio(self, part: str, cells: Sequence[Cell]) -> Ratio:
        """The ratio of these units."""
        observed = _counts(self.definition, cells, lambda cell: cell.units)
        if not any(observed.values()):
            return Ratio(part, observed, {}, None, "no units")
        return (
            self._picked(part, observed, cells) if self.definition.policy else self._split(part, observed, cells)
        )

    def _split(self, part: str, observed: Mapping[str, int], cells: Sequence[Cell]) -> Ratio:
        """Chi-square against the weights of the catalog by which each unit was decided."""
        expected = dict.fromkeys(observed, 0.0)
        for cell in cells:
            shares = self.definition.weights.get(cell.catalog_version or "")
            if shares is None:
                lack = f"expected the weights of catalog {cell.catalog_version}, found none"
                return Ratio(part, observed, {}, None, lack)
            for variant, share in shares.items():
                expected[variant] = expected.get(variant, 0.0) + cell.units * share / sum(shares.values())
        observed = {variant: observed.get(variant, 0) for variant in expected}
        if any(observed[variant] and not most for variant, most in expected.items()):
            return Ratio(part, observed, expected, 0.0)
        tested = {variant: most for variant, most in expected.items() if most}
        if len(tested) < 2 or min(tested.values()) < MIN_EXPECTED:
            return Ratio(part, observed, expected, None, f"fewer than {MIN_EXPECTED} units expected in an arm")
        statistic = sum((observed[variant] - most) ** 2 / most for variant, most in tested.items())
        return Ratio(part, observed, expected, float(chi2.sf(statistic, len(tested) - 1)))

    def _picked(self, part: str, observed: Mapping[str, int], cells: Sequence[Cell]) -> Ratio:
        """Of a policy: the units of each arm, each counted as 1 / propensity, are expected to be all units."""
        everybody = float(sum(observed.values()))
        expected = dict.fromkeys(observed, everybody)
        inverse = _counts(self.definition, cells, lambda cell: cell.inverse)
        spread = _counts(self.definition, cells, lambda cell: cell.spread)
        if min(observed.values()) < MIN_EXPECTED:
            return Ratio(part, observed, expected, None, f"fewer than {MIN_EXPECTED} units in an arm")
        far = [
            abs(inverse[variant] - everybody) / sqrt(spread[variant])
            for variant in observed
            if spread[variant] > 0
        ]
        return Ratio(part, observed, expected, min(1.0, len(far) * 2 * float(norm.sf(max(far)))) if far else None)


def _impressions(definition: Definition, cells: Sequence[Cell]) -> Ratio:
    """The units with an impression, of arms that offer something: the share should be alike in all of them."""
    part = "units with an impression"
    if definition.is_holdout:
        return Ratio(part, {}, {}, None, "the held-out see nothing")
    offered = _counts(definition, cells, lambda cell: cell.offered)
    arms = [variant for variant, number in offered.items() if number]
    seen, units = (_counts(definition, cells, count) for count in (lambda c: c.seen, lambda c: c.units))
    seen, units = {arm: seen[arm] for arm in arms}, {arm: units[arm] for arm in arms}
    share = sum(seen.values()) / sum(units.values()) if arms else 0.0
    expected = {arm: share * units[arm] for arm in arms}
    if len(arms) < 2:
        return Ratio(part, seen, expected, None, "fewer than two arms offer something")
    table = [[seen[arm], units[arm] - seen[arm]] for arm in arms]
    if any(min(expected[arm], units[arm] - expected[arm]) < MIN_EXPECTED for arm in arms):
        return Ratio(part, seen, expected, None, "too few units were seen, or too few were not")
    return Ratio(part, seen, expected, float(chi2_contingency(table, correction=False).pvalue))


def _counts(definition: Definition, cells: Iterable[Cell], count: Callable[[Cell], Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(definition.variants, 0)
    for cell in cells:
        variant = cell.variant or ""
        found[variant] = found.get(variant, 0) + count(cell)
    return found


def _mismatches(name: str, ratios: Sequence[Ratio]) -> Iterator[str]:
    tested = [ratio for ratio in ratios if ratio.p is not None]
    for ratio in tested:
        adjusted = min(1.0, (ratio.p or 0.0) * len(tested))
        if adjusted < MISMATCH:
            sides = ", ".join(
                f"{arm} {number:,} (expected {ratio.expected.get(arm, 0):,.0f})"
                for arm, number in ratio.observed.items()
            )
            where = "" if len(ratios) == 1 else f" {ratio.part}"
            yield f"{name}{where}: {sides}; p = {adjusted:.2g}"
