"""Reads several members of one JSON value in one pass: DuckDB parses the value again for every JSON_VALUE."""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

FEWEST = 2
"""Members for which one pass is faster."""


def read_once(tree: exp.Expression) -> None:
    """Change each JSON_VALUE of a column to an element of one list with all members that its SELECT reads of it.

    The list is the same expression each time, of which DuckDB computes equal ones once.
    """
    found: dict[tuple[int, str, str], list[Any]] = {}
    for node in tree.find_all(exp.JSONExtractScalar):
        for place in _place(node):
            found.setdefault(place, []).append(node)
    for nodes in found.values():
        paths = list(dict.fromkeys(node.expression.sql("duckdb") for node in nodes))
        if len(paths) >= FEWEST:
            for node in nodes:
                node.replace(_member(node, paths))


def _place(node: Any) -> Iterator[tuple[int, str, str]]:
    """The SELECT in which a column's member is read, its clause, and the column; nothing if it is no column's."""
    select = node.find_ancestor(exp.Select)
    if select is None or not isinstance(node.this, exp.Column) or not isinstance(node.expression, exp.JSONPath):
        return
    part = node
    while part.parent is not select:
        part = part.parent
    yield id(select), str(part.arg_key), node.this.sql("duckdb")


def _member(node: Any, paths: list[str]) -> exp.Expression:
    listed = exp.Anonymous(this="json_value", expressions=[node.this.copy(), exp.array(*paths, dialect="duckdb")])
    number = exp.Literal.number(paths.index(node.expression.sql("duckdb")) + 1)
    one = exp.Anonymous(this="list_extract", expressions=[listed, number])
    return exp.Anonymous(this="json_extract_string", expressions=[one, exp.Literal.string("$")])
