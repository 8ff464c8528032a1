"""Portable queries, checked before an engine sees them."""

from functools import lru_cache
from typing import Any

from sqlglot import exp

from infra.analytics.warehouse.dialect import parse
from infra.analytics.warehouse.header import InvalidModel
from infra.analytics.warehouse.lint import portability


@lru_cache(maxsize=1024)
def checked(sql: str, file: str = "query") -> exp.Expression:
    """The tree of a portable query, to be read only. Raises `InvalidModel` with every problem and its line."""
    tree = parse(sql, file)
    if problems := portability(sql, tree):
        raise InvalidModel("\n".join(f"{file}: line {line}: {said}" for line, said in problems))
    return tree


def used(tree: exp.Expression, parameters: dict[str, Any], file: str = "query") -> dict[str, Any]:
    """The parameters that a query names. Raises `InvalidModel` for one that is missing."""
    names = {parameter.name for parameter in tree.find_all(exp.Parameter)}
    if missing := sorted(names - set(parameters)):
        raise InvalidModel(f"{file}: expected a value for @{', @'.join(missing)}, found none")
    return {name: value for name, value in parameters.items() if name in names}
