"""Parses BigQuery's SQL, and finds the tables and the lines in a parsed query."""

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from infra.analytics.warehouse.header import InvalidModel

BIGQUERY = "bigquery"


def parse(sql: str, file: str) -> exp.Expression:
    """The tree of one query. Raises `InvalidModel` with the line."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=BIGQUERY) if tree is not None]
    except ParseError as error:
        place = error.errors[0]
        raise InvalidModel(
            f"{file}: line {place['line']}: expected a query in BigQuery's SQL, found a mistake at"
            f" {place['highlight']!r}: {place['description']}"
        ) from None
    except TokenError as error:
        raise InvalidModel(f"{file}: line 1: expected BigQuery's SQL, found {error}") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise InvalidModel(f"{file}: line 1: expected one SELECT, found {len(trees)} statements or another kind")
    return trees[0]


def tables_of(tree: exp.Expression) -> frozenset[str]:
    """The names of the tables that a query reads; names that its WITH defines are none."""
    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    return frozenset(table.name for table in tree.find_all(exp.Table)) - defined


def line_of(node: Any) -> int:
    """The line on which a node begins: its own, else the least that is known of a part; else of its parent."""
    lines = [part.meta["line"] for part in node.walk() if "line" in part.meta]
    if lines:
        return int(min(lines))
    return line_of(node.parent) if node.parent else 1


def output_columns(tree: exp.Query) -> list[exp.Expression]:
    """The columns that the last SELECT of a query gives; of a UNION, its first one's."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    return list(tree.selects)
