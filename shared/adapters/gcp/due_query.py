"""The clock's query in Firestore: the due users of a shard as a stream of pages.

It reads the protobuf messages of the generated client. The objects that the hand-written client makes of them cost
three to four times the CPU, for each due user.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Any

from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.types import RunQueryRequest, RunQueryResponse
from google.cloud.firestore_v1.types.document import Value
from google.cloud.firestore_v1.types.query import Cursor, StructuredQuery
from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id, user_id_of
from shared.adapters.gcp.rpc import rpc
from shared.domain.instants import from_micros, to_micros
from shared.ports import DueUser

_FIELD = StructuredQuery.FieldReference
_IS = StructuredQuery.FieldFilter.Operator


async def due_pages(
    client: AsyncClient, shard: int, after: DueUser, now: datetime, page_size: int, page_seconds: float
) -> AsyncGenerator[list[DueUser]]:
    """One query, read page by page; each page is awaited for at most `page_seconds`. See `DueUsers.due`.

    The query is never repeated: after a failure, the clock's next one starts at the last page that was finished. A
    caller that needs no more closes the generator, which ends the query.
    """
    documents = f"{client._database_string}/documents"  # noqa: SLF001 - the path has no public name
    request = RunQueryRequest(parent=documents, structured_query=_query(documents, shard, after, now))
    async with rpc("Firestore", page_seconds):
        api, metadata = client._firestore_api, client._rpc_metadata  # noqa: SLF001 - the generated client
        stream = await api.run_query(request=request, metadata=metadata, retry=None)
    try:
        responses, page = aiter(stream), []
        while True:
            async with rpc("Firestore", page_seconds):
                page = await _page(responses, page_size)
            if page:
                yield page
            if len(page) < page_size:
                return
    finally:
        stream.cancel()


async def _page(responses: AsyncIterator[RunQueryResponse], page_size: int) -> list[DueUser]:
    """The next users of the stream, fewer than `page_size` at its end."""
    page: list[DueUser] = []
    async for response in responses:
        plain = RunQueryResponse.pb(response)
        if plain.HasField("document"):  # a response may carry the progress of the query alone
            page.append(_due_user(plain.document))
            if len(page) == page_size:
                break
    return page


def _due_user(document: Any) -> DueUser:
    due_at = document.fields["next_due_at"].timestamp_value
    micros = due_at.seconds * 1_000_000 + due_at.nanos // 1_000
    return DueUser(from_micros(micros), user_id_of(document.name.rpartition("/")[2]))


def _query(documents: str, shard: int, after: DueUser, now: datetime) -> StructuredQuery:
    is_in_shard = _filter("due_shard", _IS.EQUAL, Value(integer_value=shard))
    is_due = _filter("next_due_at", _IS.LESS_THAN_OR_EQUAL, _instant(now))
    values = [_instant(after.next_due_at)]
    if after.user_id:
        path = f"{documents}/{SUBSCRIPTIONS}/{user_document_id(after.user_id)}"
        values.append(Value(reference_value=path))
    return StructuredQuery(
        select=StructuredQuery.Projection(fields=[_FIELD(field_path="next_due_at")]),
        from_=[StructuredQuery.CollectionSelector(collection_id=SUBSCRIPTIONS)],
        where=StructuredQuery.Filter(
            composite_filter=StructuredQuery.CompositeFilter(
                op=StructuredQuery.CompositeFilter.Operator.AND, filters=[is_in_shard, is_due]
            )
        ),
        order_by=[
            StructuredQuery.Order(field=_FIELD(field_path=path), direction=StructuredQuery.Direction.ASCENDING)
            for path in ("next_due_at", "__name__")
        ],
        # A position of an instant alone stands before all users of the instant, one of a user behind this user.
        start_at=Cursor(values=values, before=not after.user_id),
    )


def _filter(field: str, operator: int, value: Value) -> StructuredQuery.Filter:
    return StructuredQuery.Filter(
        field_filter=StructuredQuery.FieldFilter(field=_FIELD(field_path=field), op=operator, value=value)
    )


def _instant(instant: datetime) -> Value:
    seconds, micros = divmod(to_micros(instant), 1_000_000)
    return Value(timestamp_value=Timestamp(seconds=seconds, nanos=micros * 1_000))
