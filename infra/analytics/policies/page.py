"""Terminal pages about policies: what a refresh made, what another policy would have brought, and seasons."""

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.analytics.policies.off_policy import Estimate, Evaluation
from infra.analytics.policies.refresh import ArmReport, Refreshed
from infra.analytics.policies.seasons import Seasons


def refresh_page(refreshed: Refreshed) -> Group:
    """Every arm with what is known of it and its new probability; then the segments and whether they pay."""
    parts: list[RenderableType] = [_arms(refreshed.arms)]
    for segment, reports in refreshed.of_segments.items():
        parts += [
            Text(),
            Text(f"segment {segment}" if segment else "users of no segment", style="bold"),
            _arms(reports),
        ]
    if refreshed.evaluation:
        parts += [Text(), Text("telling segments apart", style="bold"), *_evaluated(refreshed.evaluation)]
        told = "tells segments apart" if refreshed.tells_segments_apart else "treats all users alike"
        parts += [Text(f"The policy {told}.")]
    for arm, number in refreshed.unknown_arms.items():
        parts += [Text(f"{number:,} decisions gave {arm}, which the catalog does not have: left out")]
    return Group(*parts)


def evaluation_page(evaluations: Mapping[str, Evaluation]) -> Group:
    """Each policy with what it would have brought."""
    parts: list[RenderableType] = []
    for name, evaluation in evaluations.items():
        parts += [Text(name, style="bold"), *_evaluated(evaluation), Text()]
    return Group(*parts[:-1])


def season_page(seasons: Seasons) -> Group:
    """The captured and lost parts of a season, on average of all seeds."""
    table = _table("after", "captured", "lost", "lost at equal shares")
    for decisions, captured, lost, by_chance in seasons.milestones():
        table.add_row(f"{decisions:,}", f"{captured:.1%}", f"{lost:,.1f}", f"{by_chance:,.1f}")
    spread = f"One season differs from the next by {seasons.spread:,.1f} successes (standard deviation)."
    return Group(table, Text(spread))


def _arms(reports: Iterable[ArmReport]) -> Table:
    table = _table("arm", "decisions", "known", "successes", "rate", "95%", "best", "policy")
    for arm, posterior, best, written in reports:
        low, high = posterior.interval()
        table.add_row(
            *(arm.name, f"{arm.decisions:,.0f}", f"{arm.known:,.0f}", f"{arm.successes:,.0f}"),
            *(f"{posterior.mean:.4f}", f"{low:.4f} to {high:.4f}", f"{best:.3f}", f"{written:.4f}"),
        )
    return table


def _evaluated(evaluation: Evaluation) -> Iterable[RenderableType]:
    table = _table("", "value", "95%")
    _estimate(table, "doubly robust", evaluation.doubly_robust)
    _estimate(table, "inverse propensity", evaluation.ips)
    for arm, difference in evaluation.over_fixed.items():
        _estimate(table, f"more than {arm} always", difference)
    yield table
    worth = f"{evaluation.effective_decisions:,.0f} by this policy"
    yield Text(f"{evaluation.decisions:,} decisions, worth {worth}")


def _estimate(table: Table, name: str, estimate: Estimate) -> None:
    table.add_row(name, f"{estimate.value:.4f}", f"{estimate.low:.4f} to {estimate.high:.4f}")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in ("", "arm") else "right")
    return table
