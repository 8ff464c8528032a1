"""The models and assertions in the folders of SQL files, and the order in which models are built."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlglot import exp

from infra.analytics.warehouse.dialect import line_of, parse, tables_of
from infra.analytics.warehouse.header import Header, InvalidModel, Materialized, read_header
from infra.analytics.warehouse.lint import Problem, columns, portability
from infra.analytics.warehouse.partitions import filters

SQL = Path(__file__).resolve().parent.parent / "sql"
"""The shipped models and assertions."""
RAW_PREFIX = "raw_"
"""Begins the names of landed tables, which no model builds."""
SINCE = "since"
"""The parameter of an incremental model: the first day whose rows it must give."""


@dataclass(frozen=True)
class Model:
    """One model: a query with a header."""

    name: str
    file: str
    header: Header
    sql: str
    """The whole text, in BigQuery's SQL; the header is a comment of it."""

    @cached_property
    def tree(self) -> exp.Expression:
        """The parsed query. Raises `InvalidModel`."""
        return parse(self.sql, self.file)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The tables and models that the query reads."""
        return tables_of(self.tree)

    @property
    def is_view(self) -> bool:
        """True for a model that stores no rows."""
        return self.header.materialized is Materialized.VIEW

    @property
    def is_incremental(self) -> bool:
        """True for a model of which a run replaces the partitions that changed."""
        return self.header.materialized is Materialized.INCREMENTAL

    @cached_property
    def key(self) -> str:
        """A digest of all that decides its rows and how they are stored; words for readers change nothing."""
        stored = self.header.model_dump(mode="json", exclude={"description", "tests", "columns"})
        return sha256(f"{self.tree.sql('bigquery', comments=False)}\n{stored}".encode()).hexdigest()[:16]


def read_models(folder: Path = SQL) -> dict[str, Model]:
    """The models of a folder and those in it, by name, in an order in which they can be built.

    Raises `InvalidModel` for a mistake in a file, a table that is neither landed nor a model, and a cycle.
    """
    found: dict[str, Model] = {}
    for file in sorted(folder.rglob("*.sql")):
        if "assertions" in file.relative_to(folder).parts:
            continue
        if file.stem in found:
            raise InvalidModel(f"{file}: expected each model once, found it also in {found[file.stem].file}")
        text = file.read_text(encoding="utf-8")
        found[file.stem] = Model(file.stem, str(file), read_header(text, str(file)), text)
    problems = [
        f"{model.file}: line {line}: {said}" for model in found.values() for line, said in lint(model, found)
    ]
    if problems:
        raise InvalidModel("\n".join(problems))
    return {name: found[name] for name in in_order({name: model.inputs for name, model in found.items()})}


def lint(model: Model, models: Mapping[str, Model]) -> list[Problem]:
    """Everything that is wrong with a model, by line."""
    tree = model.tree
    return sorted(
        {*_names(model, models), *portability(model.sql, tree), *columns(tree, model.header.columns)}
        | set(filters(tree, _large(model, models)))
        | set(_parameters(model))
    )


def _names(model: Model, models: Mapping[str, Model]) -> Iterator[Problem]:
    for table in model.tree.find_all(exp.Table):
        name = table.name
        if name in model.inputs and name not in models and not name.startswith(RAW_PREFIX):
            yield Problem(line_of(table), f"expected a model or a landed table, found {name}")
    for cte in model.tree.find_all(exp.CTE):
        if cte.alias in models:
            yield Problem(line_of(cte), f"expected WITH to define a name that no model has, found {cte.alias}")


def _parameters(model: Model) -> Iterator[Problem]:
    names = {parameter.name for parameter in model.tree.find_all(exp.Parameter)}
    if unknown := sorted(names - {SINCE}):
        yield Problem(1, f"expected no parameter but @{SINCE}, found @{', @'.join(unknown)}")
    if model.is_incremental != (SINCE in names):
        yield Problem(1, f"expected @{SINCE}, the first day to compute, in incremental models and in no others")


def _large(model: Model, models: Mapping[str, Model]) -> dict[str, str]:
    """The partition columns of the large tables that a model must filter: none if its readers do it for it."""
    if model.is_view and model.header.require_partition_filter:
        return {}
    return {name: "publish_time" for name in model.inputs if name.startswith(RAW_PREFIX)} | large_tables(models)


def large_tables(models: Mapping[str, Model]) -> dict[str, str]:
    """The models whose readers must filter, each with its partition column."""
    headers = {name: model.header for name, model in models.items()}
    return {
        name: header.partition
        for name, header in headers.items()
        if header.require_partition_filter and header.partition
    }


def in_order(inputs: Mapping[str, Iterable[str]]) -> list[str]:
    """The names, each after those that it reads; equals by name. Raises `InvalidModel` for a cycle."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(inputs):
        sorter.add(name, *(other for other in sorted(inputs[name]) if other in inputs))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise InvalidModel(f"expected models without a cycle, found {' -> '.join(error.args[1])}") from None


def stored_inputs(name: str, models: Mapping[str, Model]) -> frozenset[str]:
    """The tables that a model reads, through views too: landed ones, and models that store rows."""
    found: set[str] = set()
    for input_ in models[name].inputs:
        view = input_ in models and models[input_].is_view
        found |= stored_inputs(input_, models) if view else {input_}
    return frozenset(found)


def full_key(name: str, models: Mapping[str, Model]) -> str:
    """The digest of a model and of the views that it reads."""
    views = sorted(other for other in models[name].inputs if other in models and models[other].is_view)
    return sha256("".join([models[name].key, *(full_key(view, models) for view in views)]).encode()).hexdigest()[
        :16
    ]


def chosen(models: Mapping[str, Model], select: Iterable[str]) -> dict[str, Model]:
    """The models with these names, all for none; `+NAME` stands for NAME and all that it reads.

    Raises `InvalidModel` for an unknown name.
    """
    wanted: set[str] = set()
    for word in select:
        name = word.removeprefix("+")
        if name not in models:
            raise InvalidModel(f"--select: expected a model, found {name!r}; known are: {', '.join(models)}")
        wanted |= _with_inputs(name, models) if word.startswith("+") else {name}
    return {name: model for name, model in models.items() if name in wanted or not wanted}


def _with_inputs(name: str, models: Mapping[str, Any]) -> set[str]:
    return {name}.union(*(_with_inputs(other, models) for other in models[name].inputs if other in models))
