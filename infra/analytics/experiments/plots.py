"""The plots of a report, as SVG: drawn by Altair and vl-convert on this machine, without a network."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from infra.analytics.experiments.comparisons import Comparison
from infra.analytics.experiments.report import Report

WIDTH, HEIGHT = 720, 220
Rows = Sequence[Mapping[str, Any]]


def looks(one: Comparison) -> str:
    """The difference as each day's look would have shown it, with both intervals."""
    rows = [
        {
            "day": f"{look.day:%Y-%m-%d}",
            "difference": look.estimate.difference,
            "low": side.low,
            "high": side.high,
            "interval": name,
        }
        for look in one.looks
        for name, side in (("at every look", look.estimate.always), ("at one look", look.estimate.fixed))
    ]
    base = _chart(rows).encode(x=alt.X("day:T", title="day of the look"))
    title = f"difference of {one.metric}"
    bands = base.mark_area(opacity=0.3).encode(
        y=alt.Y("low:Q", title=title), y2="high:Q", color=alt.Color("interval:N", title="95%")
    )
    return _svg(_zero(rows) + bands + base.mark_line(color="#222").encode(y=alt.Y("difference:Q", title=title)))


def cohorts(one: Comparison) -> str:
    """The difference among the units that were exposed on each day, with its interval."""
    rows = [
        {
            "day": f"{each.day:%Y-%m-%d}",
            "difference": each.difference,
            "low": each.difference - 1.96 * each.standard_error,
            "high": each.difference + 1.96 * each.standard_error,
        }
        for each in one.cohorts
    ]
    base = _chart(rows).encode(x=alt.X("day:T", title="day of exposure"))
    title = f"difference of {one.metric}"
    bars = base.mark_rule(color="#4c78a8").encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    points = base.mark_point(filled=True, color="#4c78a8").encode(y=alt.Y("difference:Q", title=title))
    return _svg(_zero(rows) + bars + points)


def units(report: Report) -> str:
    """The units of each arm by day, with the numbers expected as dashes."""
    rows = [
        {"day": ratio.part, "arm": arm, "units": number, "expected": ratio.expected.get(arm)}
        for ratio in report.sample_ratio.by_day
        for arm, number in ratio.observed.items()
    ]
    base = _chart(rows).encode(x=alt.X("day:T", title="day of exposure"), color=alt.Color("arm:N", title="arm"))
    lines = base.mark_line().encode(y=alt.Y("units:Q", title="units"))
    return _svg(lines + base.mark_line(strokeDash=[4, 4], opacity=0.6).encode(y="expected:Q"))


def _chart(rows: Rows) -> Any:
    return alt.Chart(alt.InlineData(values=list(rows))).properties(width=WIDTH, height=HEIGHT)


def _zero(rows: Rows) -> Any:
    return _chart(rows[:1]).mark_rule(strokeDash=[4, 4], color="#888").encode(y=alt.datum(0))


def _svg(chart: Any) -> str:
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))
