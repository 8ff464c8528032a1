"""The rows of users' features in Bigtable, as the export writes them and functions read them.

The key of a row is the user's id behind four hex digits of its hash: an export writes users in the order of their
ids, and ids are often counted up, so that without the hash all traffic would meet one node at a time. Each feature
is a cell of the family `features`, named for it, with its value as JSON. The cell's time is the instant of which
the value tells. The family `export` marks the rows that the export wrote.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from shared.adapters.gcp.protos.bigtable_pb2 import ReadRowsResponse
from shared.domain.features import Feature
from shared.domain.instants import from_micros, to_micros

FAMILY = "features"
MARKS = "export"
MARK = "by"
"""The column of the family `export`; its value is `BY`."""
BY = b"upbeat"
HASH_DIGITS = 4
MILLISECOND = timedelta(milliseconds=1)
"""The granularity of a cell's time."""

Chunk = ReadRowsResponse.CellChunk


def row_key(user_id: str) -> bytes:
    """The key of a user's row."""
    id_ = user_id.encode()
    return sha256(id_).hexdigest()[:HASH_DIGITS].encode() + b"#" + id_


def cell_micros(as_of: datetime) -> int:
    """The time of a cell that tells of an instant: microseconds since 1970, rounded down to a millisecond."""
    return to_micros(as_of) // 1000 * 1000


def encode(value: Any) -> bytes:
    """The value of a cell: JSON, `null` for what is unknown."""
    return orjson.dumps(value)


def decode(value: bytes) -> Any:
    """The value in a cell; the bytes themselves, which are of no declared type, if they are no JSON."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


class RowReader:
    """Puts the features of one row together from the chunks of a stream.

    A chunk repeats neither its family nor its column where they are as before, and a long value may come in parts.
    https://cloud.google.com/bigtable/docs/reference/data/rpc/google.bigtable.v2#cellchunk
    """

    def __init__(self) -> None:
        self.features: dict[str, Feature] = {}
        """The newest value of each feature, by name."""
        self._column = ""
        self._as_of = from_micros(0)
        self._value = bytearray()
        self._is_within_value = False

    def take(self, chunks: Iterable[Chunk]) -> None:
        """Add the cells of these chunks, of which those of one column come newest first."""
        for chunk in chunks:
            if chunk.reset_row:
                self.__init__()  # type: ignore[misc]
                continue
            if chunk.HasField("qualifier"):
                self._column = chunk.qualifier.value.decode(errors="replace")
            if not self._is_within_value:
                self._as_of = from_micros(chunk.timestamp_micros)
            self._value += chunk.value
            self._is_within_value = chunk.value_size > 0
            if not self._is_within_value:
                self.features.setdefault(self._column, Feature(decode(bytes(self._value)), self._as_of))
                self._value.clear()
