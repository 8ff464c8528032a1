"""Users' documents, cursors and catalogs in Firestore."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.errors import Conflict, Transient
from shared.ports import Cursor, Document, DueUser, Stored
from shared.record import due_shard

RPC_SECONDS = 10.0
CHANGED = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Aborted)
"""What Firestore answers to a precondition that does not hold, or to a lost race."""


def document_id(user_id: str) -> str:
    """The document of a user: the id itself, but for the few ids that Firestore refuses.

    Those get a `~` before them, a character that no user id may hold. See
    https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields.
    """
    refused = user_id in {".", ".."} or (user_id.startswith("__") and user_id.endswith("__"))
    return f"~{user_id}" if refused else user_id


class FirestoreStore:
    """Both `Subscriptions` and `DueUsers`."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.users = client.collection("subscriptions")
        self.cursors = client.collection("clock")

    async def load(self, user_id: str) -> Stored:
        """See `Subscriptions.load`."""
        with _answering():
            snapshot = await self.users.document(document_id(user_id)).get(["blob"], timeout=RPC_SECONDS)
        return Stored(snapshot.get("blob"), snapshot.update_time) if snapshot.exists else Stored(None, None)

    async def commit(self, document: Document, version: object | None) -> None:
        """See `Subscriptions.commit`."""
        reference = self.users.document(document_id(document.user_id))
        fields = _fields(document)
        with _answering():
            try:
                if version is None:
                    await reference.create(fields, retry=None, timeout=RPC_SECONDS)
                else:
                    unchanged = self.client.write_option(last_update_time=version)
                    await reference.update(fields, option=unchanged, retry=None, timeout=RPC_SECONDS)
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
            name = self.users.document(document_id(after.user_id))
            query = query.start_after({"next_due_at": after.next_due_at, "__name__": name})
        with _answering():
            found = [snapshot async for snapshot in query.stream(timeout=RPC_SECONDS)]
        return [DueUser(snapshot.get("next_due_at"), snapshot.id.removeprefix("~")) for snapshot in found]

    async def load_cursor(self, shard: int) -> Cursor | None:
        """See `DueUsers.load_cursor`."""
        with _answering():
            snapshot = await self.cursors.document(str(shard)).get(timeout=RPC_SECONDS)
        if not snapshot.exists:
            return None
        last = DueUser(snapshot.get("next_due_at"), snapshot.get("user_id"))
        return Cursor(last, snapshot.get("began_at"))

    async def save_cursor(self, shard: int, cursor: Cursor) -> None:
        """See `DueUsers.save_cursor`."""
        last = cursor.last
        fields = {"next_due_at": last.next_due_at, "user_id": last.user_id, "began_at": cursor.began_at}
        with _answering():
            await self.cursors.document(str(shard)).set(fields, timeout=RPC_SECONDS)


def _fields(document: Document) -> dict[str, Any]:
    """A document's fields: the blob, what the due index needs, and what a person wants to read."""
    return {
        "user_id": document.user_id,
        "blob": document.blob,
        "due_shard": due_shard(document.user_id),
        "next_due_at": document.next_due_at,
        "summary": document.summary,
    }


@contextmanager
def _answering() -> Iterator[None]:
    """Whatever Firestore answers that is not a lost race may pass."""
    try:
        yield
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise Transient(f"Firestore: {type(error).__name__}") from error
