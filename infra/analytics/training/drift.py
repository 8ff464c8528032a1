"""Drift: whether a score and its features are still distributed as they were, and whether the score still holds.

One portable query counts rows by bins, before and now. The bins are the score's own: its knots or thresholds, and
its categories. The population stability index (PSI) is the sum over bins of (now - before) * ln(now / before), of
shares: below 0.1 nothing happened, from 0.25 on the population is another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from infra.analytics.training.score_sql import Columns, literal, text_literal
from infra.analytics.warehouse.engine import Engine
from infra.errors import UsageError
from shared.decisioning.scoring.logistic_artifact import Logistic, NumericTerm
from shared.decisioning.scoring.score import Score
from shared.decisioning.scoring.trees_artifact import Leaf, NumericSplit, Trees

MAX_EDGES = 9
MAX_SHOWN_CATEGORIES = 30
SMOOTHING = 0.5
"""Rows added to each bin, so that an empty one has a share."""
SCORE_EDGES = tuple(number / 10 for number in range(1, 10))
SCORE = "score"


class Drift(NamedTuple):
    """The distance by which one measure has moved."""

    measure: str
    """`score`, or the feature."""
    psi: float
    before: int
    """Rows of the former period."""
    now: int
    missing_before: float
    """The share of rows without it."""
    missing_now: float


class Calibration(NamedTuple):
    """The score against what happened, over rows of the newer period whose time is over."""

    rows: int
    predicted: float
    observed: float
    error: float
    """The mean difference of the two in ten bins of the score."""


def drift(engine: Engine, score: Score, source: str, columns: Columns, **parameters: Any) -> list[Drift]:
    """The distances by which the score and each of its features have moved, the farthest first.

    `source` is a query with the columns `period` (`before` or `now`), `score`, and what `columns` names. Raises
    `UsageError` if one of the periods has no rows.
    """
    found = [_drift(row) for row in engine.rows(drift_sql(score, source, columns), **parameters)]
    for period in ("before", "now"):
        if not any(getattr(one, period) for one in found):
            raise UsageError(f"{period}: expected rows in this period, found none")
    return sorted(found, key=lambda one: (-one.psi, one.measure))


def calibration(engine: Engine, source: str, **parameters: Any) -> Calibration | None:
    """The calibration in the newer period; None if no row has a score and a label.

    `source` is a query with the columns `period`, `score` and `label`, a boolean or NULL.
    """
    (row,) = engine.rows(calibration_sql(source), **parameters)
    if not row["number"]:
        return None
    return Calibration(int(row["number"]), float(row["predicted"]), float(row["observed"]), float(row["error"]))


def drift_sql(score: Score, source: str, columns: Columns) -> str:
    """The query for `measure`, the rows by period, the rows without the measure, and `psi`."""
    binned = [(SCORE, _number_bins("score", SCORE_EDGES)), *_feature_bins(score, columns)]
    counted = "\n  UNION ALL\n  ".join(
        f"SELECT {text_literal(measure)} AS measure, {bins} AS bin, COUNTIF(period = 'before') AS before_rows,"  # noqa: S608 - names of features and literals
        f" COUNTIF(period = 'now') AS now_rows FROM source GROUP BY 1, 2"
        for measure, bins in binned
    )
    total = "OVER (PARTITION BY measure)"
    smoothed = {
        period: f"({period}_rows + {SMOOTHING}) / (SUM({period}_rows) {total} + {SMOOTHING} * COUNT(*) {total})"
        for period in ("before", "now")
    }
    of_sums = ", ".join(
        f"SUM({sum_of}) AS {name}"
        for sum_of, name in (
            ("(is_now - was) * LN(is_now / was)", "psi"),
            ("before_rows", "before_rows"),
            ("now_rows", "now_rows"),
            ("CASE WHEN bin = 'missing' THEN before_rows ELSE 0 END", "before_missing"),
            ("CASE WHEN bin = 'missing' THEN now_rows ELSE 0 END", "now_missing"),
        )
    )
    shares = f"{smoothed['before']} AS was, {smoothed['now']} AS is_now"
    return _with(
        {
            "source": source,
            "counted": counted,
            "shares": f"SELECT measure, bin, before_rows, now_rows, {shares} FROM counted",  # noqa: S608 - literals
        },
        f"SELECT measure, {of_sums} FROM shares GROUP BY measure",  # noqa: S608 - literals
    )


def calibration_sql(source: str) -> str:
    """The query for the number of rows with a score and a label now, both means, and the calibration error."""
    sums = "SUM(score) AS predicted, SUM(CASE WHEN label THEN 1 ELSE 0 END) AS observed"
    usable = "period = 'now' AND score IS NOT NULL AND label IS NOT NULL"
    shares = ", ".join(
        f"SUM({part}) / NULLIF(SUM(number), 0) AS {name}"
        for part, name in (
            ("predicted", "predicted"),
            ("observed", "observed"),
            ("ABS(predicted - observed)", "error"),
        )
    )
    bins = f"{_number_bins('score', SCORE_EDGES)} AS bin"
    binned = f"SELECT {bins}, COUNT(*) AS number, {sums} FROM source WHERE {usable} GROUP BY 1"  # noqa: S608 - literals
    return _with({"source": source, "binned": binned}, f"SELECT SUM(number) AS number, {shares} FROM binned")  # noqa: S608


def _with(parts: Mapping[str, str], last: str) -> str:
    named = ",\n".join(f"{name} AS (\n  {query}\n)" for name, query in parts.items())
    return f"WITH {named}\n{last}\n"


def edges_of(score: Score) -> Mapping[str, Sequence[float]]:
    """The edges of the bins of each number: knots, or thresholds; at most nine, spread evenly."""
    found: dict[str, set[float]] = {}
    match score.artifact:
        case Logistic(numeric=terms):
            for term in terms:
                found[term.feature] = {knot.at for knot in term.knots} or _between(term)
        case Trees(trees=trees):
            for node in (node for tree in trees for node in tree if isinstance(node, NumericSplit)):
                found.setdefault(node.feature, set()).add(node.threshold)
    return {feature: _spread(sorted(edges)) for feature, edges in found.items()}


def categories_of(score: Score) -> Mapping[str, Sequence[str]]:
    """The categories of each feature that the score knows."""
    found: dict[str, set[str]] = {}
    match score.artifact:
        case Logistic(categorical=terms):
            found = {term.feature: {*term.categories} for term in terms}
        case Trees(trees=trees):
            for node in (node for tree in trees for node in tree):
                if not isinstance(node, Leaf | NumericSplit):
                    found.setdefault(node.feature, set()).update(node.categories)
    return {feature: sorted(known)[:MAX_SHOWN_CATEGORIES] for feature, known in found.items()}


def _drift(row: Mapping[str, Any]) -> Drift:
    before, now = int(row["before_rows"]), int(row["now_rows"])
    return Drift(
        row["measure"],
        float(row["psi"]),
        before,
        now,
        int(row["before_missing"]) / max(before, 1),
        int(row["now_missing"]) / max(now, 1),
    )


def _feature_bins(score: Score, columns: Columns) -> Iterator[tuple[str, str]]:
    for feature, edges in sorted(edges_of(score).items()):
        yield feature, _number_bins(f"SAFE_CAST({columns(feature)} AS FLOAT64)", edges)
    for feature, known in sorted(categories_of(score).items()):
        text = f"CAST({columns(feature)} AS STRING)"
        cases = " ".join(f"WHEN {text} = {text_literal(one)} THEN {text_literal(f'is {one}')}" for one in known)
        yield feature, f"CASE WHEN {text} IS NULL THEN 'missing' {cases} ELSE 'other' END"


def _number_bins(number: str, edges: Sequence[float]) -> str:
    cases = " ".join(f"WHEN {number} <= {literal(edge)} THEN 'up to {edge!r}'" for edge in edges)
    return f"CASE WHEN {number} IS NULL THEN 'missing' {cases} ELSE 'above' END"


def _between(term: NumericTerm) -> set[float]:
    low = term.center if term.min is None else term.min
    high = term.center if term.max is None else term.max
    return {low + (high - low) * part for part in (0.25, 0.5, 0.75)}


def _spread(edges: Sequence[float]) -> Sequence[float]:
    if len(edges) <= MAX_EDGES:
        return edges
    return [edges[number * (len(edges) - 1) // (MAX_EDGES - 1)] for number in range(MAX_EDGES)]
