"""The definition of an experiment or a holdout, as the published catalogs in the warehouse have it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from infra.analytics.warehouse.engine import Engine
from infra.errors import UsageError
from shared.decisioning.document.schema import ExperimentTerms

Rows = Sequence[Mapping[str, Any]]
HOLDOUT = "holdout"
HELD_OUT = "held_out"
"""The control of a holdout."""
DEFINITIONS = """
SELECT experiment_id, kind, catalog_version, published_at, variant, weight, unit, goal_metrics,
       guardrail_metrics, policy, document
FROM experiments
ORDER BY published_at, catalog_version, variant
"""


class UnknownExperiment(UsageError):
    """An experiment that no published catalog has."""


class NoControl(UsageError):
    """An experiment of which nothing says which variant is the control."""


@dataclass(frozen=True, slots=True)
class Definition:
    """An experiment by its newest catalog, with the weights of all its catalogs."""

    id: str
    kind: str
    catalog_version: str
    """The newest catalog that has it."""
    unit: str
    variants: tuple[str, ...]
    """Those of the newest catalog, and then those that earlier ones had."""
    goals: tuple[str, ...]
    guardrails: tuple[str, ...]
    policy: str | None
    weights: Mapping[str, Mapping[str, float]]
    """The share of each variant among the assigned, by catalog version; without entries for a policy."""
    terms: ExperimentTerms | None
    """The terms of the newest catalog; None for a holdout."""

    @property
    def is_holdout(self) -> bool:
        """True for a holdout, whose arms are the held-out and the treated."""
        return self.kind == HOLDOUT

    @property
    def min_bucket_version(self) -> int:
        """Units that were assigned at a lower version are outside the experiment."""
        return self.terms.min_bucket_version if self.terms else 0

    def control(self, chosen: str | None = None) -> str:
        """The variant that the others are compared with. Raises `NoControl`.

        It is the one that is chosen or that the catalog names, else the only one that offers nothing.
        """
        named = chosen or (self.terms.compared_with if self.terms else HELD_OUT)
        if named is None:
            expected = "a control in the catalog, --control, or exactly one variant that offers nothing"
            raise NoControl(f"experiments.{self.id}: expected {expected}, found {', '.join(self.variants)}")
        if named not in self.variants:
            expected = f"one of its variants ({', '.join(self.variants)})"
            raise NoControl(f"experiments.{self.id}.control: expected {expected}, found {named!r}")
        return named


class NoTable(UsageError):
    """A table that the warehouse does not have."""


def check_tables(engine: Engine, *tables: str) -> None:
    """Raises `NoTable` for tables that the warehouse lacks."""
    if missing := [table for table in tables if table not in engine.relations()]:
        raise NoTable(
            f"warehouse: expected the tables {', '.join(missing)}, as `upbeat warehouse run` builds, found none"
        )


def published(engine: Engine) -> dict[str, Rows]:
    """The rows of every experiment and holdout that a published catalog has, the newest last. Raises `NoTable`."""
    check_tables(engine, "experiments", "exposures", "metrics")
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in engine.rows(DEFINITIONS):
        found.setdefault(row["experiment_id"], []).append(row)
    return {**found}


def definition_of(engine: Engine, id_: str) -> Definition:
    """One experiment or holdout. Raises `UnknownExperiment` with those that there are."""
    known = published(engine)
    if id_ not in known:
        there = ", ".join(sorted(known)) or "none: no published catalog in the warehouse has any"
        raise UnknownExperiment(f"{id_}: expected an experiment of a published catalog, found {there}")
    return definition(id_, known[id_])


def definition(id_: str, rows: Rows) -> Definition:
    """The experiment or holdout of these rows. Raises `UnknownExperiment` if its document is broken."""
    newest = rows[-1]
    newest_first = sorted(rows, key=lambda row: row["catalog_version"] != newest["catalog_version"])
    terms = None if newest["kind"] == HOLDOUT else _terms(id_, newest["document"])
    written = [variant.id for variant in terms.variants] if terms else []
    return Definition(
        id=id_,
        kind=newest["kind"],
        catalog_version=newest["catalog_version"],
        unit=newest["unit"] or "user",
        variants=tuple(dict.fromkeys([*written, *(row["variant"] for row in newest_first)])),
        goals=_names(newest["goal_metrics"]),
        guardrails=_names(newest["guardrail_metrics"]),
        policy=newest["policy"],
        weights=_weights(rows),
        terms=terms,
    )


def _weights(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["weight"] is not None:
            found.setdefault(row["catalog_version"], {})[row["variant"]] = float(row["weight"])
    return {version: shares for version, shares in found.items() if sum(shares.values()) > 0}


def _names(joined: str | None) -> tuple[str, ...]:
    return tuple(name for name in (joined or "").split(",") if name)


def _terms(id_: str, written: Any) -> ExperimentTerms:
    """The terms in a document, which one engine gives as text and the other parsed."""
    try:
        return ExperimentTerms.model_validate_json(written if isinstance(written, str) else json.dumps(written))
    except ValidationError as error:
        raise UnknownExperiment(
            f"experiments.{id_}.document: expected the terms of an experiment, found {error}"
        ) from None
