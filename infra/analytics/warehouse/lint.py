"""Refuses what is not portable, with file and line: see `portable` for what is."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

from infra.analytics.warehouse.dialect import BIGQUERY, line_of, output_columns
from infra.analytics.warehouse.portable import (
    CASTS,
    EXTRACTED,
    FORMATS,
    INSTEAD,
    MENDED,
    NODES,
    ORDERED,
    PARTS,
    SAME,
    WORDS,
)


class Problem(NamedTuple):
    """A mistake on a line."""

    line: int
    sentence: str


def portability(sql: str, tree: exp.Expression) -> list[Problem]:
    """Parts of a query that BigQuery and DuckDB would answer differently, or might."""
    found = [*_functions(sql), *_nodes(tree), *_arguments(tree), *_orders(tree)]
    return sorted(set(found))


def _functions(sql: str) -> Iterator[Problem]:
    tokens = sqlglot.tokenize(sql, read=BIGQUERY)
    for number, token in enumerate(tokens[:-1]):
        name = token.text.upper()
        if tokens[number + 1].token_type is not TokenType.L_PAREN or not name.replace("_", "a").isalnum():
            continue
        if number and tokens[number - 1].token_type is TokenType.DOT:
            name = f"{tokens[number - 2].text.upper()}.{name}"
        if token.token_type not in {TokenType.STRING, TokenType.NUMBER} and name not in SAME | MENDED | WORDS:
            instead = INSTEAD.get(name, "a function of the portable subset (docs/warehouse.md)")
            yield Problem(token.line, f"expected {instead}, found {name}")


def _nodes(tree: exp.Expression) -> Iterator[Problem]:
    for node in tree.walk():
        if not isinstance(node, exp.Func) and type(node) not in NODES:
            kind = type(node).__name__
            yield Problem(line_of(node), f"expected a construct of the portable subset, found {kind}")
        if isinstance(node, exp.With) and node.recursive:
            yield Problem(line_of(node), "expected WITH, found WITH RECURSIVE")
        if isinstance(node, exp.Group) and any(node.args.get(key) for key in ("rollup", "cube", "grouping_sets")):
            yield Problem(line_of(node), "expected plain GROUP BY, found grouping sets")


def _arguments(tree: exp.Expression) -> Iterator[Problem]:
    for node in tree.walk():
        if said := _argument(node):
            yield Problem(line_of(node), said)


def _argument(node: Any) -> str | None:
    """The mistake in the arguments of a function; None if there is none."""
    match node:
        case exp.Cast() if node.to.this not in CASTS and node.to.this is not exp.DataType.Type.ARRAY:
            types = "INT64, FLOAT64, BOOL, STRING, DATE or TIMESTAMP"
            return f"expected a cast to {types}, found {node.to.sql(BIGQUERY)}"
        case exp.Extract() if node.name.upper() not in EXTRACTED:
            return f"expected EXTRACT of {', '.join(sorted(EXTRACTED))}, found {node.name}"
        case exp.TimeToStr():
            return _format(node.args["format"])
        case exp.JSONKeysAtDepth() if node.expression is None or node.expression.name != "1":
            return "expected JSON_KEYS(..., 1), found another depth"
        case exp.Timestamp() if node.args.get("zone"):
            return "expected TIMESTAMP of one value, found a zone"
        case exp.SHA2Digest() if not isinstance(node.parent, exp.LowerHex):
            return "expected TO_HEX(SHA256(...)), found SHA256 without TO_HEX"
        case exp.LowerHex() if not isinstance(node.this, exp.SHA2Digest):
            return "expected TO_HEX(SHA256(...)), found TO_HEX of something else"
        case exp.ApproxQuantiles() if not node.expression.is_int:
            return "expected a number of quantiles, found another expression"
        case _ if type(node) in PARTS:
            return _part(node)
    return None


def _format(node: Any) -> str | None:
    letters = node.name.split("%")[1:] if node.is_string else ["?"]
    unknown = sorted({f"%{letter[:1]}" for letter in letters if letter[:1] not in FORMATS and letter})
    return f"expected a format of %Y %m %d %H %M %S %j, found {' '.join(unknown)}" if unknown else None


def _part(node: Any) -> str | None:
    unit = node.args.get("unit")
    week = isinstance(unit, exp.WeekStart) and unit.name.upper() == "SUNDAY"
    name = "WEEK" if week else unit.name.upper() if isinstance(unit, exp.Var | exp.Literal) else "none"
    if name in PARTS[type(node)]:
        return None
    return f"expected one of {', '.join(sorted(PARTS[type(node)]))}, found {unit.sql(BIGQUERY) if unit else name}"


def _orders(tree: exp.Expression) -> Iterator[Problem]:
    """Answers that depend on an order that the query does not name."""
    for node in tree.find_all(exp.Window, exp.ArrayAgg, exp.GroupConcat, exp.Limit):
        match node:
            case exp.Window() if node.this.sql(BIGQUERY).upper().startswith(ORDERED) and not node.args.get(
                "order"
            ):
                yield Problem(line_of(node), f"expected ORDER BY in the window of {node.this.sql(BIGQUERY)}")
            case exp.ArrayAgg() if not node.find(exp.Order) or not isinstance(node.parent, exp.IgnoreNulls):
                yield Problem(line_of(node), "expected ARRAY_AGG(... IGNORE NULLS ORDER BY ...), found less")
            case exp.GroupConcat() if not node.find(exp.Order):
                yield Problem(line_of(node), "expected STRING_AGG(... ORDER BY ...), found no order")
            case exp.Limit() if isinstance(node.parent, exp.Query) and not node.parent.args.get("order"):
                yield Problem(line_of(node), "expected ORDER BY before LIMIT, found none")


def columns(tree: exp.Query, described: Mapping[str, str]) -> list[Problem]:
    """The gaps of a model's result: names, and a description for each."""
    found = output_columns(tree)
    stars = [column for column in found if column.find(exp.Star) and not column.find(exp.Count)]
    if stars:
        return [Problem(line_of(stars[0]), "expected the columns by name at the end of a model, found *")]
    names = [column.alias_or_name if isinstance(column, exp.Alias | exp.Column) else "" for column in found]
    problems = [
        Problem(line_of(column), f"expected a name for each column, found {column.sql(BIGQUERY)}")
        for column, name in zip(found, names, strict=True)
        if not name
    ]
    for column, name in zip(found, names, strict=True):
        if name and name not in described:
            problems.append(Problem(line_of(column), f"expected a sentence for {name} under columns, found none"))
    missing = [name for name in described if name not in names]
    if missing and not problems:
        problems.append(Problem(1, f"expected the described columns in the result, found no {', '.join(missing)}"))
    return problems
