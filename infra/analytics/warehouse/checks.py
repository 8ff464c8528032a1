"""Assertions about the models: queries whose rows are failures."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.header import Fresh, InvalidModel, Volume, read_assertion
from infra.analytics.warehouse.models import SQL, Model, large_tables
from infra.analytics.warehouse.partitions import filters
from infra.analytics.warehouse.queries import checked

SHOWN = 20
"""Failures of an assertion that are shown; they are grouped, so that few tell all."""


class Assertion(NamedTuple):
    """A query whose rows are failures. It may name @now, a TIMESTAMP, and @since, the first DATE to check."""

    name: str
    """MODEL.KIND for a standard one, the file's name for another."""
    expected: str
    """A sentence about what holds if there is no row."""
    sql: str


class Outcome(NamedTuple):
    """An assertion with its failures."""

    name: str
    expected: str
    failures: list[dict[str, Any]]

    @property
    def holds(self) -> bool:
        """True if there is no failure."""
        return not self.failures


def read_assertions(models: Mapping[str, Model], folder: Path = SQL) -> list[Assertion]:
    """The standard assertions of the models' headers, then those of the files in `assertions/`.

    Raises `InvalidModel`.
    """
    written = [_written(file, models) for file in sorted((folder / "assertions").glob("*.sql"))]
    return [*(each for model in models.values() for each in standard(model, models)), *written]


def _written(file: Path, models: Mapping[str, Model]) -> Assertion:
    text = file.read_text(encoding="utf-8")
    description = read_assertion(text, str(file)).description
    problems = list(filters(checked(text, str(file)), large_tables(models)))
    if problems:
        raise InvalidModel("\n".join(f"{file}: line {line}: {said}" for line, said in problems))
    return Assertion(file.stem, description, text)


def standard(model: Model, models: Mapping[str, Model]) -> Iterator[Assertion]:
    """The assertions that a model's header declares."""
    name, header = model.name, model.header
    where = _where(model)
    if header.unique:
        keys = ", ".join(header.unique)
        yield Assertion(
            f"{name}.unique",
            f"One row for each {keys}.",
            f"SELECT {keys}, COUNT(*) AS number_of_rows FROM {name} WHERE {where} GROUP BY {keys}"
            f" HAVING COUNT(*) > 1 ORDER BY number_of_rows DESC, {keys} LIMIT {SHOWN}",
        )
    for column in header.tests.not_null:
        yield Assertion(
            f"{name}.not_null.{column}",
            f"A {column} in each row.",
            f"SELECT COUNT(*) AS number_of_rows FROM {name}"
            f" WHERE {where} AND {column} IS NULL HAVING COUNT(*) > 0",
        )
    for column, values in header.tests.accepted_values.items():
        listed = ", ".join(_literal(value) for value in values)
        yield Assertion(
            f"{name}.accepted_values.{column}",
            f"No {column} but {listed}.",
            f"SELECT {column}, COUNT(*) AS number_of_rows FROM {name} WHERE {where} AND {column} NOT IN ({listed})"
            f" GROUP BY {column} ORDER BY number_of_rows DESC, {column} LIMIT {SHOWN}",
        )
    for column, target in header.tests.references.items():
        yield _reference(model, column, target, models)
    if header.tests.fresh:
        yield _fresh(model, header.tests.fresh)
    if header.tests.volume:
        yield _volume(model, header.tests.volume)


def _where(model: Model) -> str:
    """The days to check, for a model with partitions; of a view, its column may hold instants."""
    return _from(model, "@since")


def _from(model: Model, day: str) -> str:
    partition = model.header.partition
    if partition is None:
        return "TRUE"
    return f"{partition} >= {f'TIMESTAMP({day})' if partition.endswith('_time') else day}"


def _literal(value: str | bool | int) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value).upper()


def _reference(model: Model, column: str, target: str, models: Mapping[str, Model]) -> Assertion:
    other, _, other_column = target.partition(".")
    if other not in models or other_column not in models[other].header.columns:
        raise InvalidModel(f"{model.file}: expected a column of a model under references, found {target}")
    everything = _from(models[other], "DATE '1990-01-01'")
    return Assertion(
        f"{model.name}.references.{column}",
        f"Each {column} is a {other_column} of {other}.",
        f"SELECT here.{column}, COUNT(*) AS number_of_rows FROM {model.name} AS here LEFT JOIN"
        f" (SELECT DISTINCT {other_column} AS found FROM {other} WHERE {everything}) AS there"
        f" ON there.found = here.{column}"
        f" WHERE {_where(model)} AND here.{column} IS NOT NULL AND there.found IS NULL"
        f" GROUP BY here.{column} ORDER BY number_of_rows DESC, {column} LIMIT {SHOWN}",
    )


def _fresh(model: Model, fresh: Fresh) -> Assertion:
    oldest = f"TIMESTAMP_SUB(@now, INTERVAL {round(fresh.hours * 3_600_000_000)} MICROSECOND)"
    return Assertion(
        f"{model.name}.fresh",
        f"A {fresh.column} of the last {fresh.hours:g} hours.",
        f"SELECT MAX({fresh.column}) AS newest FROM {model.name} WHERE {_where(model)}"
        f" HAVING MAX({fresh.column}) IS NULL OR MAX({fresh.column}) < {oldest}",
    )


def _volume(model: Model, volume: Volume) -> Assertion:
    day = model.header.partition
    if day is None:
        raise InvalidModel(f"{model.file}: expected a partition for a test of volume, found none")
    counted = (
        f"SELECT COUNTIF({day} = DATE_SUB(DATE(@now), INTERVAL 1 DAY)) AS last_day,"
        f" COUNTIF({day} < DATE_SUB(DATE(@now), INTERVAL 1 DAY)) / {volume.days} AS usual FROM {model.name}"
        f" WHERE {day} >= DATE_SUB(DATE(@now), INTERVAL {volume.days + 1} DAY) AND {day} < DATE(@now)"
    )
    return Assertion(
        f"{model.name}.volume",
        f"Yesterday's rows are {volume.least:g} to {volume.most:g} times the mean of {volume.days} days.",
        f"SELECT last_day, usual FROM ({counted}) WHERE usual > 0"
        f" AND (last_day < {volume.least} * usual OR last_day > {volume.most} * usual)",
    )


def check(
    engine: Engine, assertions: Iterable[Assertion], now: datetime, since: date = date(1990, 1, 1)
) -> Iterator[Outcome]:
    """Check each assertion as of an instant, over the partitions from a day on. Raises `WarehouseError`."""
    for assertion in assertions:
        failures = engine.rows(assertion.sql, now=now, since=since)
        yield Outcome(assertion.name, assertion.expected, failures)


def days_before(now: datetime, days: int | None) -> date:
    """The first day to check; the first of all for None."""
    return date(1990, 1, 1) if days is None else now.date() - timedelta(days=days)
