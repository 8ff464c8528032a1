"""From content to model: what breaks the contract is refused in sentences that repeat nothing of the content."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.contracts.inbound.base import Inbound
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import kind_of
from shared.domain.errors import Rejected

M = TypeVar("M", bound=Inbound)
PROBLEMS_TOLD = 3
WORDS = {"missing": "a value", "model_type": "an object"}
"""What pydantic's own errors expected; every other speaks for itself (`fields.Expected`)."""


def validate(model: type[M], content: Mapping[str, Any]) -> M:
    """Make the model of what was said; null says nothing, as if the field were left out.

    Raises `Rejected`: `unknown_value` where a closed list does not have a value, whatever else is wrong, since
    a later version that knows the value may judge the rest by other rules; else `invalid`.
    """
    if None in content.values():
        content = {name: value for name, value in content.items() if value is not None}
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Rejected:
    problems = sorted(error.errors(include_url=False), key=_is_unknown_value, reverse=True)
    reason = RejectionReason.UNKNOWN_VALUE if _is_unknown_value(problems[0]) else RejectionReason.INVALID
    return Rejected(reason, "; ".join(_sentence(problem) for problem in problems[:PROBLEMS_TOLD]))


def _is_unknown_value(problem: ErrorDetails) -> bool:
    closed = problem.get("ctx", {}).get("closed")
    return closed is not None and closed == type(problem["input"]).__name__


def _sentence(problem: ErrorDetails) -> str:
    path = ".".join(str(step) for step in problem["loc"])
    expected = WORDS.get(problem["type"], problem["msg"])
    return f"{path}: expected {expected}, found {_found(problem)}"


def _found(problem: ErrorDetails) -> str:
    if problem["type"] == "missing":
        return "none"
    return problem.get("ctx", {}).get("found") or kind_of(problem["input"])
