"""JSON in one line, as a person reads it."""

from typing import Any


def line(value: Any) -> str:
    """A value of a catalog or a message; of a mapping, what is set."""
    match value:
        case None:
            return "not set"
        case bool():
            return "true" if value else "false"
        case dict():
            return ", ".join(f"{name} {line(it)}" for name, it in value.items() if is_set(it)) or "nothing set"
        case list() if any(isinstance(it, dict | list) for it in value):
            return "; ".join(map(line, value))
        case list():
            return ", ".join(map(line, value)) or "none"
        case _:
            return str(value)


def is_set(value: Any) -> bool:
    """Whether it says anything: false and 0 do, nothing and what is empty do not."""
    return value is not None and value not in ("", [], {})
