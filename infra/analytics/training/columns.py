"""Columns of a table as a model learns from them: numbers or categories, by the evaluator's own conversion."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np

from shared.decisioning.scoring.facts import Unusable, category, number

MISSING_WORDS = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "."})
"""Texts that stand for a missing number, in a column in which everything else is a number."""
MAX_NUMBER = 1e12
"""The largest number that an artifact can hold."""
DATES = 0.95
"""The least share of a text column's values that are dates, for a column of dates."""


class Column(NamedTuple):
    """One feature: a value for every row."""

    name: str
    is_number: bool
    values: Any
    """Numbers: an array of floats, NaN where missing. Categories: an array of text, None where missing."""

    @property
    def missing(self) -> Any:
        """An array with True where the value is missing."""
        return np.isnan(self.values) if self.is_number else np.equal(self.values, None)

    def codes(self) -> Any:
        """A whole number for each row, equal for equal values, in the order in which they first occur."""
        known: dict[object, int] = {}
        keys = np.where(np.isnan(self.values), np.inf, self.values) if self.is_number else self.values
        return np.fromiter((known.setdefault(value, len(known)) for value in keys.tolist()), int, len(keys))


class Unfit(ValueError):
    """A column from which nothing can be learned; the text says why, and what could be done."""


class Note(NamedTuple):
    """Something noticed about a column."""

    column: str
    text: str


def column_of(name: str, facts: Sequence[object]) -> tuple[Column, Note | None]:
    """A column of facts, and what was noticed in reading it. Raises `Unfit`."""
    kinds = {_kind(fact) for fact in facts} - {"missing"}
    if not kinds:
        raise Unfit("has no value in any row")
    if "other" in kinds:
        raise Unfit("holds lists or other values that are neither numbers nor text")
    if kinds == {"bool"}:
        return _categories(name, facts), None
    if kinds <= {"bool", "number"}:
        return _numbers(name, facts), None
    words = {fact for fact in facts if isinstance(fact, str)}
    if "number" in kinds and all(word.strip().lower() in MISSING_WORDS for word in words):
        known = [None if isinstance(fact, str) else fact for fact in facts]
        count = sum(isinstance(fact, str) for fact in facts)
        shown = ", ".join(sorted(map(repr, words)))
        text = f"{count} of its values are {shown}, taken for missing; a score wants them empty"
        return _numbers(name, known), Note(name, text)
    return _texts(name, facts), None


def is_date(text: object) -> bool:
    """True for text that begins as an ISO 8601 date does, or is one of the usual dates with slashes or dots."""
    if not isinstance(text, str) or not 8 <= len(text) <= 40:
        return False
    try:
        datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
    except ValueError:
        return any(_parses(text.strip()[:10], form) for form in ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d"))
    return not text.strip().isdigit() or _parses(text.strip(), "%Y%m%d")


def instant_of(fact: object) -> float | None:
    """A date or an instant as seconds since 1970 (UTC where it names no zone); a number as it is; else None."""
    if isinstance(fact, int | float) and not isinstance(fact, bool):
        return float(fact)
    if not isinstance(fact, str):
        return None
    try:
        at = datetime.fromisoformat(fact.strip().replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _parses(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).date() > date(1900, 1, 1)  # noqa: DTZ007 - only whether it parses
    except ValueError:
        return False


def _kind(fact: object) -> str:
    match fact:
        case None:
            return "missing"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "other"


def _numbers(name: str, facts: Sequence[object]) -> Column:
    try:
        values = np.array([np.nan if fact is None else number(name, fact) for fact in facts])
    except Unusable as error:
        raise Unfit(f"holds a number that no score can use ({error})") from None
    if np.nanmax(np.abs(values)) > MAX_NUMBER:
        raise Unfit("holds numbers beyond 10^12, which an artifact cannot hold; give them in a larger unit")
    return Column(name, is_number=True, values=values)


def _texts(name: str, facts: Sequence[object]) -> Column:
    known = [fact for fact in facts if fact is not None]
    if sum(map(is_date, known)) >= DATES * len(known):
        raise Unfit(
            "holds dates, which are no property of a user; give the days since as a number, or name it with --time"
        )
    return _categories(name, facts)


def _categories(name: str, facts: Sequence[object]) -> Column:
    try:
        texts = [None if fact is None else category(name, fact) for fact in facts]
    except Unusable:
        raise Unfit("holds text and fractions, so that it is neither a number nor a category") from None
    if any(text is not None and len(text) > 128 for text in texts):
        raise Unfit("holds texts of more than 128 characters, which are no categories")
    return Column(name, is_number=False, values=np.array(texts, dtype=object))
