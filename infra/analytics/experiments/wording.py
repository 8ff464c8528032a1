"""Numbers and findings of a report in words, for the terminal and the HTML page alike."""

from collections.abc import Iterator

from infra.analytics.experiments.comparisons import GOAL, Comparison
from infra.analytics.experiments.directions import harm_of
from infra.analytics.experiments.estimates import Interval
from infra.analytics.experiments.report import Report
from infra.analytics.experiments.sample_ratio import Ratio
from infra.terminal.values import percent

COLUMNS = (
    *("metric", "arm", "control", "arm's", "change", "finding"),
    *("difference", "95% at one look", "95% at every look", "p"),
)
"""The columns of the table of comparisons."""
SURE = 0.05
MISMATCHED = "SAMPLE RATIO MISMATCH: units were lost or added in one arm. Trust no number below."


def number(value: float | None) -> str:
    """Four significant digits."""
    return "-" if value is None else f"{value:,.4g}"


def signed(value: float) -> str:
    """Three significant digits with a sign."""
    return f"{value:+,.3g}"


def p_value(value: float | None) -> str:
    """A p-value; one that says nothing of chance is not told as 0."""
    if value is None:
        return "-"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def interval(found: Interval) -> str:
    """The bounds."""
    return f"{signed(found.low)} to {signed(found.high)}"


def title(report: Report) -> str:
    """The subject of the report."""
    by = f"policy {report.policy}" if report.policy else f"by {report.unit}"
    return (
        f"{report.experiment_id} ({report.kind}, {by}), catalog {report.catalog_version}: exposed"
        f" {report.first_exposure} to {report.last_exposure}, control {report.control}"
    )


def ratios(report: Report) -> Iterator[str]:
    """The sample ratio: what fails, or that nothing does; and what could not be tested."""
    checks = report.sample_ratio
    if report.mismatches:
        yield MISMATCHED
        yield from report.mismatches
    else:
        yield f"Sample ratio: as it should be ({_ratio(checks.overall)})."
    parts = {
        "days": checks.by_day,
        "catalog versions": checks.by_catalog_version,
        "bucket versions": checks.by_bucket_version,
    }
    tested = [f"{sum(one.p is not None for one in found)} of {len(found)} {name}" for name, found in parts.items()]
    yield f"Tested too: {', '.join(tested)}; impressions by arm ({_ratio(checks.impressions)})."


def _ratio(ratio: Ratio) -> str:
    return f"not tested: {ratio.untested}" if ratio.p is None else f"p = {p_value(ratio.p)}"


def row(one: Comparison) -> tuple[str, ...]:
    """A comparison as the cells of a table, in the order of `COLUMNS`."""
    best = one.best
    if best is None:
        return (one.metric, one.arm, "-", "-", "-", one.problem or "", "-", "-", "-", "-")
    change = "-" if best.relative is None else f"{100 * best.relative:+.1f}%"
    return (
        *(
            one.metric,
            one.arm,
            number(best.control),
            number(best.arm),
            change,
            finding(one),
            signed(best.difference),
        ),
        *(interval(best.fixed), interval(best.always), p_value(one.holm_p if one.role == GOAL else best.p)),
    )


def finding(one: Comparison) -> str:
    """The meaning of the intervals: by every look, by one look alone, or nothing."""
    best = one.best
    if best is None:
        return one.problem or ""
    word = "worse" if best.difference * harm_of(one.metric) > 0 else "better"
    fixed, always = (one.holm_p, one.holm_always_p) if one.role == GOAL else (best.p, best.always_p)
    if always is not None and always < SURE:
        return f"{word} at every look"
    return f"{word} at one look" if fixed is not None and fixed < SURE else "not told from chance"


def loud(report: Report) -> Iterator[str]:
    """The guardrails that are surely worse."""
    yield from (f"SURELY WORSE: {verdict}" for verdict in report.harms if verdict.is_sure)


def details(one: Comparison) -> Iterator[str]:
    """Sentences about how much a comparison can see, and how its difference moves with the day."""
    if one.best is None:
        return
    counted = ", ".join(f"{arm} {units:,}" for arm, units in one.units.items())
    waiting = f"; {one.waiting:,} of all arms wait for their {one.window_days} days" if one.waiting else ""
    saved = "" if one.variance_saved is None else f"; CUPED removes {percent(one.variance_saved)} of the variance"
    yield f"{one.metric}, {one.arm}: {counted}{waiting}{saved}; found with 80% power: {number(one.detectable)}."
    if one.trend:
        told = "no trend" if one.trend.p >= SURE else f"{signed(one.trend.per_day)} a day"
        yield f"{one.metric}, {one.arm}, by day of exposure: {told} (p = {p_value(one.trend.p)})."
