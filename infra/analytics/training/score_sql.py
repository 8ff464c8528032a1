"""Scores in SQL: an artifact becomes one query, in the portable subset of BigQuery's SQL, for scores in bulk.

It answers as the evaluator does, NULL where that fails. So a fact must have its own type in the table: a number, a
boolean or text. Numbers are written with an exponent, which makes them FLOAT64 in every engine.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from shared.decisioning.scoring.logistic_artifact import (
    CategoricalTerm,
    Contribute,
    Impute,
    Logistic,
    NumericTerm,
)
from shared.decisioning.scoring.score import Score
from shared.decisioning.scoring.trees_artifact import CategoricalSplit, Leaf, NumericSplit, Tree, Trees

LARGEST = "1.7976931348623157e308"
"""The largest finite number: NaN and the infinite are not between it and its negative, in any engine."""
AT_ONCE = 32
"""Terms in one sum. Engines bound the depth of an expression."""

Columns = Callable[[str], str]
"""A function from a feature to the expression that gives it, such as a column's name."""


class _Fact(NamedTuple):
    """A fact as a query uses it: by a short name, as a number or as text."""

    feature: str
    is_number: bool


class _Facts:
    """The facts that a query uses, each with a short name."""

    def __init__(self) -> None:
        self.names: dict[_Fact, str] = {}

    def number(self, feature: str) -> str:
        """The name of a fact as a number."""
        return self._name(_Fact(feature, is_number=True))

    def text(self, feature: str) -> str:
        """The name of a fact as text."""
        return self._name(_Fact(feature, is_number=False))

    def _name(self, fact: _Fact) -> str:
        return self.names.setdefault(fact, f"{'x' if fact.is_number else 'c'}_{len(self.names)}")


def column(feature: str) -> str:
    """The column of a feature in a table of facts: its name, with `_` for each dot."""
    return f"`{feature.replace('.', '_')}`"


def in_context(feature: str) -> str:
    """A feature in the JSON column `context` of decisions, where a name has its dots."""
    return f"JSON_VALUE(context, '$.\"{feature}\"')"


def score_sql(score: Score, source: str, keys: Sequence[str], columns: Columns = column) -> str:
    """The query that gives `keys` and `score` for every row of `source`, a table or a query in parentheses."""
    facts, failures = _Facts(), list[str]()
    match score.artifact:
        case Logistic() as content:
            parts = [*_terms(content, facts, failures)]
            base, is_identity = content.intercept, False
        case Trees() as content:
            parts = [_tree(tree, facts) for tree in content.trees]
            base, is_identity = content.base, content.link == "identity"
    named = [f"`{key}`" for key in keys]
    failures += [
        f"NOT ({name} BETWEEN -{LARGEST} AND {LARGEST})" for fact, name in facts.names.items() if fact.is_number
    ]
    sums = [f"({' + '.join(some)})" for some in _chunks(parts)]
    as_facts = [f"{_cast(fact, columns)} AS {name}" for fact, name in facts.names.items()]
    as_sums = [f"{text} AS s_{number}" for number, text in enumerate(sums)]
    fails = " ".join(f"WHEN {one} THEN TRUE" for one in failures)
    as_sums.append(f"CASE {fails} ELSE FALSE END AS fails" if fails else "FALSE AS fails")
    total = " + ".join([literal(base), *(f"s_{number}" for number in range(len(sums)))])
    score_of_total = f"{_linked(is_identity=is_identity)} AS score"
    return "".join(
        (
            f"WITH facts AS (\n  {_select([*named, *as_facts], source)}\n),\n",
            f"sums AS (\n  {_select([*named, *as_sums], 'facts')}\n),\n",
            f"totals AS (\n  {_select([*named, 'fails', f'{total} AS total'], 'sums')}\n)\n",
            f"{_select([*named, score_of_total], 'totals')}\n",
        )
    )


def literal(value: float) -> str:
    """A number as a literal of type FLOAT64."""
    text = repr(float(value))
    text = text if "e" in text else f"{text}e0"
    return f"({text})" if value < 0 else text


def text_literal(value: str) -> str:
    """Text as a literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    for character, escape in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(character, escape)
    return f"'{escaped}'"


def _linked(*, is_identity: bool) -> str:
    if is_identity:
        return "CASE WHEN NOT fails AND total BETWEEN 0e0 AND 1e0 THEN total END"
    return (
        "CASE WHEN fails THEN NULL"
        " WHEN total >= 0e0 THEN 1e0 / (1e0 + EXP(-total))"  # EXP of a large positive number is an error
        " WHEN total < 0e0 THEN EXP(total) / (1e0 + EXP(total)) END"
    )


def _terms(content: Logistic, facts: _Facts, failures: list[str]) -> Iterator[str]:
    for number in content.numeric:
        yield _numeric(number, facts.number(number.feature), failures)
    for category in content.categorical:
        yield _categorical(category, facts.text(category.feature), failures)


def _numeric(term: NumericTerm, name: str, failures: list[str]) -> str:
    match term.missing:
        case Impute(impute=value):
            return _lines(term, f"COALESCE({name}, {literal(value)})")
        case Contribute(contribute=value):
            return f"CASE WHEN {name} IS NULL THEN {literal(value)} ELSE {_lines(term, name)} END"
        case _:
            failures.append(f"{name} IS NULL")
            return _lines(term, name)


def _lines(term: NumericTerm, name: str) -> str:
    """The line of a number and its bends, within its bounds."""
    bounds = [f"WHEN {name} < {literal(term.min)} THEN {literal(term.min)}"] if term.min is not None else []
    bounds += [f"WHEN {name} > {literal(term.max)} THEN {literal(term.max)}"] if term.max is not None else []
    x = f"(CASE {' '.join(bounds)} ELSE {name} END)" if bounds else name
    parts = [f"{literal(term.coefficient)} * ({x} - {literal(term.center)}) / {literal(term.scale)}"]
    for knot in term.knots:
        at = literal(knot.at)
        parts.append(f"CASE WHEN {x} > {at} THEN {literal(knot.coefficient)} * ({x} - {at}) ELSE 0e0 END")
    return f"({' + '.join(parts)})"


def _categorical(term: CategoricalTerm, name: str, failures: list[str]) -> str:
    cases = [f"WHEN {text_literal(one)} THEN {literal(value)}" for one, value in term.categories.items()]
    if term.missing == "fail":
        failures.append(f"{name} IS NULL")
    if term.other == "fail":
        failures.append(f"{name} NOT IN ({', '.join(map(text_literal, term.categories))})")
    other = "0e0" if term.other == "fail" else literal(term.other)
    known = f"CASE {name} {' '.join(cases)} ELSE {other} END"
    if term.missing == "fail":
        return known
    return f"CASE WHEN {name} IS NULL THEN {literal(term.missing)} ELSE {known} END"


def _tree(tree: Tree, facts: _Facts) -> str:
    """The leaf of a tree. Of each split the smaller side is nested: engines bound the depth of an expression."""
    sizes = [1] * len(tree)
    for index, node in reversed([*enumerate(tree)]):
        if not isinstance(node, Leaf):
            sizes[index] = sizes[node.left] + sizes[node.right]

    def under(index: int) -> str:
        cases = []
        while not isinstance(node := tree[index], Leaf):
            goes_left = sizes[node.left] <= sizes[node.right]
            nested, index = (node.left, node.right) if goes_left else (node.right, node.left)
            cases.append(f"WHEN {_test(node, facts, goes_left=goes_left)} THEN {under(nested)}")
        last = literal(node.leaf)
        return f"CASE {' '.join(cases)} ELSE {last} END" if cases else last

    return under(0)


def _test(node: NumericSplit | CategoricalSplit, facts: _Facts, *, goes_left: bool) -> str:
    """The condition of a user's going to one side of a split."""
    if isinstance(node, NumericSplit):
        name = facts.number(node.feature)
        test = f"{name} {'<=' if goes_left else '>'} {literal(node.threshold)}"
    else:
        name = facts.text(node.feature)
        test = f"{name} {'IN' if goes_left else 'NOT IN'} ({', '.join(map(text_literal, node.categories))})"
    return f"{name} IS NULL OR {test}" if goes_left is (node.missing == "left") else test


def _cast(fact: _Fact, columns: Columns) -> str:
    return f"CAST({columns(fact.feature)} AS {'FLOAT64' if fact.is_number else 'STRING'})"


def _chunks(parts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (parts[start : start + AT_ONCE] for start in range(0, len(parts), AT_ONCE))


def _select(expressions: Iterable[str], source: str) -> str:
    listed = ",\n    ".join(expressions)
    return f"SELECT {listed}\n  FROM {source}"  # noqa: S608 - expressions are made of validated names and literals


def columns_by_name(names: Mapping[str, str]) -> Columns:
    """The columns of a table whose names are not those of its features: a feature without one is missing."""
    return lambda feature: f"`{names[feature]}`" if feature in names else "NULL"
