"""Users' documents and the clock's cursors in Firestore."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any

import orjson
from google.api_core import exceptions
from google.cloud.firestore import AsyncClient, AsyncDocumentReference

from shared.adapters.gcp.due_query import due_pages
from shared.adapters.gcp.paths import CURSORS, SUBSCRIPTIONS, user_document_id
from shared.adapters.gcp.rpc import RECONNECT, RPC_SECONDS, rpc
from shared.domain.due_shards import due_shard
from shared.domain.errors import Conflict
from shared.domain.instants import from_micros, to_micros
from shared.ports import Cursor, Document, DueUser, Lease, Stored, StoredCursor

PRECONDITION_FAILURES = (
    exceptions.AlreadyExists,
    exceptions.FailedPrecondition,
    exceptions.NotFound,
    exceptions.Aborted,
)
"""Firestore's errors for a precondition that does not hold, or for a write that lost a race."""


class FirestoreStore:
    """Implements `Subscriptions` and `DueUsers`. Every call takes at most `timeout_seconds`.

    Commits use a precondition on the update time instead of a transaction. Of 32 writers on one document,
    transactions failed 28 with lock time-outs after 10 s; with preconditions and jitter all were done in 0.3 s.
    """

    def __init__(self, client: AsyncClient, timeout_seconds: float = RPC_SECONDS) -> None:
        self.client = client
        self.timeout_seconds = timeout_seconds
        self.users = client.collection(SUBSCRIPTIONS)
        self.cursors = client.collection(CURSORS)

    async def load(self, user_id: str) -> Stored:
        """See `Subscriptions.load`."""
        async with rpc("Firestore", self.timeout_seconds):
            snapshot = await self.users.document(user_document_id(user_id)).get(["blob"], retry=RECONNECT)
        return Stored(snapshot.get("blob"), snapshot.update_time) if snapshot.exists else Stored(None, None)

    async def commit(self, document: Document, version: object | None) -> None:
        """See `Subscriptions.commit`."""
        await self._write(self.users.document(user_document_id(document.user_id)), _fields(document), version)

    def due(self, shard: int, after: DueUser, now: datetime, page_size: int) -> AsyncGenerator[list[DueUser]]:
        """See `DueUsers.due`. A page may take six times as long as another call."""
        return due_pages(self.client, shard, after, now, page_size, 6 * self.timeout_seconds)

    async def load_cursor(self, shard: int) -> StoredCursor:
        """See `DueUsers.load_cursor`."""
        async with rpc("Firestore", self.timeout_seconds):
            snapshot = await self.cursors.document(str(shard)).get(retry=RECONNECT)
        fields = snapshot.to_dict()
        return StoredCursor(_cursor(fields), snapshot.update_time) if fields else StoredCursor(None, None)

    async def save_cursor(self, shard: int, cursor: Cursor, version: object | None) -> object:
        """See `DueUsers.save_cursor`."""
        return await self._write(self.cursors.document(str(shard)), _cursor_fields(cursor), version)

    async def _write(
        self, reference: AsyncDocumentReference, fields: dict[str, Any], version: object | None
    ) -> object:
        """Write the document if it is at `version`, and return its new version. Raises `Conflict` if it is not.

        Never retried: after a successful write, a retry would raise `Conflict`.
        """
        async with rpc("Firestore", self.timeout_seconds):
            try:
                if version is None:
                    written = await reference.create(fields, retry=None)
                else:
                    # https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#precondition
                    unchanged = self.client.write_option(last_update_time=version)
                    written = await reference.update(fields, option=unchanged, retry=None)
            except PRECONDITION_FAILURES as error:
                raise Conflict("the document has changed since it was loaded") from error
        return written.update_time


def _fields(document: Document) -> dict[str, Any]:
    """The fields of a document: the blob, the fields of the indexes, and a summary for people."""
    return {
        "user_id": document.user_id,
        "blob": document.blob,
        "due_shard": due_shard(document.user_id),
        "next_due_at": document.next_due_at,
        "summary": document.summary,
        "open_campaigns": list(document.open_campaigns),
    }


def _cursor_fields(cursor: Cursor) -> dict[str, Any]:
    """The fields of a cursor. A version that knows no `told` and no lease can read them, too."""
    told = {id_: to_micros(due_at) for id_, due_at in cursor.told.items()}
    return {
        "next_due_at": cursor.last.next_due_at,
        "user_id": cursor.last.user_id,
        "began_at": cursor.pass_started_at,
        "told": orjson.dumps(told),
        "holder": cursor.lease.holder if cursor.lease else None,
        "leased_until": cursor.lease.until if cursor.lease else None,
    }


def _cursor(fields: Mapping[str, Any]) -> Cursor:
    """The cursor in the fields of a document, which an earlier version wrote without the last three."""
    told = orjson.loads(fields.get("told") or b"{}")
    holder, until = fields.get("holder"), fields.get("leased_until")
    return Cursor(
        DueUser(fields["next_due_at"], fields["user_id"]),
        fields["began_at"],
        {id_: from_micros(micros) for id_, micros in told.items()},
        Lease(holder, until) if holder is not None and until else None,
    )
