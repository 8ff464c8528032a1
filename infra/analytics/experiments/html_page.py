"""The HTML page of a report: one file, no script, no network; its plots are SVG."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from infra.analytics.experiments import plots, wording
from infra.analytics.experiments.comparisons import GOAL, GUARDRAIL, Comparison
from infra.analytics.experiments.report import Report

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
.loud { background: #b00020; color: #fff; padding: .6rem 1rem; font-weight: bold; }
.quiet { color: #666; font-size: 13px; }
svg { max-width: 100%; height: auto; }
"""


def html(report: Report) -> str:
    """The page."""
    body = "\n".join(_body(report))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(report.experiment_id)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    yield f"<h1>{escape(report.experiment_id)}</h1>"
    yield _paragraph(wording.title(report))
    first, *others = wording.ratios(report)
    yield _paragraph(first, "loud" if report.mismatches else "")
    yield from map(_paragraph, others)
    yield from (_paragraph(line, "loud") for line in wording.loud(report))
    yield from _units(report)
    for role, heading in ((GOAL, "Goals"), (GUARDRAIL, "Guardrails")):
        yield from _compared(f"{heading}, within {report.window_days} days", report.comparisons, role)
    yield from _plots(report)
    others_by_window = [one for one in report.by_window if one.best]
    if others_by_window:
        yield _heading("Within other windows")
        yield _table(
            ("days", *wording.COLUMNS), ((f"{one.window_days}", *wording.row(one)) for one in others_by_window)
        )
    yield _heading("Revoked before anybody saw it")
    rows = ((one.arm, f"{one.units:,}", f"{one.revoked_before_seen:,}") for one in report.revoked)
    yield _table(("arm", "units", "revoked before seen"), rows)
    for lift in report.lifts:
        yield _heading(f"Lift by holdout/{lift.holdout}, of all campaigns that it covers")
        yield from (_paragraph(text, "loud") for text in (*lift.mismatches, lift.problem) if text)
        yield _table(wording.COLUMNS, map(wording.row, lift.comparisons))
    yield from (_paragraph(note, "quiet") for note in report.notes)


def _units(report: Report) -> Iterator[str]:
    expected = report.sample_ratio.overall.expected
    yield _heading("Units")
    rows = (
        (arm, f"{units:,}", f"{expected[arm]:,.0f}" if arm in expected else "-")
        for arm, units in report.units.items()
    )
    yield _table(("arm", "units", "expected"), rows)
    if report.excluded:
        rows = ((one.reason, f"{sum(one.units.values()):,}", one.meaning) for one in report.excluded)
        yield _table(("left out", "units", ""), rows)


def _compared(heading: str, comparisons: Sequence[Comparison], role: str) -> Iterator[str]:
    compared = [one for one in comparisons if one.role == role]
    if compared:
        yield _heading(heading)
        yield _table(wording.COLUMNS, map(wording.row, compared))
        yield from (_paragraph(line, "quiet") for one in compared for line in wording.details(one))


def _plots(report: Report) -> Iterator[str]:
    told = [one for one in report.comparisons if one.best]
    for one in told:
        yield _heading(f"{one.metric}, {one.arm}")
        yield plots.looks(one)
        if one.cohorts:
            yield plots.cohorts(one)
    if report.sample_ratio.by_day:
        yield _heading("Units by day of exposure")
        yield plots.units(report)


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
