"""Histories of experiments as rows of the warehouse's marts, drawn by a seed, with effects that are known.

`history` draws units, `duckdb_of` puts them into the tables of a DuckDB file.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import norm

START = datetime(2026, 3, 1, tzinfo=UTC)
VERSION = "0123456789abcdef"
WINDOWS = (7, 14, 28, 60)
COLUMNS = {
    "experiments": (
        "experiment_id VARCHAR, kind VARCHAR, catalog_version VARCHAR, published_at TIMESTAMPTZ, variant VARCHAR,"
        " weight DOUBLE, coverage DOUBLE, unit VARCHAR, bucket_version BIGINT, goal_metrics VARCHAR,"
        " guardrail_metrics VARCHAR, policy VARCHAR, document JSON"
    ),
    "exposures": (
        "experiment_id VARCHAR, unit VARCHAR, unit_id VARCHAR, user_id VARCHAR, subscription_id VARCHAR,"
        " variant VARCHAR, first_at TIMESTAMPTZ, exposure_date DATE, catalog_version VARCHAR,"
        " bucket_version BIGINT, campaign_id VARCHAR, offer_id VARCHAR, decision_id VARCHAR, trigger_id VARCHAR,"
        " moment VARCHAR, given BOOLEAN, withheld VARCHAR, holdouts VARCHAR, propensity DOUBLE,"
        " policy_version VARCHAR,"
        " variants_seen BIGINT, known_variant BOOLEAN, seen_at TIMESTAMPTZ, revoked_at TIMESTAMPTZ,"
        " revoked_before_seen BOOLEAN"
    ),
    "metrics": (
        "experiment_id VARCHAR, unit_id VARCHAR, exposure_date DATE, variant VARCHAR, metric VARCHAR,"
        " window_days BIGINT, complete BOOLEAN, numerator DOUBLE, denominator DOUBLE, numerator_squared DOUBLE,"
        " denominator_squared DOUBLE, cross_product DOUBLE, covariate DOUBLE, covariate_squared DOUBLE,"
        " covariate_cross DOUBLE"
    ),
    "funnel": (
        "day DATE, campaign_id VARCHAR, catalog_version VARCHAR, variant VARCHAR, stage VARCHAR, reason VARCHAR,"
        " number BIGINT"
    ),
}
"""The columns of the tables, as the models lay them."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the history."""

    name: str
    base: float
    """Its mean in control."""
    effect: float = 0.0
    """What the arm `offer` adds to it, within a week of the exposure."""
    kind: str = "binary"
    """Or `money`: a skewed amount in minor units; or `ratio`: clicks by impressions."""
    memory: float = 0.5
    """The correlation of its latent part with that of the covariate."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to draw."""

    users: int = 20_000
    days: int = 28
    """Users are first exposed over so many days."""
    observed_days: int = 60
    """The days from the start to the newest message."""
    metrics: tuple[Metric, ...] = (Metric("plan.changed", 0.10, 0.02), Metric("refunded", 0.02, kind="binary"))
    goals: tuple[str, ...] = ("plan.changed",)
    guardrails: tuple[str, ...] = ("refunded",)
    weights: tuple[tuple[str, float], ...] = (("control", 0.5), ("offer", 0.5))
    held_out: float = 0.05
    duplicated: float = 0.0
    """The share of units whose rows are there twice."""
    late: float = 0.0
    """The share of outcomes whose message comes up to three days late."""
    id: str = "gift"
    unit: str = "user"
    subscriptions: int = 1
    """The subscriptions of a user."""
    terms: dict[str, Any] = field(default_factory=dict)
    """Further terms of the experiment."""
    windows: tuple[int, ...] = (7, 28)


def effect_of(plan: Plan, metric: str) -> float:
    """The effect that was planted."""
    return next(each.effect for each in plan.metrics if each.name == metric)


def history(plan: Plan, seed: int) -> dict[str, pa.Table]:
    """The rows of a history, by table: the experiment, and the holdout `everything` if anybody is held out."""
    rng = np.random.default_rng(seed)
    units = plan.users * plan.subscriptions
    names = [name for name, _ in plan.weights]
    arms = rng.choice(len(names), units, p=[weight for _, weight in plan.weights])
    users = np.repeat(np.arange(plan.users), plan.subscriptions)
    day = np.repeat(np.sort(rng.integers(0, plan.days, plan.users)), plan.subscriptions)
    held = np.repeat(rng.random(plan.users) < plan.held_out, plan.subscriptions)
    drawn = _Drawn(plan, rng, names, arms, users, day, held)
    tables = {"experiments": drawn.experiments(), "exposures": drawn.exposures(), "metrics": drawn.metrics()}
    return {name: _doubled(table, plan.duplicated, rng) for name, table in tables.items()}


def duckdb_of(tables: dict[str, pa.Table], path: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A DuckDB database with these rows; tables without rows are empty."""
    connection = duckdb.connect(str(path))
    connection.execute("SET TimeZone = 'UTC'")
    for name, columns in COLUMNS.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
        if name in tables:
            connection.register("rows", tables[name])
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows")  # noqa: S608
            connection.unregister("rows")
    return connection


@dataclass(frozen=True, slots=True)
class _Drawn:
    plan: Plan
    rng: np.random.Generator
    names: list[str]
    arms: np.ndarray
    users: np.ndarray
    day: np.ndarray
    held: np.ndarray

    @property
    def unit_ids(self) -> list[str]:
        if self.plan.unit == "user":
            return [f"user-{number}" for number in self.users]
        return [f"user-{user}/{number}" for number, user in enumerate(self.users)]

    @property
    def dates(self) -> list[date]:
        return [START.date() + timedelta(days=int(day)) for day in self.day]

    def experiments(self) -> pa.Table:
        plan = self.plan
        variants = [
            {"id": name, "offer": None if name == "control" else name}
            | ({} if "policy" in plan.terms else {"weight": weight})
            for name, weight in plan.weights
        ]
        document = json.dumps({"variants": variants, "state": "running", **plan.terms})
        shared = {"catalog_version": VERSION, "published_at": START, "coverage": 1.0, "bucket_version": 0}
        rows = [
            {
                "experiment_id": plan.id,
                "kind": "experiment",
                "variant": name,
                "weight": None if plan.terms.get("policy") else weight,
                "unit": plan.unit,
                "goal_metrics": ",".join(plan.goals),
                "guardrail_metrics": ",".join(plan.guardrails),
                "policy": plan.terms.get("policy"),
                "document": document,
                **shared,
            }
            for name, weight in plan.weights
        ]
        shares = (("held_out", plan.held_out), ("treated", 1 - plan.held_out))
        rows += [
            {
                "experiment_id": "holdout/everything",
                "kind": "holdout",
                "variant": name,
                "weight": weight,
                "unit": "user",
                "document": "{}",
                **shared,
            }
            for name, weight in shares
            if plan.held_out
        ]
        return pa.Table.from_pylist(rows, schema=_schema("experiments"))

    def exposures(self) -> pa.Table:
        plan, count = self.plan, len(self.arms)
        seconds = self.rng.integers(0, 86_400, count)
        first = [
            START + timedelta(days=int(day), seconds=int(s)) for day, s in zip(self.day, seconds, strict=True)
        ]
        given = ~self.held
        offers = np.array([None if name == "control" else name for name in self.names], dtype=object)[self.arms]
        seen = given & np.array([offer is not None for offer in offers]) & (self.rng.random(count) < 0.8)
        revoked = given & ~seen & (self.rng.random(count) < 0.1)
        weights = np.array([weight for _, weight in plan.weights])
        own = {
            "experiment_id": [plan.id] * count,
            "unit": [plan.unit] * count,
            "unit_id": self.unit_ids,
            "user_id": [f"user-{number}" for number in self.users],
            "variant": [self.names[arm] for arm in self.arms],
            "first_at": first,
            "exposure_date": self.dates,
            "catalog_version": [VERSION] * count,
            "bucket_version": [0] * count,
            "campaign_id": ["upgrade"] * count,
            "offer_id": offers.tolist(),
            "decision_id": [f"decision-{number}" for number in range(count)],
            "given": given.tolist(),
            "withheld": [None if was else "holdout" for was in given],
            "holdouts": [None if was else "everything" for was in given],
            "propensity": weights[self.arms].tolist(),
            "variants_seen": [1] * count,
            "known_variant": [True] * count,
            "seen_at": [at + timedelta(hours=1) if was else None for at, was in zip(first, seen, strict=True)],
            "revoked_before_seen": revoked.tolist(),
        }
        table = pa.Table.from_pydict(own, schema=_schema("exposures", own))
        if not plan.held_out:
            return table
        held = {
            **own,
            "experiment_id": ["holdout/everything"] * count,
            "variant": ["treated" if was else "held_out" for was in given],
            "propensity": [None] * count,
        }
        return pa.concat_tables([table, pa.Table.from_pydict(held, schema=_schema("exposures", own))])

    def metrics(self) -> pa.Table:
        parts = []
        for metric in self.plan.metrics:
            latent = self._latent()
            before = self._value(metric, latent, np.zeros(len(self.arms)), None)
            memory = np.sqrt(1 - metric.memory**2) * self._latent() + metric.memory * latent
            treated = ((self.arms > 0) & ~self.held).astype(float)
            is_late = self.rng.random(len(self.arms)) < self.plan.late
            at = self.rng.integers(0, 7, len(self.arms)) + is_late * self.rng.integers(1, 4, len(self.arms))
            after = self._value(metric, memory, treated, self.rng)
            for window in self.plan.windows:
                parts += [self._rows(metric, window, before, after, at)]
        return pa.concat_tables(parts)

    def _latent(self) -> np.ndarray:
        """Normal values; half of their variance is shared by the subscriptions of a user."""
        own = self.rng.normal(size=len(self.arms))
        if self.plan.subscriptions == 1:
            return own
        shared = self.rng.normal(size=self.plan.users)[self.users]
        return np.sqrt(0.5) * own + np.sqrt(0.5) * shared

    def _value(
        self, metric: Metric, latent: np.ndarray, treated: np.ndarray, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The numerator and the denominator of each unit."""
        ones = np.ones(len(latent))
        if metric.kind == "money":
            skewed = np.exp(0.8 * latent - 0.32)
            return np.round(metric.base * skewed + metric.effect * treated), ones
        if metric.kind == "ratio":
            shown = (rng or np.random.default_rng(0)).poisson(3 * np.exp(0.4 * latent)) + 1
            rate = np.clip(metric.base + 0.02 * latent + metric.effect * treated, 0, 1)
            return (rng or np.random.default_rng(1)).binomial(shown, rate).astype(float), shown.astype(float)
        probability = metric.base + metric.effect * treated
        return (latent > norm.ppf(1 - probability)).astype(float), ones

    def _rows(self, metric: Metric, window: int, before: Any, after: Any, at: np.ndarray) -> pa.Table:
        count, plan = len(self.arms), self.plan
        complete = self.day + window <= plan.observed_days
        arrived = self.day + at <= plan.observed_days
        columns = {
            "experiment_id": [plan.id] * count,
            "unit_id": self.unit_ids,
            "exposure_date": self.dates,
            "variant": [self.names[arm] for arm in self.arms],
            "metric": [metric.name] * count,
            "window_days": [window] * count,
            "complete": complete.tolist(),
            "numerator": np.where(arrived, after[0], 0.0),
            "denominator": after[1],
            "covariate": before[0],
        }
        table = pa.Table.from_pydict(columns, schema=_schema("metrics", columns))
        if not plan.held_out:
            return table
        held = {
            **columns,
            "experiment_id": ["holdout/everything"] * count,
            "variant": ["held_out" if was else "treated" for was in self.held],
        }
        return pa.concat_tables([table, pa.Table.from_pydict(held, schema=_schema("metrics", columns))])


def _schema(table: str, names: Any = None) -> pa.Schema:
    kinds = {
        "VARCHAR": pa.string(),
        "DOUBLE": pa.float64(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
        "JSON": pa.string(),
    }
    columns = dict(each.strip().split(" ") for each in COLUMNS[table].split(","))
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items() if names is None or name in names])


def _doubled(table: pa.Table, share: float, rng: np.random.Generator) -> pa.Table:
    """The rows with a share of them twice, shuffled."""
    if not share:
        return table
    again = np.flatnonzero(rng.random(len(table)) < share)
    return pa.concat_tables([table, table.take(again)]).take(rng.permutation(len(table) + len(again)))
