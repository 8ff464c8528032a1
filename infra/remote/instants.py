"""Instants of Google's clients, which have a type of their own with nanoseconds."""

from datetime import datetime

from shared.domain.instants import from_micros, to_micros


def standard(at: datetime) -> datetime:
    """The instant as a standard datetime in UTC, truncated to microseconds."""
    return from_micros(to_micros(at))
