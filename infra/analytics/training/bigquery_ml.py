"""BigQuery ML as a second way to train: the statement with the same hinges, and its weights as an artifact.

`CREATE MODEL ... TRANSFORM` computes each part of a term as a column of its own, so that every weight of the
linear model is a coefficient of the artifact:
https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-glm
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Any

from infra.analytics.training.hinges import CategoryTerm, NumberTerm, Term, rounded
from infra.analytics.training.score_sql import Columns, column, literal, text_literal
from infra.errors import UsageError
from shared.decisioning.scoring.logistic_artifact import CategoricalTerm, Contribute, Impute, Logistic, NumericTerm
from shared.decisioning.scoring.score import Score

INTERCEPT = "__INTERCEPT__"
"""The row of ML.WEIGHTS that holds the intercept."""
LABEL = "label"
_is_place = re.compile(r"[\w-]+(?:\.[\w-]+){1,2}", re.ASCII).fullmatch


def create_model(
    terms: Sequence[Term], model: str, source: str, columns: Columns = column, l2: float = 1.0
) -> str:
    """The statement that trains a logistic regression of these terms on `source`, which has a column `label`.

    `model` is DATASET.NAME or PROJECT.DATASET.NAME, `l2` the penalty. Raises `UsageError` for another name.
    """
    if not _is_place(model):
        raise UsageError(f"--model: expected DATASET.NAME or PROJECT.DATASET.NAME, found {model!r}")
    parts = [
        f"{expression} AS {name}"
        for number, term in enumerate(terms)
        for name, expression in _parts(number, term, columns(term.feature))
    ]
    options = [
        "MODEL_TYPE = 'LOGISTIC_REG'",
        f"INPUT_LABEL_COLS = ['{LABEL}']",
        f"L2_REG = {l2!r}",
        "CALCULATE_P_VALUES = FALSE",
        "ENABLE_GLOBAL_EXPLAIN = FALSE",
        "DATA_SPLIT_METHOD = 'NO_SPLIT'",
    ]
    return "\n".join(
        [
            f"CREATE OR REPLACE MODEL `{model}`",
            f"TRANSFORM (\n  {_listed([*parts, LABEL])}\n)",
            f"OPTIONS (\n  {_listed(options)}\n)",
            f"AS SELECT * FROM {source}\n",  # noqa: S608 - the person's own table
        ]
    )


def terms_of(score: Score) -> tuple[Term, ...]:
    """The terms of a logistic score, without their coefficients. Raises `UsageError` for what has no hinges."""
    if not isinstance(score.artifact, Logistic):
        raise UsageError(f"{score.name}: expected a logistic score, found trees")
    return *map(_number_term, score.artifact.numeric), *map(_category_term, score.artifact.categorical)


def _number_term(term: NumericTerm) -> NumberTerm:
    if term.min is None or term.max is None or isinstance(term.missing, Impute):
        raise UsageError(
            f"{term.feature}: expected min, max, and missing that fails or contributes, found other terms"
        )
    knots = tuple(knot.at for knot in term.knots)
    can_miss = isinstance(term.missing, Contribute)
    return NumberTerm(term.feature, term.center, term.scale, term.min, term.max, knots, can_miss)


def _category_term(term: CategoricalTerm) -> CategoryTerm:
    return CategoryTerm(
        term.feature, tuple(term.categories), term.other not in ("fail", 0), term.missing != "fail"
    )


def weights_query(model: str) -> str:
    """The query for the weights, in the units of the transformed columns."""
    if not _is_place(model):
        raise UsageError(f"--model: expected DATASET.NAME or PROJECT.DATASET.NAME, found {model!r}")
    return f"SELECT processed_input, weight, category_weights FROM ML.WEIGHTS(MODEL `{model}`)\n"  # noqa: S608 - checked


def content_of_weights(rows: Iterable[Mapping[str, Any]], terms: Sequence[Term]) -> dict[str, Any]:
    """The artifact's fields of a logistic regression, from the rows of ML.WEIGHTS and the terms of its training.

    Raises `UsageError` for a weight that is missing, unknown or no number.
    """
    weights = _by_input(rows)
    intercept = _taken(weights, INTERCEPT)
    written = []
    for number, term in enumerate(terms):
        names = [name for name, _ in _parts(number, term, "")]
        written.append(term.written([_taken(weights, name) for name in names]))
    if weights:
        raise UsageError(f"the weights: expected those of the artifact's terms, found {min(weights)!r} too")
    return {
        "kind": "logistic",
        "intercept": rounded(intercept),
        "numeric": [term for term in written if "coefficient" in term],
        "categorical": [term for term in written if "categories" in term],
    }


def _listed(items: Iterable[str]) -> str:
    return ",\n  ".join(items)


def _parts(number: int, term: Term, value: str) -> list[tuple[str, str]]:
    """The columns of a term's design, in its order: the name of each and its expression."""
    match term:
        case NumberTerm():
            return _of_number(number, term, f"CAST({value} AS FLOAT64)")
        case CategoryTerm():
            return _of_category(number, term, f"CAST({value} AS STRING)")


def _of_number(number: int, term: NumberTerm, value: str) -> list[tuple[str, str]]:
    x = f"LEAST(GREATEST({value}, {literal(term.low)}), {literal(term.high)})"

    def scaled(part: str) -> str:
        return f"CASE WHEN {value} IS NULL THEN 0e0 ELSE {part} / {literal(term.scale)} END"

    parts = [(f"t{number}_line", scaled(f"({x} - {literal(term.center)})"))]
    for place, knot in enumerate(term.knots):
        parts.append((f"t{number}_knot{place}", scaled(f"GREATEST({x} - {literal(knot)}, 0e0)")))
    return [*parts, (f"t{number}_missing", _one_if(f"{value} IS NULL"))] if term.can_miss else parts


def _of_category(number: int, term: CategoryTerm, value: str) -> list[tuple[str, str]]:
    listed = ", ".join(map(text_literal, term.categories))
    parts = [
        (f"t{number}_is{place}", _one_if(f"{value} = {text_literal(one)}"))
        for place, one in enumerate(term.categories)
    ]
    parts += [(f"t{number}_rare", _one_if(f"{value} NOT IN ({listed})"))] if term.has_rare else []
    return [*parts, (f"t{number}_missing", _one_if(f"{value} IS NULL"))] if term.can_miss else parts


def _one_if(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1e0 ELSE 0e0 END"


def _by_input(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for row in rows:
        name, weight = row.get("processed_input"), row.get("weight")
        if not isinstance(name, str) or isinstance(weight, bool) or not isinstance(weight, int | float | str):
            raise UsageError(f"the weights: expected a processed_input with a weight, found {dict(row)}")
        if row.get("class_label") is not None:
            raise UsageError("the weights: expected those of a model of two labels, found class_label")
        if name in weights:
            raise UsageError(f"the weights: expected each processed_input once, found {name!r} again")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = nan
        if not isfinite(weights[name]):
            raise UsageError(f"the weights: expected a number for {name}, found {weight!r}")
    return weights


def _taken(weights: dict[str, float], name: str) -> float:
    if name not in weights:
        raise UsageError(f"the weights: expected one of {name}, found none")
    return weights.pop(name)
