"""Conversion of an entry's columns to what a catalog has, and back."""

from datetime import UTC, datetime
from typing import Any

from django.db import models
from wagtail.fields import StreamField

from entries import blocks

_STREAMS = {
    blocks.ClausesBlock: (blocks.clauses_as_written, blocks.clauses_as_blocks),
    blocks.VariantsBlock: (blocks.variants_as_written, blocks.variants_as_blocks),
}


def as_written(column: models.Field, value: Any) -> Any:
    """A column's value as a catalog has it; None if the catalog leaves it out, which means its default."""
    if isinstance(column, StreamField):
        written, _ = _STREAMS[type(column.stream_block)]
        return written(value) or None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(column, models.BooleanField):
        return value or None
    return None if value in ("", [], {}) else value


def as_column(column: models.Field, written: Any) -> Any:
    """The value of a column for what a catalog has. Raises `ValueError` if the column cannot hold it."""
    match column:
        case StreamField():
            _, blocks_of = _STREAMS[type(column.stream_block)]
            return column.to_python(blocks_of(written))
        case models.DateTimeField():
            at = datetime.fromisoformat(written)
            if at.tzinfo is None:
                raise ValueError(written)
            return at
        case models.BooleanField() | models.JSONField():
            return written
        case models.IntegerField() if isinstance(written, bool):
            raise ValueError(written)
        case _:
            return column.to_python(written)


def is_same(written: Any, again: Any) -> bool:
    """True if a catalog means the same by two values."""
    if isinstance(written, str) and isinstance(again, str) and written != again:
        try:
            return datetime.fromisoformat(written) == datetime.fromisoformat(again)
        except ValueError:
            return False
    if {type(written), type(again)} <= {int, float}:
        return written == again
    return type(written) is type(again) and written == again
