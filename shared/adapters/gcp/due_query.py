"""The clock's query in Firestore: the due users of a shard as a stream of pages."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime

from shared.adapters.gcp.connection import FIRESTORE
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id, user_id_of
from shared.adapters.gcp.protos.firestore_pb2 import Cursor, Document, RunQueryResponse, StructuredQuery, Value
from shared.adapters.gcp.rpc import rpc
from shared.adapters.gcp.values import from_timestamp, to_value
from shared.ports import DueUser

_FIELD = StructuredQuery.FieldReference
_IS = StructuredQuery.FieldFilter


async def due_pages(
    documents: Documents, shard: int, after: DueUser, now: datetime, page_size: int
) -> AsyncGenerator[list[DueUser]]:
    """One query, read page by page; a page may take six times as long as another call. See `DueUsers.due`.

    The query is never repeated: after a failure, the clock's next one starts at the last page that was finished. A
    caller that needs no more closes the generator, which ends the query.
    """
    page_seconds = 6 * documents.seconds
    async with rpc(FIRESTORE, page_seconds):
        stream = await documents.query(_query(documents, shard, after, now))
    try:
        responses, page = aiter(stream), []
        while True:
            async with rpc(FIRESTORE, page_seconds):
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
        if response.HasField("document"):  # a response may carry the progress of the query alone
            page.append(_due_user(response.document))
            if len(page) == page_size:
                break
    return page


def _due_user(document: Document) -> DueUser:
    due_at = from_timestamp(document.fields["next_due_at"].timestamp_value)
    return DueUser(due_at, user_id_of(document.name.rpartition("/")[2]))


def _query(documents: Documents, shard: int, after: DueUser, now: datetime) -> StructuredQuery:
    is_in_shard = _filter("due_shard", _IS.EQUAL, to_value(shard))
    is_due = _filter("next_due_at", _IS.LESS_THAN_OR_EQUAL, to_value(now))
    both = StructuredQuery.CompositeFilter(op=StructuredQuery.CompositeFilter.AND, filters=[is_in_shard, is_due])
    values = [to_value(after.next_due_at)]
    if after.user_id:
        path = documents.path(SUBSCRIPTIONS, user_document_id(after.user_id))
        values.append(Value(reference_value=path))
    return StructuredQuery(
        select=StructuredQuery.Projection(fields=[_FIELD(field_path="next_due_at")]),
        from_=[StructuredQuery.CollectionSelector(collection_id=SUBSCRIPTIONS)],
        where=StructuredQuery.Filter(composite_filter=both),
        order_by=[
            StructuredQuery.Order(field=_FIELD(field_path=path), direction=StructuredQuery.ASCENDING)
            for path in ("next_due_at", "__name__")
        ],
        # A position of an instant alone stands before all users of the instant, one of a user behind this user.
        start_at=Cursor(values=values, before=not after.user_id),
    )


def _filter(field: str, operator: StructuredQuery.FieldFilter.Operator, value: Value) -> StructuredQuery.Filter:
    return StructuredQuery.Filter(field_filter=_IS(field=_FIELD(field_path=field), op=operator, value=value))
