"""The rows of an export, and the values that a feature can have."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from infra.errors import InfraError


class FeatureRow(NamedTuple):
    """The features of one user."""

    user_id: str
    as_of: datetime
    """The instant (UTC) of which they tell."""
    values: Mapping[str, Any]
    """Numbers, texts and booleans by name; None for what is unknown."""


class Exported(NamedTuple):
    """A row that an earlier export wrote."""

    user_id: str
    as_of: datetime


def as_json(name: str, value: Any) -> Any:
    """The value of a feature as JSON has it. Raises `InfraError` for a value that no feature can have."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return float(value)
        case _:
            found = type(value).__name__
            raise InfraError(f"user_features.{name}: expected numbers, text or booleans, found {found}")
