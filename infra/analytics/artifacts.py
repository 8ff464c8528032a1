"""Score artifacts on this machine: found by NAME@VERSION among the shipped ones, or by their path."""

import re
from pathlib import Path

from infra.catalog.load import SHIPPED_SCORES
from infra.errors import UsageError
from shared.decisioning.scoring.load import InvalidScore, load_score
from shared.decisioning.scoring.score import Score

_is_name_at_version = re.compile(r"([\w-]+)@(\d{1,7})", re.ASCII).fullmatch


def shipped_artifact(name: str, version: int) -> bytes | None:
    """The bytes of the shipped artifact with this name and version; None if it does not exist."""
    path = SHIPPED_SCORES / f"{name}.{version}.json"
    return path.read_bytes() if path in SHIPPED_SCORES.iterdir() else None


def find_score(model: str, option: str = "--model") -> Score:
    """Load a score by NAME@VERSION from the shipped artifacts, else from a path.

    Raises `UsageError` if the artifact does not exist or is invalid; it names the option that asked for it.
    """
    try:
        return load_score(_artifact(model, option))
    except InvalidScore as error:
        raise UsageError(f"{model}: {error}") from error


def _artifact(model: str, option: str) -> bytes:
    if match := _is_name_at_version(model):
        data = shipped_artifact(match[1], int(match[2]))
        known = ", ".join(sorted(path.stem.replace(".", "@") for path in SHIPPED_SCORES.iterdir()))
        if data is None:
            raise UsageError(f"unknown score {model!r}; known are: {known}")
        return data
    try:
        return Path(model).read_bytes()
    except OSError as error:
        expected = "NAME@VERSION or the path of an artifact"
        raise UsageError(f"{option}: expected {expected}, found {model!r} ({error.strerror})") from error
