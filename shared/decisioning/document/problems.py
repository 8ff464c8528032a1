"""Problems of a catalog: one sentence per mistake, with its path, the expected value and the value found."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.decisioning.document.mends import meant_word, mended_field
from shared.decisioning.document.schema import CatalogDocument

Location = tuple[str | int, ...]
"""The steps from the top of a document to one of its parts, as pydantic gives them."""
MAX_SHOWN_CHARACTERS = 100
"""The most characters of a found value that a problem shows."""

_TAG = re.compile(r"\[[a-z]+\]")
"""A part of pydantic's location that is no place: `[key]`, or the tag of the union member that was tried."""
_NOISE = re.compile(r"^Value error, | after validation, not .*$")
_QUOTED = re.compile(r"'([^']*)'")
_TIME = "a time with its offset (2026-01-31T09:00:00Z)"
_EXPECTED: Mapping[str, str] = {
    "missing": "a value",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": _TIME,
}
"""The expected value in words, by pydantic's error type.

https://docs.pydantic.dev/latest/errors/validation_errors/
"""


def problem(path: str, expected: str, found: object) -> str:
    """One mistake as a sentence."""
    return f"{path}: expected {expected}, found {_shown(found)}"


def closest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name closest to `name`; None if none is close enough."""
    close = get_close_matches(name, known, n=1, cutoff=cutoff)
    return close[0] if close and close[0] != name else None


def guess(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known name closest to `name`, as ` (known?)`; empty if none is close enough."""
    close = closest(name, known, cutoff)
    return f" ({close}?)" if close else ""


def entry_of(section: str, known: Collection[str], name: str) -> str:
    """The expected value where a section's entry is named, with a suggestion."""
    return f"one of the {section}{guess(name, known) if known else ', of which there are none'}"


def one_of(known: Sequence[str], found: object) -> str:
    """The expected value where one of a few words is needed, with a suggestion."""
    return f"one of {', '.join(known)}{guess(found, known) if isinstance(found, str) else ''}"


def malformed(
    error: ValidationError, whole: str = "catalog", known: Collection[str] | None = None
) -> Iterator[str]:
    """A sentence for every validation error of a document: a catalog, or another document.

    `whole` is the document's name. `known` is every field name of a document other than a catalog (a score, a
    policy).
    """
    mistakes = [details for details in error.errors(include_url=False) if not _is_echo(details)]
    unknown = [details["loc"] for details in mistakes if details["type"] == "extra_forbidden"]
    misspelt = {(*location[:-1], meant_field(location, known)) for location in unknown}  # not missing, then
    told_once = (one for one in mistakes if not (one["type"] == "missing" and tuple(one["loc"]) in misspelt))
    return (_translated(details, whole, known) for details in told_once)


def meant_field(location: Location, known: Collection[str] | None = None) -> str | None:
    """The known field that a misspelt one most likely means; None if none is close enough."""
    return closest(str(location[-1]), _fields_at(location) if known is None else known)


def path_of(location: Location, whole: str = "catalog") -> str:
    """The path of a location, such as `campaigns.win_back.cap[0].max`; `whole` for the document itself."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location if not _is_tag(part)]
    return "".join(parts).removeprefix(".") or whole


def _fields_at(location: Location) -> list[str]:
    """The fields of the part of a catalog that contains a location."""
    part: type[BaseModel] = CatalogDocument
    for step in location[:-1]:
        field = part.model_fields.get(str(step))
        part = (_part_in(field.annotation) if field else None) or part
    return list(part.model_fields)


def _part_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model within an annotation, at any depth; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for part in map(_part_in, get_args(annotation)) if part), None)


def _is_echo(details: ErrorDetails) -> bool:
    """True for a "too short" error of a list that is long enough.

    Pydantic leaves invalid entries out before it counts. Those entries have errors of their own.
    """
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and _TAG.fullmatch(part) is not None


def _translated(details: ErrorDetails, whole: str, known: Collection[str] | None) -> str:
    path, found = path_of(details["loc"], whole), details["input"]
    match details["type"]:
        case "missing":
            return f"{path}: expected a value, found nothing"
        case "json_invalid":
            return f"{path}: expected JSON that can be read, found a mistake ({details['ctx']['error']})"
        case "extra_forbidden":
            return problem(path, _known_field(details["loc"], known), found)
        case "too_short" | "too_long":
            return f"{path}: expected {_expected(details)}, found {len(found)}"
        case _:
            return problem(path, _expected(details), found)


def _known_field(location: Location, known: Collection[str] | None) -> str:
    """The expected value for an unknown field: a known field of the document; for a catalog, of the same part."""
    fields = _fields_at(location) if known is None else known
    suggestion = guess(str(location[-1]), fields)
    listed = f" ({', '.join(fields)})" if known is None else ""
    return f"a known field{suggestion or listed}"


def _expected(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    fields = [step for step in details["loc"] if isinstance(step, str) and not _is_tag(step)]
    if fields[2:] and (mend := mended_field(fields[-1], details["input"])):
        return mend
    if kind == "string_type" and isinstance(details["input"], bool | int | float):
        return "text, in quotes"
    if kind in _EXPECTED:
        return _singular(_EXPECTED[kind].format(**{name: _plain(bound) for name, bound in context.items()}))
    if kind == "literal_error" and (words := _QUOTED.findall(context["expected"])):
        meant = meant_word(words, details["input"])
        return f"one of {', '.join(words)} ({meant}?)" if meant else one_of(words, details["input"])
    expected = context["expected"] if kind == "literal_error" else _NOISE.sub("", details["msg"])
    return expected + _suggestion(expected, details["input"])


def _singular(expected: str) -> str:
    return re.sub(r" 1 (character)s$", r" 1 \1", expected.replace(" 1 entries", " 1 entry"))


def _plain(bound: Any) -> Any:
    """A bound without a needless fraction: 1, not 1.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _suggestion(expected: str, found: object) -> str:
    """The closest of the words in an `expected` text, as a suggestion."""
    listed = expected.removeprefix("one of ")
    return guess(found, listed.split(", ")) if listed != expected and isinstance(found, str) else ""


def _shown(found: object) -> str:
    text = json.dumps(found, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
