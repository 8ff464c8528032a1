"""Users' documents and the clock's cursors in Firestore."""

from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.adapters.gcp.paths import CURSORS, SUBSCRIPTIONS, user_document_id, user_id_of
from shared.adapters.gcp.rpc import RECONNECT, RPC_SECONDS, rpc
from shared.domain.due_shards import due_shard
from shared.domain.errors import Conflict
from shared.ports import Cursor, Document, DueUser, Stored

CHANGED = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Aborted)
"""What Firestore answers to a precondition that does not hold, or to a lost race."""


class FirestoreStore:
    """Both `Subscriptions` and `DueUsers`; every call takes at most `seconds`."""

    def __init__(self, client: AsyncClient, seconds: float = RPC_SECONDS) -> None:
        self.client = client
        self.seconds = seconds
        self.users = client.collection(SUBSCRIPTIONS)
        self.cursors = client.collection(CURSORS)

    async def load(self, user_id: str) -> Stored:
        """See `Subscriptions.load`."""
        async with rpc("Firestore", self.seconds):
            snapshot = await self.users.document(user_document_id(user_id)).get(["blob"], retry=RECONNECT)
        return Stored(snapshot.get("blob"), snapshot.update_time) if snapshot.exists else Stored(None, None)

    async def commit(self, document: Document, version: object | None) -> None:
        """See `Subscriptions.commit`. Never retried here: a write that did happen would look like a conflict."""
        reference = self.users.document(user_document_id(document.user_id))
        fields = _fields(document)
        async with rpc("Firestore", self.seconds):
            try:
                if version is None:
                    await reference.create(fields, retry=None)
                else:
                    unchanged = self.client.write_option(last_update_time=version)
                    await reference.update(fields, option=unchanged, retry=None)
            except CHANGED as error:
                raise Conflict("the document is not at the version that was loaded") from error

    async def due(self, shard: int, now: datetime, after: DueUser | None, limit: int) -> list[DueUser]:
        """See `DueUsers.due`."""
        query = (
            self.users.where(filter=FieldFilter("due_shard", "==", shard))
            .where(filter=FieldFilter("next_due_at", "<=", now))
            .order_by("next_due_at")
            .order_by("__name__")
            .select(["next_due_at"])
            .limit(limit)
        )
        if after:
            name = self.users.document(user_document_id(after.user_id))
            query = query.start_after({"next_due_at": after.next_due_at, "__name__": name})
        async with rpc("Firestore", self.seconds):
            found = [snapshot async for snapshot in query.stream(retry=RECONNECT)]
        return [DueUser(snapshot.get("next_due_at"), user_id_of(snapshot.id)) for snapshot in found]

    async def load_cursor(self, shard: int) -> Cursor | None:
        """See `DueUsers.load_cursor`."""
        async with rpc("Firestore", self.seconds):
            snapshot = await self.cursors.document(str(shard)).get(retry=RECONNECT)
        if not snapshot.exists:
            return None
        last = DueUser(snapshot.get("next_due_at"), snapshot.get("user_id"))
        return Cursor(last, snapshot.get("began_at"))

    async def save_cursor(self, shard: int, cursor: Cursor) -> None:
        """See `DueUsers.save_cursor`."""
        last = cursor.last
        fields = {"next_due_at": last.next_due_at, "user_id": last.user_id, "began_at": cursor.began_at}
        async with rpc("Firestore", self.seconds):
            await self.cursors.document(str(shard)).set(fields, retry=RECONNECT)


def _fields(document: Document) -> dict[str, Any]:
    """A document's fields: the blob, what the due index needs, and what a person wants to read."""
    return {
        "user_id": document.user_id,
        "blob": document.blob,
        "due_shard": due_shard(document.user_id),
        "next_due_at": document.next_due_at,
        "summary": document.summary,
    }
