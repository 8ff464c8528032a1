"""Experiments with known effects, as rows of the warehouse: do the report's intervals hold what was planted?

`python -m tests.simulation.experiments` runs 100 seeds of 20,000 users; tests/simulation/test_experiments.py runs
a few. One history has an effect on a goal, on revenue and on a guardrail, a holdout, 10% of its rows twice, and
outcomes that are told up to three days late. In another the arms are the same, and somebody looks every day.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from infra.analytics.experiments.comparisons import Comparison
from infra.analytics.experiments.estimates import Estimate, Interval
from infra.analytics.experiments.report import Report, report
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from tests.support.experiment_rows import Metric, Plan, duckdb_of, effect_of, history

GOAL, REVENUE, GUARDRAIL = "plan.changed", "revenue:EUR", "refunded"
PLANTED = Plan(
    observed_days=36,  # the last units' windows have just passed: what is told late of them is not known yet
    metrics=(
        Metric(GOAL, 0.10, 0.02),
        Metric(REVENUE, 900.0, 40.0, kind="money"),
        Metric(GUARDRAIL, 0.02, 0.015),
    ),
    goals=(GOAL, REVENUE),
    guardrails=(GUARDRAIL,),
    held_out=0.05,
    duplicated=0.10,
    late=0.10,
    windows=(7,),
)
ALIKE = replace(PLANTED, metrics=tuple(replace(metric, effect=0.0) for metric in PLANTED.metrics))
SURE = 0.05


class Held(NamedTuple):
    """Whether one interval of one history holds what was planted."""

    name: str
    is_held: bool


class Alike(NamedTuple):
    """What was found between arms that are the same."""

    significant: bool
    """A goal is significant at one look, after Holm."""
    erred_at_a_look: bool
    """At some day's look the confidence sequence of a metric left out no effect."""
    fixed_erred_at_a_look: bool
    """At some day's look the fixed-horizon interval did."""


def reported(plan: Plan, seed: int) -> Report:
    """The report of one history."""
    with DuckDBEngine.of(duckdb_of(history(plan, seed))) as engine:
        return report(engine, plan.id)


def held(plan: Plan, seed: int) -> Iterator[Held]:
    """Every interval of a history with planted effects."""
    found = reported(plan, seed)
    for one in found.comparisons:
        yield from _held(one.metric, one, effect_of(plan, one.metric))
    offered = dict(plan.weights)["offer"]
    for lift in found.lifts:
        for one in lift.comparisons:  # the treated of the control arm are offered nothing
            yield from _held(f"holdout: {one.metric}", one, offered * effect_of(plan, one.metric))
    yield Held("the guardrail is surely worse", any(verdict.is_sure for verdict in found.harms))
    yield Held("the sample ratio is as it should be", not found.mismatches)


def alike(plan: Plan, seed: int) -> Alike:
    """What a history of arms that are the same looks like."""
    goals = [one for one in reported(plan, seed).comparisons if one.role == "goal"]
    looks = [look.estimate for one in goals[:1] for look in one.looks]
    return Alike(
        any((one.holm_p or 0.0) < SURE for one in goals),
        any(_leaves_out_nothing(look.always) for look in looks),
        any(_leaves_out_nothing(look.fixed) for look in looks),
    )


def _held(name: str, one: Comparison, truth: float) -> Iterator[Held]:
    for kind, best in (("plain", one.plain), ("CUPED", one.cuped)):
        if best is None:
            raise AssertionError(f"{name}: no {kind} estimate: {one.problem}")
        yield from _intervals(f"{name}, {kind}", best, truth)


def _intervals(name: str, found: Estimate, truth: float) -> Iterator[Held]:
    for kind, interval in (("at one look", found.fixed), ("at every look", found.always)):
        yield Held(f"{name}, {kind}", interval.low <= truth <= interval.high)


def _leaves_out_nothing(interval: Interval) -> bool:
    return interval.low > 0 or interval.high < 0


def counted(found: Iterable[Held]) -> Counter[str]:
    """The number of histories in which each interval holds."""
    counts: Counter[str] = Counter()
    for name, is_held in found:
        counts[name] += is_held
    return counts


def main() -> None:
    """Print how often each interval holds, and how often the same arms seem to differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--users", type=int, default=20_000)
    asked = parser.parse_args()
    began = time.monotonic()
    seeds = range(asked.seeds)
    held_in = counted(each for seed in seeds for each in held(replace(PLANTED, users=asked.users), seed))
    for name, number in held_in.items():
        sys.stdout.write(f"{number:4} of {asked.seeds} {name}\n")
    same = [alike(replace(ALIKE, users=asked.users), seed) for seed in seeds]
    for name, number in (
        ("significant though the arms are the same", sum(each.significant for each in same)),
        ("errs at some daily look: the confidence sequence", sum(each.erred_at_a_look for each in same)),
        ("errs at some daily look: the fixed-horizon interval", sum(each.fixed_erred_at_a_look for each in same)),
    ):
        sys.stdout.write(f"{number:4} of {asked.seeds} {name}\n")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
