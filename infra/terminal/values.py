"""JSON values as one line of text."""

from typing import Any

NO_JSON = (ValueError, RecursionError)
"""The errors that `json` raises for data that is no JSON, or that nests too deep for it."""


def line(value: Any) -> str:
    """A value of a catalog or a message as text. Of a mapping, only the fields that are set."""
    match value:
        case None:
            return "not set"
        case bool():
            return "true" if value else "false"
        case dict():
            return (
                ", ".join(f"{name} {line(field)}" for name, field in value.items() if is_set(field))
                or "nothing set"
            )
        case list() if any(isinstance(item, dict | list) for item in value):
            return "; ".join(map(line, value))
        case list():
            return ", ".join(map(line, value)) or "none"
        case _:
            return str(value)


def percent(share: float) -> str:
    """A share from 0 to 1 in percent, to a hundredth."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def is_set(value: Any) -> bool:
    """False for None and for an empty text, list or mapping. True for anything else, false and 0 included."""
    return value is not None and value not in ("", [], {})
