"""What is wrong with a catalog: one sentence a mistake, with its path, what was expected and what was found."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.decisioning import schema

SHOWN = 100
"""Characters of a found value that are shown."""

_PART_TYPES = (part for part in vars(schema).values() if isinstance(part, type) and issubclass(part, BaseModel))
_KNOWN = sorted({field for part in _PART_TYPES for field in part.model_fields})
_NO_PLACE = re.compile(r"\[[a-z]+\]")
"""In a location: that a key is meant, or which of several shapes was tried."""
_SHOULD = re.compile(r"^\w+ should (?:be |have )?|^Value error, | after validation, not .*$")


def problem(path: str, expected: str, found: object) -> str:
    """One mistake as a sentence."""
    return f"{path}: expected {expected}, found {_shown(found)}"


def guess(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """What somebody who wrote `name` may have meant, as a parenthesis; nothing where that is not clear."""
    close = get_close_matches(name, known, n=1, cutoff=cutoff)
    return f" ({close[0]}?)" if close and close[0] != name else ""


def malformed(error: ValidationError, whole: str = "catalog", known: Iterable[str] = _KNOWN) -> Iterator[str]:
    """Every mistake of shape in a whole (a catalog, a score) whose fields are known."""
    mistakes = (details for details in error.errors(include_url=False) if not _is_echo(details))
    return (_translated(details, whole, known) for details in mistakes)


def path_of(location: Sequence[str | int], whole: str = "catalog") -> str:
    """`campaigns.win_back.cap[0].max`; the whole itself has no path but its name."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location if not _is_tag(part)]
    return "".join(parts).removeprefix(".") or whole


def _is_echo(details: ErrorDetails) -> bool:
    """A list is called too short also where entries were left out of it, whose mistakes are told themselves."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and _NO_PLACE.fullmatch(part) is not None


def _translated(details: ErrorDetails, whole: str, known: Iterable[str]) -> str:
    path = path_of(details["loc"], whole)
    match details["type"]:
        case "missing":
            return f"{path}: expected a value, found nothing"
        case "extra_forbidden":
            return problem(path, f"a known field{guess(str(details['loc'][-1]), known)}", details["input"])
        case "json_invalid":
            return problem(path, f"JSON that can be read ({details['msg']})", details["input"])
        case "timezone_aware" | "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing":
            return problem(path, "a time with its offset (2026-01-31T09:00:00Z)", details["input"])
        case _:
            return problem(path, _SHOULD.sub("", details["msg"]), details["input"])


def _shown(found: object) -> str:
    text = json.dumps(found, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
