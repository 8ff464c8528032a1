"""Translates a portable query to DuckDB's SQL, with what sqlglot gets wrong mended.

`bigquery_functions.sql` defines the functions named bq_*.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from infra.analytics.warehouse.json_reads import read_once
from infra.analytics.warehouse.portable import CASTS, UNITS


def to_duckdb(tree: exp.Expression) -> str:
    """The query for DuckDB. It must have passed `lint`."""
    root = exp.Subquery(this=tree.copy())  # so that every node of the query has a parent
    read_once(root)
    for node in reversed(list(root.walk())):
        if mend := MENDS.get(type(node)):
            mended = mend(node)
            if mended is not node:
                node.replace(mended)
    return str(root.this.sql("duckdb", comments=False))


def _call(name: str, *arguments: Any) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[exp.convert(argument) for argument in arguments])


def _literal(node: Any) -> Any:
    """A number with a point is FLOAT64, not DuckDB's DECIMAL."""
    if node.is_string or not any(mark in node.name.lower() for mark in ".e"):
        return node
    return exp.Literal.number(node.name if "e" in node.name.lower() else f"{node.name}e0")


def _cast(node: Any) -> Any:
    name = CASTS.get(node.to.this)
    written = node.this.is_string and name in {"date", "timestamp"}  # a literal such as DATE '2026-03-01'
    if name is None or isinstance(node.this, exp.Null) or (written and not isinstance(node, exp.TryCast)):
        return node
    safe = "safe_" if isinstance(node, exp.TryCast) else ""
    return _call(f"bq_{safe}{name}", node.this)


def _date(node: Any) -> Any:
    if zone := node.args.get("zone"):
        return exp.cast(exp.AtTimeZone(this=node.this, zone=zone), "DATE")
    return _call("bq_date", node.this)


def _difference(node: Any) -> Any:
    return _call("bq_timestamp_diff", node.this, node.expression, UNITS[node.args["unit"].name.upper()])


def _extract(node: Any) -> Any:
    match node.name.upper():
        case "DAYOFWEEK":
            return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))
        case "ISOWEEK":
            return exp.Extract(this=exp.var("WEEK"), expression=node.expression)
        case _:
            return node


def _format(node: Any) -> Any:
    """Formats a TIMESTAMP in its zone, UTC if none is named; a DATE has none."""
    instant = node.this.this
    if isinstance(node.this, exp.TsOrDsToTimestamp):
        instant = exp.AtTimeZone(this=instant, zone=node.args.get("zone") or exp.Literal.string("UTC"))
    return _call("strftime", instant, node.args["format"])


def _as_date(node: Any) -> Any:
    return exp.cast(node.copy(), "DATE")


def _unix(node: Any) -> Any:
    unit = {exp.UnixSeconds: 1_000_000, exp.UnixMillis: 1_000, exp.UnixMicros: 1}[type(node)]
    return _call("bq_unix", node.this, unit)


def _of_unix(node: Any) -> Any:
    scale = int(node.args["scale"].name) if node.args.get("scale") else 0
    return _call("bq_of_unix", node.this, 10 ** (6 - scale))


def _path(node: Any) -> Any:
    return node.expression or exp.Literal.string("$")


def _bracket(node: Any) -> Any:
    """An element of an array by SAFE_OFFSET, else a member of a JSON value."""
    (index,) = node.expressions
    return _call("bq_safe_offset" if node.args.get("safe") else "bq_json_subscript", node.this, index)


def _safe_function(node: Any) -> Any:
    if node.this.name == "bq_json":  # PARSE_JSON, which was mended before
        return _call("bq_safe_json", *node.this.expressions)
    return _call("TRY", node.this)


def _trim(node: Any) -> Any:
    if node.expression or node.args.get("position"):
        return node
    return _call("bq_trim", node.this)


def _substring(node: Any) -> Any:
    return _call("bq_substr", *filter(None, (node.this, node.args["start"], node.args.get("length"))))


def _array_agg(node: Any) -> Any:
    """ARRAY_AGG(x IGNORE NULLS ORDER BY y LIMIT n): DuckDB has no limit there, and sqlglot filters wrongly."""
    inner, limit = node.this.this, None
    if isinstance(inner, exp.Limit):
        inner, limit = inner.this, inner.expression
    value = inner.this if isinstance(inner, exp.Order) else inner
    value = value.expressions[0] if isinstance(value, exp.Distinct) else value
    listed = exp.Filter(
        this=exp.ArrayAgg(this=inner.copy()),
        expression=exp.Where(this=exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))),
    )
    return _call("bq_first", listed, limit) if limit else listed


def _quantiles(node: Any) -> Any:
    number = int(node.expression.name)
    return _call("quantile_disc", node.this, exp.array(*(str(step / number) for step in range(number + 1))))


def _hex(node: Any) -> Any:
    """TO_HEX(SHA256(x)): DuckDB's function gives the digits."""
    return _call("sha256", node.this.this) if isinstance(node.this, exp.SHA2Digest) else node


def _offset(node: Any) -> Any:
    """WITH OFFSET counts from 0, DuckDB's WITH ORDINALITY from 1: every use of the column is one less."""
    offset = node.args.get("offset")
    select = node.find_ancestor(exp.Select)
    if not offset or select is None:
        return node
    for column in list(select.find_all(exp.Column)):
        if column.name == offset.name and not column.table:
            less = exp.paren(exp.Sub(this=column.copy(), expression=exp.Literal.number(1)))
            named = isinstance(column.parent, exp.Select) and column.arg_key == "expressions"
            column.replace(exp.alias_(less, offset.name) if named else less)
    return node


def _to(name: str, *keys: str) -> Callable[[Any], Any]:
    """A call of this function with the node's `this` and these arguments, where it has them."""
    return lambda node: _call(name, node.this, *(node.args[key] for key in keys if node.args.get(key)))


MENDS: dict[type, Callable[[Any], Any]] = {
    exp.Literal: _literal,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Date: _date,
    exp.Timestamp: _to("bq_timestamp"),
    exp.TimestampDiff: _difference,
    exp.Extract: _extract,
    exp.TimeToStr: _format,
    exp.DateAdd: _as_date,
    exp.DateSub: _as_date,
    exp.DateTrunc: _as_date,
    exp.UnixSeconds: _unix,
    exp.UnixMillis: _unix,
    exp.UnixMicros: _unix,
    exp.UnixToTime: _of_unix,
    exp.Div: _to("bq_divide", "expression"),
    exp.SafeDivide: _to("bq_safe_divide", "expression"),
    exp.IntDiv: _to("bq_div", "expression"),
    exp.Mod: _to("bq_mod", "expression"),
    exp.Ln: _to("bq_ln"),
    exp.Sqrt: _to("bq_sqrt"),
    exp.Round: _to("bq_round", "decimals"),
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.JSONType: _to("bq_json_type"),
    exp.JSONExtractArray: lambda node: _call("bq_json_array", node.this, _path(node)),
    exp.JSONValueArray: lambda node: _call("bq_json_value_array", node.this, _path(node)),
    exp.JSONKeysAtDepth: _to("bq_json_keys"),
    exp.ParseJSON: lambda node: _call("bq_json", node.this),
    exp.SafeFunc: _safe_function,
    exp.SafeConvertBytesToString: _to("bq_lossy_string"),
    exp.Bracket: _bracket,
    exp.IgnoreNulls: lambda node: _array_agg(node) if isinstance(node.this, exp.ArrayAgg) else node,
    exp.ApproxQuantiles: _quantiles,
    exp.LowerHex: _hex,
    exp.Unnest: _offset,
}
"""Translations that sqlglot would get wrong, by the kind of node."""
