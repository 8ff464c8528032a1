"""Codec: packs a user's record into one compressed blob, and unpacks it.

The blob holds lists, never maps keyed by input: 64 ring entries take 1.3 KB this way, and 16 KB as Firestore maps.
"""

from functools import cached_property
from typing import Any, cast

import orjson
from isal import isal_zlib

from shared.domain.terms import Terms
from shared.record.rows import reader_of, to_json
from shared.record.user_record import UserRecord

MAX_INFLATED = 16 * 1024 * 1024
"""The largest record as JSON text, in bytes; far more than one full of pending messages has."""
# ISA-L's output has zlib's format, so any zlib can read it. It is as small as zlib's own at level 1, and takes a
# third of the time: 78 µs against 260 µs for 63 KB of JSON. https://python-isal.readthedocs.io
COMPRESSION_LEVEL = 1
MAX_OVERHEAD = 64
"""The bytes by which a blob may be longer than its text of at most 64 KB, if that cannot be compressed.

Deflate then stores it: 6 bytes of zlib's frame, and 5 for each block. https://www.rfc-editor.org/rfc/rfc1951
"""
FORMAT = 3
"""The number before the record. Format 1 has none: its first element is the user's id."""
FORMER = 2
"""The number before a record of the former format."""
DEFAULT_TERMS = Terms()
_read = reader_of(UserRecord) or UserRecord


class UnreadableRecord(ValueError):
    """A blob that this version cannot read, because it is damaged or a newer version wrote it."""


class Packing:
    """A record on its way into a store. Its blob is compressed only if somebody asks for it."""

    def __init__(self, record: UserRecord) -> None:
        self.record = record
        self.text = _json_of(record)

    @cached_property
    def blob(self) -> bytes:
        """The record's JSON, compressed."""
        return isal_zlib.compress(self.text, COMPRESSION_LEVEL)

    def is_within(self, limit: int) -> bool:
        """True if the blob has at most `limit` bytes. That of a short text is not needed to tell."""
        return len(self.text) + MAX_OVERHEAD <= limit or len(self.blob) <= limit


def pack(record: UserRecord) -> bytes:
    """The blob of a record: nested tuples, which JSON writes as nested lists, compressed."""
    return Packing(record).blob


def _json_of(record: UserRecord) -> bytes:
    """The JSON of a record. Few hold an offset; for all others `tuple` alone is the fastest conversion."""
    content = FORMAT, record
    try:
        return orjson.dumps(content, tuple, orjson.OPT_UTC_Z)
    except TypeError:
        return orjson.dumps(content, to_json, orjson.OPT_UTC_Z)


def unpack(blob: bytes, terms: Terms = DEFAULT_TERMS) -> UserRecord:
    """The record in a blob. An older one is migrated, its ring folded by `terms`. Raises `UnreadableRecord`."""
    try:
        return _record_in(orjson.loads(_inflated(blob)), terms)
    except UnreadableRecord:
        raise
    except (isal_zlib.error, ValueError, TypeError, LookupError) as error:  # type: ignore[misc]  # wrong in its stubs
        raise UnreadableRecord(f"cannot read a record from {len(blob)} bytes: {type(error).__name__}") from error


def _inflated(blob: bytes) -> bytes:
    """The inflated blob. A damaged or hostile one of a few kilobytes may inflate to gigabytes."""
    inflating = isal_zlib.decompressobj()
    text: bytes = inflating.decompress(blob, MAX_INFLATED)
    if not inflating.eof:
        raise ValueError("more than a record can have, or an incomplete one")
    return text


def _record_in(content: Any, terms: Terms) -> UserRecord:
    match content:
        case [int(number), columns] if number == FORMAT:
            return cast(UserRecord, _read(columns))
        case [int(number), list(columns)] if number == FORMER:
            from shared.record import format_2  # noqa: PLC0415 - rare by now, and a cold start is shorter without it

            return format_2.migrate(columns)
        case [int(number), *_]:
            raise UnreadableRecord(f"a newer version wrote the record: format {number}, expected {FORMAT} or less")
        case [str(), *_] as columns:
            from shared.record import format_1  # noqa: PLC0415 - as rare

            return format_1.migrate(columns, terms)
        case _:
            raise ValueError("not a record")
