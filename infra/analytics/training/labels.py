"""The label of a table: two values, of which one counts as true."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from infra.analytics.training.columns import MISSING_WORDS
from infra.errors import UsageError

POSITIVE = frozenset({"1", "true", "yes", "y", "t", "positive", "churn", "churned", "left", "lost", "converted"})
"""Words for a label that is true."""
NEGATIVE = frozenset({"0", "-1", "false", "no", "n", "f", "negative", "stayed", "retained", "active"})
"""Words for a label that is false."""
FEWEST = 5
"""The fewest rows of either value from which a model is trained."""
MAX_SHOWN = 8


class Labels(NamedTuple):
    """The label of every row."""

    column: str
    """The column's name in the table."""
    positive: str
    """The value that counts as true."""
    values: list[bool | None]
    """None where the label is missing."""
    notes: list[str]


def find_column(wanted: str, names: Iterable[str], option: str) -> str:
    """The column of a name; capitals, spaces and punctuation need not agree. Raises `UsageError`."""
    known = list(names)
    for form in (str, str.casefold, _letters):
        found = [name for name in known if form(name) == form(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{option}: expected the name of one column, found {wanted!r}, which fits {found}")
    shown = ", ".join(sorted(known)[:40]) or "none"
    raise UsageError(f"{option}: expected one of the columns {shown}, found {wanted!r}")


def read_labels(column: str, facts: Sequence[object], positive: str | None) -> Labels:
    """The labels in a column. Raises `UsageError` unless it has two values, with enough rows of each."""
    texts = [_text(fact) for fact in facts]
    counts = Counter(text for text in texts if text is not None)
    chosen, notes = _positive(column, counts, positive)
    values = [None if text is None else text == chosen for text in texts]
    if missing := len(facts) - counts.total():
        notes.append(f"{missing} rows have no label, and were left out")
    for value, word in ((True, "positive"), (False, "negative")):
        if (found := values.count(value)) < FEWEST:
            raise UsageError(f"--label: expected at least {FEWEST} {word} rows, found {found}")
    return Labels(column, chosen, values, notes)


def _positive(column: str, counts: Mapping[str, int], wanted: str | None) -> tuple[str, list[str]]:
    """The value that counts as true, and how it was chosen."""
    shown = ", ".join(f"{value!r} ({count} rows)" for value, count in sorted(counts.items())[:MAX_SHOWN])
    if len(counts) < 2:
        raise UsageError(f"--label: expected two values in {column}, found {shown or 'none'}")
    if wanted is not None:
        if _word(wanted) not in counts:
            raise UsageError(f"--positive: expected a value of {column} ({shown}), found {wanted!r}")
        rest = [] if len(counts) == 2 else [f"every value of {column} but {wanted!r} counts as false"]
        return _word(wanted), rest
    if len(counts) > 2:
        more = "" if len(counts) <= MAX_SHOWN else f" and {len(counts) - MAX_SHOWN} more"
        expected = f"two values in {column}, or --positive with the one that counts as true"
        raise UsageError(f"--label: expected {expected}, found {len(counts)}: {shown}{more}")
    first, second = sorted(counts, key=lambda value: (counts[value], value))
    for one, other in ((first, second), (second, first)):
        if one in POSITIVE or (other in NEGATIVE and one not in NEGATIVE):
            return one, []
    chosen = max(counts, key=float) if all(map(_is_number, counts)) else first
    return chosen, [f"{chosen!r} of {column} counts as true: --positive chooses otherwise"]


def _text(fact: object) -> str | None:
    if fact is None:
        return None
    if isinstance(fact, float) and fact.is_integer():
        return str(int(fact))
    word = _word(str(fact))
    return None if word in MISSING_WORDS else word or None


def _word(text: str) -> str:
    word = text.strip().casefold()
    return str(int(float(word))) if _is_number(word) and float(word).is_integer() else word


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e15
    except ValueError:
        return False


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
