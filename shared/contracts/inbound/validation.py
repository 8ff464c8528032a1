"""Validation: turns content into a model, or rejects it in a sentence that repeats no value of the content."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import kind_of
from shared.domain.errors import Rejected

M = TypeVar("M", bound=BaseModel)
MAX_PROBLEMS = 3
"""Maximum number of problems that the detail of a rejection lists."""
BETWEEN_PROBLEMS = "; "
EXPECTED_BY_ERROR_TYPE = {"missing": "a value", "model_type": "an object", "extra_forbidden": "no such field"}
"""The expectation for pydantic's own error types; every other error carries its own (`fields.Expected`)."""


def validate(model: type[M], content: Mapping[str, Any], max_problems: int = MAX_PROBLEMS) -> M:
    """Build the model from content; a field that is null counts as left out.

    Raises `Rejected` with at most `max_problems` problems: `unknown_value` if a closed list lacks a value, else
    `invalid`. `unknown_value` takes precedence, because a later version that knows the value may have other rules
    for the other fields.
    """
    if None in content.values():
        content = {name: value for name, value in content.items() if value is not None}
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _rejection(error, max_problems) from None


def _rejection(error: ValidationError, max_problems: int) -> Rejected:
    problems = sorted(error.errors(include_url=False), key=_is_unknown_value, reverse=True)
    reason = RejectionReason.UNKNOWN_VALUE if _is_unknown_value(problems[0]) else RejectionReason.INVALID
    return Rejected(reason, BETWEEN_PROBLEMS.join(_sentence(problem) for problem in problems[:max_problems]))


def _is_unknown_value(problem: ErrorDetails) -> bool:
    """True if the value has the type of a closed list's values but is not in the list."""
    closed_type = problem.get("ctx", {}).get("closed")
    return closed_type is not None and closed_type == type(problem["input"]).__name__


def _sentence(problem: ErrorDetails) -> str:
    path = ".".join(str(step) for step in problem["loc"])
    expected = EXPECTED_BY_ERROR_TYPE.get(problem["type"], problem["msg"])
    return f"{path}: expected {expected}, found {_found(problem)}"


def _found(problem: ErrorDetails) -> str:
    if problem["type"] == "missing":
        return "none"
    context, value = problem.get("ctx", {}), problem["input"]
    return (
        context.get("found")
        or _out_of_bounds(value, context.get("between"))
        or _forbidden_character(value, context.get("allowed"))
        or kind_of(value)
    )


def _out_of_bounds(value: object, between: tuple[int, int] | None) -> str | None:
    """The bound that a number exceeds; None for a number within, and for anything else."""
    if between is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low, high = between
    if value < low:
        return f"a number below {low}"
    return f"a number above {high}" if value > high else None


def _forbidden_character(value: object, allowed: str | None) -> str | None:
    """The first character of a text that it may not have, by its Unicode name; None if there is none."""
    if allowed is None or not isinstance(value, str):
        return None
    for place, character in enumerate(value, 1):
        if not re.fullmatch(allowed, character):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            return f"a text whose character {place} is {name}"
    return None
