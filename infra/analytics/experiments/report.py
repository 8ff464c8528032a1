"""The report about an experiment or a holdout: everything in it is computed from two queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from infra.analytics.experiments.comparisons import GOAL, GUARDRAIL, Arms, Comparison, compare, with_holm
from infra.analytics.experiments.definition import Definition, definition_of, published
from infra.analytics.experiments.definition import definition as definition_from
from infra.analytics.experiments.exposed import (
    LEFT_OUT,
    Exposed,
    NothingToReport,
    by_arm,
    exposed,
    holdouts_of,
    left_out,
    some_units,
)
from infra.analytics.experiments.harm import Harm, harms
from infra.analytics.experiments.outcomes import MAX_METRICS, Outcomes, known_metrics, outcomes, window_of
from infra.analytics.experiments.sample_ratio import SampleRatio, sample_ratio
from infra.analytics.warehouse.engine import Engine


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a report, beside the experiment."""

    control: str | None = None
    """None: as the catalog says."""
    metrics: tuple[str, ...] = ()
    """The goals. None: those of the catalog."""
    window_days: int | None = None
    """The days after the exposure. None: the longest that has passed for half of the units."""
    since: date | None = None
    """Only units first exposed since this day. None: all."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """The units that were left out for one reason."""

    reason: str
    meaning: str
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Revoked:
    """The offers of an arm that were revoked before anybody saw them."""

    arm: str
    units: int
    revoked_before_seen: int


@dataclass(frozen=True, slots=True)
class Lift:
    """The findings of a holdout about the goals of the experiment."""

    holdout: str
    comparisons: tuple[Comparison, ...]
    mismatches: tuple[str, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about an experiment, the sample ratio first."""

    experiment_id: str
    kind: str
    catalog_version: str
    unit: str
    policy: str | None
    control: str
    arms: tuple[str, ...]
    first_exposure: date
    last_exposure: date
    mismatches: tuple[str, ...]
    """The checks of the sample ratio that fail. If there are any, trust nothing below."""
    sample_ratio: SampleRatio
    units: Mapping[str, int]
    excluded: tuple[Excluded, ...]
    window_days: int | None
    comparisons: tuple[Comparison, ...]
    by_window: tuple[Comparison, ...]
    """The same within each of the other windows, without looks and cohorts of their own."""
    harms: tuple[Harm, ...]
    revoked: tuple[Revoked, ...]
    lifts: tuple[Lift, ...]
    notes: tuple[str, ...]
    """The assumptions of the numbers here."""


def report(engine: Engine, id_: str, asked: Asked | None = None) -> Report:
    """The report about an experiment, or a holdout as `holdout/NAME`.

    Raises `UsageError` naming what is missing: the experiment, its control, its units or its metrics.
    """
    asked = asked or Asked()
    definition = definition_of(engine, id_)
    control = definition.control(asked.control)
    units = some_units(engine, definition, asked.since)
    days = units.days
    goals = _goals(engine, definition, asked.metrics, days)
    guardrails = tuple(name for name in definition.guardrails if name not in goals)
    weighted = units.weighted and not definition.is_holdout
    found = outcomes(engine, definition, (*goals, *guardrails), days, weighted=weighted)
    margin = definition.terms.harm_margin if definition.terms else 0.0
    window = asked.window_days or window_of(found)
    sides = tuple(Arms(control, variant) for variant in _arms(definition, units) if variant != control)
    roles = [*((name, GOAL) for name in goals), *((name, GUARDRAIL) for name in guardrails)]
    ratio = sample_ratio(definition, units.included)
    return Report(
        *(id_, definition.kind, definition.catalog_version, definition.unit, definition.policy, control),
        arms=tuple(side.arm for side in sides),
        first_exposure=days[0],
        last_exposure=days[1],
        mismatches=ratio.mismatches,
        sample_ratio=ratio,
        units=by_arm(units.included, definition.variants),
        excluded=tuple(Excluded(reason, LEFT_OUT[reason], arms) for reason, arms in left_out(units)),
        window_days=window,
        comparisons=_compared(found, roles, sides, window, units.total),
        by_window=tuple(_by_window(found, roles, sides, window, units.total)),
        harms=tuple(harms(found, guardrails, sides, margin, units.total)),
        revoked=tuple(_revoked(definition, units)),
        lifts=tuple(_lifts(engine, definition, goals, days, window)),
        notes=tuple(_notes(definition, units, weighted=weighted)),
    )


def _goals(
    engine: Engine, definition: Definition, asked: tuple[str, ...], days: tuple[date, date]
) -> tuple[str, ...]:
    """The goals: as asked, as the catalog names them, or all metrics that there are."""
    goals = asked or definition.goals
    if not goals and not definition.guardrails:
        goals = tuple(known_metrics(engine, definition, days))
    if not goals and not definition.guardrails:
        raise NothingToReport(f"metrics: expected rows of {definition.id}, found none")
    if len(goals) > MAX_METRICS:
        raise NothingToReport(f"--metric: expected at most {MAX_METRICS} metrics, found {len(goals)}")
    return tuple(dict.fromkeys(goals))


def _arms(definition: Definition, units: Exposed) -> list[str]:
    """The variants of the newest catalog, and those of earlier ones that have units."""
    counts = by_arm(units.included, definition.variants)
    current = {variant.id for variant in definition.terms.variants} if definition.terms else set()
    return [name for name in definition.variants if counts[name] or name in current]


def _compared(
    found: Outcomes, roles: Sequence[tuple[str, str]], sides: Sequence[Arms], window: int | None, units: int
) -> tuple[Comparison, ...]:
    each = [
        compare(metric, role, side, window or 0, found.get(metric, {}).get(window or 0), units)
        for metric, role in roles
        for side in sides
    ]
    return tuple(with_holm(each))


def _by_window(
    found: Outcomes, roles: Sequence[tuple[str, str]], sides: Sequence[Arms], window: int | None, units: int
) -> Iterator[Comparison]:
    for other in sorted({each for by_window in found.values() for each in by_window} - {window}):
        yield from _compared(found, roles, sides, other, units)


def _revoked(definition: Definition, units: Exposed) -> Iterator[Revoked]:
    for arm, number in by_arm(units.included, definition.variants).items():
        revoked = sum(cell.revoked for cell in units.included if cell.variant == arm)
        yield Revoked(arm, number, revoked)


def _lifts(
    engine: Engine, definition: Definition, goals: tuple[str, ...], days: tuple[date, date], window: int | None
) -> Iterator[Lift]:
    """The holdouts of the experiment's own units, measured by its goals."""
    if definition.is_holdout or not goals:
        return
    known = published(engine)
    for name in holdouts_of(engine, definition, *days):
        id_ = f"holdout/{name}"
        if id_ not in known:
            yield Lift(name, (), (), f"experiments: expected {id_}, found none")
            continue
        holdout = definition_from(id_, known[id_])
        units = exposed(engine, holdout, *days)
        found = outcomes(engine, holdout, goals, days, weighted=False)
        sides = [Arms(holdout.control(), arm) for arm in holdout.variants if arm != holdout.control()]
        lifts = _compared(found, [(goal, GOAL) for goal in goals], sides, window, units.total)
        yield Lift(name, lifts, sample_ratio(holdout, units.included).mismatches)


def _notes(definition: Definition, units: Exposed, *, weighted: bool) -> Iterator[str]:
    if definition.unit == "subscription":
        yield (
            "Subscriptions of one user are no independent units: errors are computed over users within each arm."
            f" {units.mixed_users:,} users have subscriptions in several arms. What these share is not taken into"
            " account: intervals are too wide if the subscriptions of a user behave alike, and too narrow if one"
            " takes the place of another."
        )
    if definition.policy:
        yield (
            f"The policy {definition.policy} picks an arm for each cause. A unit counts in the arm of its first"
            " occasion, whatever it got later: the effect is that of the first pick. `upbeat policy` tells the"
            " value of the policy as a whole."
        )
    if weighted:
        yield "The propensities differ within an arm: each unit is weighted by 1 / propensity."
    if definition.is_holdout:
        yield (
            "The lift is that of all campaigns that the holdout covers, among the units for which one of them won"
            " at all."
        )
