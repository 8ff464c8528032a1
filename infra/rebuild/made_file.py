"""Documents that were made again in a file, one JSON object a line: pipelines on many machines write it."""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from infra.errors import UsageError
from infra.rebuild.work import Made
from shared.adapters.packed_records import document_of
from shared.contracts.inbound.fields import utc
from shared.domain.terms import Terms
from shared.record.codec import Packing, UnreadableRecord, unpack
from shared.record.user_record import tombstone


class MadeLine(NamedTuple):
    """One line."""

    made: Made
    messages: int
    """The messages from which it was made."""
    end: int
    """The bytes of the file up to the end of this line."""


def to_line(made: Made, messages: int) -> bytes:
    """A line, with its end."""
    blob, erased_at = (made.document.blob, made.document.erased_at) if made.document else (None, None)
    columns = {
        "user_id": made.user_id,
        "blob": b64encode(blob).decode() if blob else None,
        "erased_at": erased_at,
        "counts": made.counts,
        "gaps": made.gaps,
        "is_out_of_order": made.is_out_of_order,
        "messages": messages,
    }
    return orjson.dumps(columns, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def read_made(file: Path, terms: Terms) -> Iterator[MadeLine]:
    """The lines of a file. Raises `UsageError` for one that is something else, and `OSError`."""
    end = 0
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            end += len(line)
            try:
                made, messages = _made(line, terms)
            except (ValueError, TypeError, LookupError, AttributeError, UnreadableRecord):
                expected = "a document that `python -m infra.beam rebuild` made"
                raise UsageError(f"{file}: line {number}: expected {expected}, found something else") from None
            yield MadeLine(made, messages, end)


def _made(line: bytes, terms: Terms) -> tuple[Made, int]:
    columns = orjson.loads(line)
    user_id, record = columns["user_id"], None
    if columns["erased_at"] is not None:
        record = tombstone(user_id, utc(columns["erased_at"]))
    elif columns["blob"] is not None:
        record = unpack(b64decode(columns["blob"], validate=True), terms)
    if record and record.user_id != user_id:
        raise ValueError(user_id)
    document = document_of(Packing(record)) if record else None
    gaps, is_out_of_order = tuple(map(str, columns["gaps"])), columns["is_out_of_order"] is True
    counts = Counter({name: int(count) for name, count in columns["counts"].items()})
    return Made(user_id, document, counts, gaps, is_out_of_order), int(columns["messages"])
