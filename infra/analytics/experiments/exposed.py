"""The units of an experiment, and those that are left out: each once, by its first occasion, as it was decided."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from infra.analytics.experiments.definition import Definition
from infra.analytics.warehouse.engine import Engine
from infra.errors import UsageError

JUDGED = """
ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY unit_id ORDER BY first_at, decision_id) AS occasion
  FROM exposures
  WHERE experiment_id = @experiment AND exposure_date >= @since AND exposure_date <= @until
),
judged AS (
  SELECT
    unit_id, user_id, variant, exposure_date, catalog_version, bucket_version, offer_id, seen_at,
    revoked_before_seen, propensity,
    CASE
      WHEN occasion > 1 THEN 'repeated'
      WHEN variant IS NULL OR NOT COALESCE(known_variant, FALSE) THEN 'unknown_variant'
      WHEN NOT @is_holdout AND (withheld = 'holdout' OR holdouts IS NOT NULL) THEN 'holdout'
      WHEN @is_holdout AND COALESCE(holdouts, @experiment_name) != @experiment_name THEN 'other_holdout'
      WHEN withheld IN ('cap', 'cool_down') THEN withheld
      WHEN NOT @is_holdout AND NOT COALESCE(given, FALSE) THEN 'not_given'
      WHEN COALESCE(bucket_version, 0) < @min_bucket_version THEN 'before_min_bucket_version'
      WHEN NOT @is_holdout AND NOT COALESCE(propensity > 0 AND propensity <= 1, FALSE) THEN 'no_propensity'
      WHEN NOT @is_policy AND COALESCE(variants_seen, 1) > 1 THEN 'crossover'
    END AS left_out
  FROM ranked
)
"""
# No query holds a value: they are parameters.
COUNTED = f"""
WITH {JUDGED}
SELECT
  variant, exposure_date, catalog_version, bucket_version, left_out,
  COUNT(*) AS units,
  SUM(CASE WHEN seen_at IS NOT NULL THEN 1 ELSE 0 END) AS seen,
  SUM(CASE WHEN revoked_before_seen THEN 1 ELSE 0 END) AS revoked,
  SUM(CASE WHEN offer_id IS NOT NULL THEN 1 ELSE 0 END) AS offered,
  SUM(CASE WHEN propensity > 0 THEN 1.0 / propensity ELSE 0.0 END) AS inverse,
  SUM(CASE WHEN propensity > 0 THEN (1.0 - propensity) / (propensity * propensity) ELSE 0.0 END) AS spread,
  MIN(propensity) AS rarest,
  MAX(propensity) AS likeliest
FROM judged
GROUP BY variant, exposure_date, catalog_version, bucket_version, left_out
"""  # noqa: S608
MIXED_USERS = f"""
WITH {JUDGED}, mixed AS (
  SELECT user_id FROM judged WHERE left_out IS NULL GROUP BY user_id HAVING COUNT(DISTINCT variant) > 1
)
SELECT COUNT(*) AS users FROM mixed
"""  # noqa: S608
HOLDOUTS = """
SELECT DISTINCT holdouts FROM exposures
WHERE experiment_id = @experiment AND exposure_date >= @since AND exposure_date <= @until AND holdouts IS NOT NULL
"""
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(9999, 12, 31)
"""No unit was exposed before or after: a filter of partitions that leaves out none."""
NO_VARIANT = "none"
LEFT_OUT = {
    "repeated": "told again: the unit is counted once, by its first occasion",
    "unknown_variant": "in a variant that no published catalog has",
    "holdout": "in a holdout, so that what was due was withheld",
    "other_holdout": "in another holdout too",
    "cap": "kept back by the campaign's cap: nobody of the other arms is like them",
    "cool_down": "kept back by the campaign's cool-down: nobody of the other arms is like them",
    "not_given": "not given what was due",
    "before_min_bucket_version": "assigned before min_bucket_version",
    "no_propensity": "assigned with no propensity above 0 and up to 1",
    "crossover": "seen in several variants",
}
"""The reasons for which a unit is left out, in the order in which they are asked."""


class NothingToReport(UsageError):
    """An experiment of which the tables have nothing to report."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The units of one variant, day, catalog version and bucket version, with one reason or in the experiment."""

    variant: str | None
    exposure_date: date
    catalog_version: str | None
    bucket_version: int | None
    left_out: str | None
    units: int
    seen: int
    revoked: int
    offered: int
    inverse: float
    """The sum of 1 / propensity."""
    spread: float
    """The sum of (1 - propensity) / propensity^2."""
    rarest: float | None
    likeliest: float | None


@dataclass(frozen=True, slots=True)
class Exposed:
    """All units of an experiment."""

    cells: tuple[Cell, ...]
    mixed_users: int
    """Users with subscriptions in several arms."""

    @property
    def included(self) -> tuple[Cell, ...]:
        """The units that the report is about."""
        return tuple(cell for cell in self.cells if cell.left_out is None)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day on which a unit in the experiment was exposed; there must be one."""
        days = [cell.exposure_date for cell in self.included]
        return min(days), max(days)

    @property
    def total(self) -> int:
        """The number of units in the experiment."""
        return sum(cell.units for cell in self.included)

    @property
    def weighted(self) -> bool:
        """True if the propensity differs within an arm: then each unit counts by its inverse."""
        found: dict[str | None, set[float]] = {}
        for cell in self.included:
            ends = {each for each in (cell.rarest, cell.likeliest) if each}
            found.setdefault(cell.variant, set()).update(ends)
        return any(len(propensities) > 1 for propensities in found.values())


def parameters(definition: Definition, since: date, until: date) -> dict[str, Any]:
    """The parameters of `JUDGED`: the units first exposed on these days."""
    return {
        "experiment": definition.id,
        "experiment_name": definition.id.removeprefix("holdout/"),
        "is_holdout": definition.is_holdout,
        "is_policy": definition.policy is not None,
        "min_bucket_version": definition.min_bucket_version,
        "since": since,
        "until": until,
    }


def exposed(engine: Engine, definition: Definition, since: date, until: date) -> Exposed:
    """The units first exposed on these days, both included."""
    asked = parameters(definition, since, until)
    cells = tuple(_cell(row) for row in engine.rows(COUNTED, **asked))
    mixed = engine.rows(MIXED_USERS, **asked) if definition.unit == "subscription" else []
    return Exposed(cells, mixed[0]["users"] if mixed else 0)


def some_units(engine: Engine, definition: Definition, since: date | None = None) -> Exposed:
    """The units first exposed since a day. Raises `NothingToReport` if there is none to compare."""
    units = exposed(engine, definition, since or FIRST_DAY, LAST_DAY)
    if not units.cells:
        when = f" since {since}" if since else ""
        raise NothingToReport(f"exposures: expected units of {definition.id}{when}, found none")
    if not units.included:
        reasons = ", ".join(f"{sum(arms.values()):,} {reason}" for reason, arms in left_out(units))
        raise NothingToReport(f"exposures: expected units of {definition.id} to compare, found only {reasons}")
    return units


def holdouts_of(engine: Engine, definition: Definition, since: date, until: date) -> list[str]:
    """The holdouts that units of the experiment are in."""
    asked = {"experiment": definition.id, "since": since, "until": until}
    return sorted({name for row in engine.rows(HOLDOUTS, **asked) for name in row["holdouts"].split(",")})


def by_arm(cells: Iterable[Cell], variants: Iterable[str] = ()) -> dict[str, int]:
    """The units of each arm, of these variants also if there are none."""
    found = dict.fromkeys(variants, 0)
    for cell in cells:
        found[cell.variant or NO_VARIANT] = found.get(cell.variant or NO_VARIANT, 0) + cell.units
    return found


def left_out(exposed_units: Exposed) -> Iterator[tuple[str, Mapping[str, int]]]:
    """For each reason that occurs, the units left out, by variant."""
    for reason in LEFT_OUT:
        cells = [cell for cell in exposed_units.cells if cell.left_out == reason]
        if cells:
            yield reason, by_arm(cells)


def _cell(row: Mapping[str, Any]) -> Cell:
    return Cell(**{name: row[name] for name in Cell.__slots__})
