"""Refuses a query that would read a large table whole: its partition column must be compared with a constant."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

from infra.analytics.warehouse.dialect import BIGQUERY, line_of
from infra.analytics.warehouse.lint import Problem

COMPARISONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
"""Comparisons from which BigQuery knows the partitions to read."""


def filters(tree: exp.Expression, large: Mapping[str, str]) -> Iterator[Problem]:
    """Mistakes in the filters of large tables; `large` gives the partition column of each."""
    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    for select in tree.find_all(exp.Select):
        conditions = list(_conditions(select))
        for table in _tables(select):
            if table.name in large and table.name not in defined:
                yield from _filter(table, large[table.name], conditions)


def _tables(select: exp.Select) -> Iterator[exp.Table]:
    """The tables that a SELECT names itself."""
    sources = [select.args.get("from_") or select.args.get("from"), *(select.args.get("joins") or [])]
    for source in sources:
        if source is not None and isinstance(source.this, exp.Table):
            yield source.this


def _conditions(select: exp.Select) -> Iterator[exp.Expression]:
    """The conditions that all hold for a row that is read."""
    clauses = [select.args.get("where"), *(join.args.get("on") for join in select.args.get("joins") or [])]
    for clause in clauses:
        if clause is not None:
            condition = clause.this if isinstance(clause, exp.Where) else clause
            yield from (
                (part.unnest() for part in condition.flatten()) if isinstance(condition, exp.And) else [condition]
            )


def _filter(table: exp.Table, column: str, conditions: list[Any]) -> Iterator[Problem]:
    found = False
    for condition in conditions:
        for named in condition.find_all(exp.Column):
            if named.name != column or named.table not in {"", table.alias_or_name}:
                continue
            if function := _around(named, condition):
                said = f"expected {column} by itself in a filter of {table.name}, found {function.sql(BIGQUERY)}"
                yield Problem(line_of(named), said)
            found = found or _is_constant(condition, named)
    if not found:
        said = f"expected a filter of {table.name} that compares its {column} with a constant, found none"
        yield Problem(line_of(table), said)


def _around(column: exp.Column, condition: exp.Expression) -> exp.Expression | None:
    """The function, or the arithmetic, around a column in a comparison; None without any."""
    if column is condition or isinstance(column.parent, (*COMPARISONS, exp.Is, exp.And, exp.Or)):
        return None
    return column.parent


def _is_constant(condition: Any, column: exp.Column) -> bool:
    if not isinstance(condition, COMPARISONS) or column.parent is not condition:
        return False
    others = [part for part in condition.iter_expressions() if part is not column]
    return bool(others) and not any(part.find(exp.Column, exp.Query) for part in others)
