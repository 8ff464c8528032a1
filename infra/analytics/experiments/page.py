"""The terminal page of a report: the sample ratio first, then who is in, then what it did."""

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.analytics.experiments import wording
from infra.analytics.experiments.comparisons import GOAL, GUARDRAIL, Comparison
from infra.analytics.experiments.report import Lift, Report

LOUD = "bold white on red"


def page(report: Report) -> Group:
    """The whole report."""
    parts: list[RenderableType] = [Text(wording.title(report), style="bold"), Text()]
    styles = LOUD if report.mismatches else "bold"
    first, *others = wording.ratios(report)
    parts += [Text(first, style=styles), *map(Text, others)]
    parts += [*(Text(line, style=LOUD) for line in wording.loud(report)), Text(), *_units(report)]
    for role, heading in ((GOAL, "Goals"), (GUARDRAIL, "Guardrails")):
        compared = [one for one in report.comparisons if one.role == role]
        if compared:
            parts += [Text(), _heading(f"{heading}, within {report.window_days} days"), *comparisons(compared)]
    parts += [Text(line, style="dim") for one in report.comparisons for line in wording.details(one)]
    return Group(*parts, *_windows(report), *_revoked(report), *_lifts(report), *_notes(report))


def _units(report: Report) -> Iterator[RenderableType]:
    expected = report.sample_ratio.overall.expected
    grid = _table("arm", "units", "expected")
    for arm, units in report.units.items():
        grid.add_row(arm, f"{units:,}", f"{expected[arm]:,.0f}" if arm in expected else "-")
    yield grid
    if report.excluded:
        yield Text()
        grid = _table("left out", "units", "")
        for one in report.excluded:
            grid.add_row(one.reason, f"{sum(one.units.values()):,}", f"{one.meaning} ({_listed(one.units)})")
        grid.columns[2].justify = "left"
        grid.columns[2].no_wrap = False
        yield grid


def comparisons(compared: Sequence[Comparison]) -> Iterator[RenderableType]:
    """Two tables, so that they fit a terminal: what was found, and how sure that is, where it can be told."""
    sure = [one for one in compared if one.best]
    for columns, rows in (((0, 1, 2, 3, 4, 5), compared), ((0, 1, 6, 7, 8, 9), sure)):
        if not rows:
            continue
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
        for column in columns:
            is_text = wording.COLUMNS[column] in {"metric", "arm", "finding"}
            grid.add_column(wording.COLUMNS[column], justify="left" if is_text else "right", overflow="fold")
        for one in rows:
            cells = wording.row(one)
            grid.add_row(*(Text(cells[column]) for column in columns))
        yield grid


def _windows(report: Report) -> Iterator[RenderableType]:
    others = [one for one in report.by_window if one.best]
    if not others:
        return
    yield Text()
    yield _heading("Within other windows")
    grid = _table("metric", "arm", "days", "difference", "95% at every look")
    for one in others:
        if best := one.best:
            difference, sides = wording.signed(best.difference), wording.interval(best.always)
            grid.add_row(one.metric, one.arm, f"{one.window_days}", difference, sides)
    yield grid


def _revoked(report: Report) -> Iterator[RenderableType]:
    told = {one.arm: one.revoked_before_seen for one in report.revoked if one.revoked_before_seen}
    if told:
        yield Text(f"Revoked before anybody saw it: {_listed(told)}.")


def _lifts(report: Report) -> Iterator[RenderableType]:
    for lift in report.lifts:
        yield Text()
        yield _heading(f"Lift by holdout/{lift.holdout}, of all campaigns that it covers")
        yield from _lift(lift)


def _lift(lift: Lift) -> Iterator[RenderableType]:
    if lift.problem:
        yield Text(lift.problem)
    if lift.mismatches:
        yield Text(wording.MISMATCHED, style=LOUD)
        yield from map(Text, lift.mismatches)
    if lift.comparisons:
        yield from comparisons(lift.comparisons)


def _notes(report: Report) -> Iterator[RenderableType]:
    if report.notes:
        yield Text()
        yield from map(Text, report.notes)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _table(first: str, *others: str) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    grid.add_column(first, overflow="fold")
    for name in others:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def _listed(units: Mapping[str, int]) -> str:
    return ", ".join(f"{arm} {number:,}" for arm, number in units.items())
