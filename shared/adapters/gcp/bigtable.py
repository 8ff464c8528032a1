"""Users' features in Bigtable, read over bare gRPC within a few milliseconds, or else unknown."""

from datetime import datetime

from shared.adapters.gcp.connection import BIGTABLE, Connection, Headers, routing
from shared.adapters.gcp.feature_rows import FAMILY, MILLISECOND, RowReader, cell_micros, row_key
from shared.adapters.gcp.protos.bigtable_pb2 import (
    ReadRowsRequest,
    ReadRowsResponse,
    RowFilter,
    RowSet,
    TimestampRange,
)
from shared.adapters.gcp.rpc import rpc
from shared.domain.errors import Transient
from shared.domain.features import KnownFeatures


class BigtableFeatures:
    """Implements `Features`: one row for each user. A read ends within `seconds` and is never repeated.

    Reads are not put together into shared requests: one that waited for another would have less time of its own.
    """

    def __init__(self, connection: Connection, table: str, seconds: float) -> None:
        self.connection = connection
        self.table = table
        """`projects/PROJECT/instances/INSTANCE/tables/TABLE`."""
        self.seconds = seconds
        self._read_rows = connection.stream(
            "/google.bigtable.v2.Bigtable/ReadRows", ReadRowsRequest, ReadRowsResponse
        )
        connection.connect()  # within the time of one read, a new connection may not come about

    async def load(self, user_id: str, now: datetime) -> KnownFeatures:
        """See `Features.load`."""
        row = RowReader()
        request = ReadRowsRequest(
            table_name=self.table, rows=RowSet(row_keys=[row_key(user_id)]), filter=_newest_up_to(now)
        )
        try:
            async with rpc(BIGTABLE, self.seconds):
                async for part in self._read_rows(request, metadata=await self._headers()):
                    row.take(part.chunks)
        except Transient as failure:
            return KnownFeatures(failure=str(failure))
        return KnownFeatures(row.features)

    async def _headers(self) -> Headers:
        return (routing(table_name=self.table), *await self.connection.authorization.headers())


def _newest_up_to(now: datetime) -> RowFilter:
    """The newest cell of each feature that is not dated ahead."""
    up_to_now = TimestampRange(end_timestamp_micros=cell_micros(now + MILLISECOND))
    filters = (
        RowFilter(family_name_regex_filter=FAMILY),
        RowFilter(timestamp_range_filter=up_to_now),
        RowFilter(cells_per_column_limit_filter=1),
    )
    return RowFilter(chain=RowFilter.Chain(filters=filters))
