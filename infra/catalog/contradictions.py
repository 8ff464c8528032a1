"""Contradictions: clauses of which no user can meet all, as far as one field alone shows it.

Every value that a field can have is tried on the clauses about it, by the same CEL that decides. Of a field with
endless values (numbers, text) the values around those in the clauses are tried, and only comparisons are judged.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from cel_expr_python import cel

from shared.decisioning.audiences.attributes import in_maps
from shared.decisioning.audiences.clauses import ENVIRONMENT, InvalidClause, compiled
from shared.decisioning.audiences.facts import ATTRIBUTE, ATTRIBUTES, FEATURE, FEATURES, SPECIMEN, VARIABLES
from shared.decisioning.audiences.offers import LAST
from shared.decisioning.document.clause_text import (
    LITERAL,
    attributes_in,
    features_in,
    offers_in,
    scores_in,
    with_quoted_names,
)
from shared.domain.events import Ownership, ReasonCode
from shared.domain.signals import KEPT_PER_KIND
from shared.domain.subscription import ENTITLED, LIVE, RECENT_PAYMENTS, Said, Status

Values = Mapping[str, object]
"""Facts by their full names: one way in which a field can be."""
Limits = Mapping[str, int]
"""The highest values of some fields."""
NO_LIMITS: Limits = {}
STATUS = "subscription.status"
_ACCESS = {STATUS, "subscription.entitled", "subscription.live"}
"""The fields that the status determines. They are tried together."""
_NO_FIELDS = {"now", "scores", FEATURES, "offers", "subscriptions"}
"""Variables of which no value can be tried: the clock, and collections."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*\w+)*")
_WORDS = {"true", "false", "null", "in"}
_COMPARISONS = re.compile(r"[\s()\[\]!=<>&|,]*")
_IN_ATTRIBUTE = re.compile(r"\bin\s+profile\s*\.\s*attributes\b")
_ENOUGH = 200
"""The most values that are tried on a field with endless ones. A clause with more literals is not judged."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a clause that is about one field, and that must be true if the clause is."""

    clause: str
    """The clause's name."""
    index: int
    """The clause's position in its audience."""
    text: str
    field: str

    def holds(self, values: Values) -> bool:
        """True if a user with these values meets it."""
        try:
            result = _program(self.text).eval(ENVIRONMENT.Activation(in_maps({**SPECIMEN, **values})))
        except RuntimeError:  # the limit of iterations
            return True
        return result.type() == cel.Type.BOOL and result.value() is True


def conditions(index: int, name: str, clause: str) -> list[Condition]:
    """The conditions of a clause, each about one field; other parts of the clause are left out."""
    found = []
    for part in _conjuncts(with_quoted_names(clause)):
        field = _field_of(part)
        if field and _is_readable(part, field):
            found.append(Condition(name, index, part, field))
    return found


def contradiction(found: Sequence[Condition], most: Limits = NO_LIMITS) -> list[Condition]:
    """The first conditions about one field that cannot hold together, in their order; none if all can."""
    by_field: dict[str, list[Condition]] = {}
    for condition in found:
        about = by_field.setdefault(condition.field, [])
        about.append(condition)
        possible = _values(condition.field, about, most.get(condition.field))
        if not any(all(each.holds(values) for each in about) for values in possible):
            return about
    return []


def statuses(found: Iterable[Condition]) -> set[Status]:
    """The statuses in which the conditions can all hold."""
    about = [condition for condition in found if condition.field == STATUS]
    return {status for status in Status if all(condition.holds(_of_status(status)) for condition in about)}


def known_values(field: str, most: Limits = NO_LIMITS) -> str | None:
    """The values that a field can have, in words; None if they are endless."""
    if field.startswith("offers."):
        return f"0 to {most[field]}" if field in most else "0 or more"
    if field.startswith("scores."):
        return "0 to 1"
    values = _closed(field)
    if not values:
        return None
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return f"{values[0]} to {values[-1]}"
    return "one of " + ", ".join("null" if value is None else str(value).lower() for value in values)


def _conjuncts(text: str) -> Iterator[str]:
    """The parts of a clause that must all be true: split at `&&`, unless within an `||` or a condition."""
    text = _without_parentheses(text.strip())
    code = LITERAL.sub(lambda literal: "'" * len(literal[0]), text)
    levels = _levels(code)
    top = "".join(sign if level == 0 else " " for sign, level in zip(code, levels, strict=True))
    if "||" in top or "?" in top or "//" in code or "&&" not in top:
        yield text
        return
    start = 0
    for split in re.finditer("&&", top):
        yield from _conjuncts(text[start : split.start()])
        start = split.end()
    yield from _conjuncts(text[start:])


def _without_parentheses(text: str) -> str:
    """The text without parentheses around the whole of it."""
    levels = _levels(LITERAL.sub(lambda literal: "'" * len(literal[0]), text))
    if text.startswith("(") and text.endswith(")") and all(level > 0 for level in levels[:-1]):
        return _without_parentheses(text[1:-1].strip())
    return text


def _levels(code: str) -> list[int]:
    """The depth of nesting of each character; that of a bracket is the depth within it."""
    level, levels = 0, []
    for sign in code:
        level += sign in "([{"
        levels.append(level)
        level -= sign in ")]}"
    return levels


def _field_of(text: str) -> str | None:
    """The one field that a condition is about; None if it is about several, or about other things."""
    fields = _fields(text)
    if scores := {*scores_in(text)}:
        fields = {f"scores.{score}" for score in scores} | (fields - {"scores"})
    if offers := {*offers_in(text)}:
        fields = {".".join(("offers", *fact)) for fact in offers} | (fields - {"offers"})
    if attributes := {*attributes_in(text)}:
        fields = {f"{ATTRIBUTE}{name}" for name in attributes} | (fields - {ATTRIBUTES})
    if features := {*features_in(text)}:
        fields = {f"{FEATURE}{name}" for name in features} | (fields - {FEATURES})
    fields = {STATUS if field in _ACCESS else field for field in fields}
    return fields.pop() if len(fields) == 1 else None


def _fields(text: str) -> set[str]:
    """The variables in a text."""
    names = (re.sub(r"\s", "", name) for name in _NAME.findall(LITERAL.sub("''", text)))
    return {variable for name in names if (variable := _variable(name))}


def _variable(name: str) -> str | None:
    """The variable that a dotted name begins with; None if it is a word, a function or a loop's variable."""
    steps = name.split(".")
    prefixes = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((prefix for prefix in prefixes if prefix in VARIABLES), None)


def _is_readable(text: str, field: str) -> bool:
    """True if trying the values of its field shows whether a condition can hold, and CEL can read it alone."""
    if field in _NO_FIELDS or _IN_ATTRIBUTE.search(text):  # no list is tried
        return False
    try:
        _program(text)
    except InvalidClause:
        return False
    return bool(_closed(field)) or _only_compares(text)


def _only_compares(text: str) -> bool:
    """True for a text of nothing but a field, comparisons and literals."""
    code = re.sub(r"""\[\s*(?:"[^"]*"|'[^']*')\s*\]""", ".key", text, count=2)
    code = _NUMBER.sub("", LITERAL.sub("", code))
    names = {re.sub(r"\s", "", name) for name in _NAME.findall(code)} - _WORDS
    left = re.sub(r"[\w.-]", "", code) if len(names) == 1 else "?"
    return _COMPARISONS.fullmatch(left) is not None


def _values(field: str, about: Sequence[Condition], most: int | None = None) -> Iterator[Values]:
    """The ways in which a field can be, as far as the conditions about it can tell them apart."""
    if field == STATUS:
        yield from map(_of_status, Status)
        return
    for value in _closed(field) or _around(field, " ".join(condition.text for condition in about)):
        if field.startswith("scores."):
            yield {"scores": {field.removeprefix("scores."): value}}
        elif field.startswith("offers."):
            _, rest = field.split(".", 1)
            campaign, name = rest.rsplit(".", 1)
            if _is_count(value, name) and (most is None or not isinstance(value, int) or value <= most):
                yield {"offers": {campaign: {name: value}}}
        else:
            yield {field: value}


def _is_count(value: object, name: str) -> bool:
    """True for a value that a fact about offers can have: days may be null."""
    return (value is None and name in LAST) or (isinstance(value, int) and value >= 0)


def _of_status(status: Status) -> Values:
    entitled, live = status in ENTITLED, status in LIVE
    return {STATUS: status.value, "subscription.entitled": entitled, "subscription.live": live}


@lru_cache(maxsize=256)
def _program(text: str) -> Any:
    """The program of a condition. Raises `InvalidClause`."""
    return compiled(text)


@cache
def _closed(field: str) -> tuple[object, ...]:
    """Every value of a field; none if they are endless."""
    if field.startswith("signals.") and field.endswith(".count"):
        return tuple(range(KEPT_PER_KIND + 1))
    if VARIABLES.get(field, cel.Type.DYN) == cel.Type.BOOL:
        return (True, False)
    closed: Mapping[str, Iterable[object]] = {
        STATUS: map(str, Status),
        "subscription.recent_payments": range(RECENT_PAYMENTS + 1),
        "subscription.auto_renew_off_by": (*map(str, Said), None),
        "subscription.reason_code": (*map(str, ReasonCode), None),
        "subscription.ownership": (*map(str, Ownership), None),
        "subscription.price_consent": ("pending", "accepted", "declined", None),
        "event.reason_code": (*map(str, ReasonCode), None),
        "profile.student": (True, False, None),
    }
    return tuple(closed.get(field, ()))


def _around(field: str, text: str) -> list[object]:
    """Values at, around and between the literals in a text; of a score only those from 0 to 1."""
    numbers = {float(number) for number in _NUMBER.findall(LITERAL.sub("", text))}
    words = {literal[1:-1] for literal in LITERAL.findall(text)}
    if len(numbers) + len(words) > _ENOUGH:
        return [None]
    if field.startswith("scores."):
        return [*_between({0.0, 1.0} | {number for number in numbers if 0 <= number <= 1})]
    whole = {math.floor(number) + step for number in numbers for step in (-1, 0, 1, 2)} | {0}
    flags = [True, False] if field.startswith((ATTRIBUTE, FEATURE)) else []
    texts = sorted(words | {f"{word}~" for word in words} | {""})
    return [None, *flags, *sorted(whole), *_between(numbers), *texts]


def _between(numbers: set[float]) -> Iterator[float]:
    """The numbers, and one number between each two of them."""
    bounds = sorted(numbers)
    yield from bounds
    yield from ((low + high) / 2 for low, high in pairwise(bounds))
