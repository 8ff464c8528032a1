"""Drift between two tables in files: their rows go through the same query as a warehouse's decisions."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from infra.analytics.tables import rows
from infra.analytics.training.dataset import Roles, dataset_of_table
from infra.analytics.training.drift import Calibration, Drift, calibration, drift
from infra.analytics.training.score_sql import columns_by_name
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.errors import UsageError
from shared.decisioning.scoring.score import Score

SOURCE = "SELECT * FROM scored"


def drift_of_tables(
    score: Score, before: Path, now: Path, roles: Roles | None
) -> tuple[list[Drift], Calibration | None]:
    """The drift of the score and its features between two tables, and its calibration on the newer one.

    The calibration needs `roles`, which name the label. Raises `UsageError` for tables that cannot be read.
    """
    connection = duckdb.connect()
    features = {feature: f"f_{number}" for number, feature in enumerate(sorted(score.features))}
    columns = ", ".join(f"{name} varchar" for name in features.values())
    connection.execute(f"create table scored (period varchar, score double, label boolean, {columns})")
    places = ", ".join("?" * (3 + len(features)))
    for period, file in (("before", before), ("now", now)):
        table = _rows_of(score, features, period, file, roles if period == "now" else None)
        if not table:
            raise UsageError(f"{file}: expected rows, found none")
        connection.executemany(f"insert into scored values ({places})", table)  # noqa: S608 - places
    engine = DuckDBEngine.of(connection)
    found = drift(engine, score, SOURCE, columns_by_name(features))
    return found, calibration(engine, SOURCE) if roles else None


def _rows_of(
    score: Score, features: Mapping[str, str], period: str, file: Path, roles: Roles | None
) -> list[list[object]]:
    if roles is None:
        facts = [row for row in rows(file, repeated_names=True) if not isinstance(row, str)]
        labels: list[bool | None] = [None] * len(facts)
    else:
        dataset = dataset_of_table(rows(file, repeated_names=True), roles, "")
        names = [*dataset.facts]
        facts = [dict(zip(names, values, strict=True)) for values in zip(*dataset.facts.values(), strict=True)]
        labels = dataset.label.tolist()
    return [
        [period, score.evaluate(row).value, label, *(_text(row.get(feature)) for feature in features)]
        for row, label in zip(facts, labels, strict=True)
    ]


def _text(fact: object) -> str | None:
    """A fact as a JSON value is told: a boolean in lower case."""
    if fact is None:
        return None
    return str(fact).lower() if isinstance(fact, bool) else str(fact)
