"""The HTML page of a report: one file, no script, no network; its plots are SVG."""

from collections.abc import Iterator, Sequence

from infra.analytics.experiments import plots, wording
from infra.analytics.experiments.comparisons import GOAL, GUARDRAIL, Comparison
from infra.analytics.experiments.report import Report
from infra.html_page import document, heading, paragraph, table


def html(report: Report) -> str:
    """The page."""
    return document(report.experiment_id, _body(report))


def _body(report: Report) -> Iterator[str]:
    yield paragraph(wording.title(report))
    first, *others = wording.ratios(report)
    yield paragraph(first, "loud" if report.mismatches else "")
    yield from map(paragraph, others)
    yield from (paragraph(line, "loud") for line in wording.loud(report))
    yield from _units(report)
    for role, name in ((GOAL, "Goals"), (GUARDRAIL, "Guardrails")):
        yield from _compared(f"{name}, within {report.window_days} days", report.comparisons, role)
    yield from _plots(report)
    others_by_window = [one for one in report.by_window if one.best]
    if others_by_window:
        yield heading("Within other windows")
        yield table(
            ("days", *wording.COLUMNS), ((f"{one.window_days}", *wording.row(one)) for one in others_by_window)
        )
    yield heading("Revoked before anybody saw it")
    rows = ((one.arm, f"{one.units:,}", f"{one.revoked_before_seen:,}") for one in report.revoked)
    yield table(("arm", "units", "revoked before seen"), rows)
    for lift in report.lifts:
        yield heading(f"Lift by holdout/{lift.holdout}, of all campaigns that it covers")
        yield from (paragraph(text, "loud") for text in (*lift.mismatches, lift.problem) if text)
        yield table(wording.COLUMNS, map(wording.row, lift.comparisons))
    yield from (paragraph(note, "quiet") for note in report.notes)


def _units(report: Report) -> Iterator[str]:
    expected = report.sample_ratio.overall.expected
    yield heading("Units")
    rows = (
        (arm, f"{units:,}", f"{expected[arm]:,.0f}" if arm in expected else "-")
        for arm, units in report.units.items()
    )
    yield table(("arm", "units", "expected"), rows)
    if report.excluded:
        rows = ((one.reason, f"{sum(one.units.values()):,}", one.meaning) for one in report.excluded)
        yield table(("left out", "units", ""), rows)


def _compared(title: str, comparisons: Sequence[Comparison], role: str) -> Iterator[str]:
    compared = [one for one in comparisons if one.role == role]
    if compared:
        yield heading(title)
        yield table(wording.COLUMNS, map(wording.row, compared))
        yield from (paragraph(line, "quiet") for one in compared for line in wording.details(one))


def _plots(report: Report) -> Iterator[str]:
    told = [one for one in report.comparisons if one.best]
    for one in told:
        yield heading(f"{one.metric}, {one.arm}")
        yield plots.looks(one)
        if one.cohorts:
            yield plots.cohorts(one)
    if report.sample_ratio.by_day:
        yield heading("Units by day of exposure")
        yield plots.units(report)
