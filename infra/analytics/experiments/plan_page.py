"""The terminal page of a plan."""

from collections.abc import Mapping

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from infra.analytics.experiments.plan import ExperimentPlan, Need
from infra.analytics.experiments.wording import number
from infra.terminal.values import percent


def page(plan: ExperimentPlan) -> Group:
    """The needs of each goal and arm, and the assumptions."""
    head = (
        f"{plan.experiment_id}, control {plan.control}: an effect of {percent(plan.effect)} within"
        f" {plan.window_days} days"
    )
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("metric", "arm", "mean", "effect", "one look", "every look", f"{plan.days} days show"):
        grid.add_column(name, justify="left" if name in {"metric", "arm"} else "right", overflow="fold")
    for need in plan.needs:
        grid.add_row(*map(Text, _cells(need)))
    problems = [Text(f"{one.metric}, {one.arm}: {one.problem}") for one in plan.needs if one.problem]
    assumed = [Text(sentence, style="dim") for sentence in plan.assumptions]
    return Group(Text(head, style="bold"), Text(), grid, *problems, Text(), *assumed)


def _cells(need: Need) -> tuple[str, ...]:
    shown = (
        "-" if need.detectable is None else f"{number(need.detectable)} ({percent(need.detectable_share or 0)})"
    )
    return (
        *(need.metric, need.arm, number(need.mean), number(need.effect)),
        _time(need.units_per_arm, need.days),
        _time(need.units_per_arm_at_every_look, need.days_at_every_look),
        shown,
    )


def _time(units: Mapping[str, int] | None, days: int | None) -> str:
    if units is None or days is None:
        return "-"
    return f"{days:,} days: {' + '.join(f'{count:,}' for count in units.values())}"
