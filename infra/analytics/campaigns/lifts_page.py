"""The lifts of campaigns, as parts of a terminal page and of an HTML page."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from infra.analytics.campaigns.lifts import Lift
from infra.analytics.experiments import wording
from infra.analytics.experiments.page import LOUD, comparisons
from infra.analytics.experiments.report import Report
from infra.html_page import heading, paragraph, table

NONE = "No published catalog in the log has an experiment or a holdout."


def page(found: Sequence[Lift]) -> Group:
    """Each experiment and holdout: the sample ratio, surely worse guardrails, and the comparisons."""
    return Group(*(part for lift in found for part in _lift(lift))) if found else Group(Text(), Text(NONE))


def sections(found: Sequence[Lift]) -> Iterator[str]:
    """The same in HTML."""
    if not found:
        yield paragraph(NONE)
    for lift in found:
        yield heading(_title(lift))
        if lift.report is None:
            yield paragraph(lift.problem or "")
            continue
        for text, is_loud in _lines(lift.report):
            yield paragraph(text, "loud" if is_loud else "")
        yield table(wording.COLUMNS, map(wording.row, lift.report.comparisons))
        yield from (paragraph(note, "quiet") for note in lift.report.notes)


def _lift(lift: Lift) -> Iterator[RenderableType]:
    yield from (Text(), Text(_title(lift), style="bold"))
    if lift.report is None:
        yield Text(lift.problem or "")
        return
    yield from (Text(text, style=LOUD if is_loud else "") for text, is_loud in _lines(lift.report))
    yield from comparisons(lift.report.comparisons)
    yield from (Text(note, style="dim") for note in lift.report.notes)


def _title(lift: Lift) -> str:
    return (
        f"Lift of {lift.id}"
        if lift.report is None
        else f"Lift of {lift.id}, within {lift.report.window_days} days"
    )


def _lines(report: Report) -> Iterator[tuple[str, bool]]:
    """Sentences above the comparisons, each with whether it is a warning."""
    units = ", ".join(f"{arm} {number:,}" for arm, number in report.units.items())
    yield f"{units}; control: {report.control}", False
    first, *others = wording.ratios(report)
    yield first, bool(report.mismatches)
    yield from ((line, True) for line in others if line in report.mismatches)
    yield from ((line, True) for line in wording.loud(report))
