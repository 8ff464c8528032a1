"""The webhooks that were accepted, in Firestore, so that a replay is refused."""

from datetime import datetime, timedelta
from hashlib import sha256

from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.paths import WEBHOOKS
from shared.adapters.gcp.values import from_values
from shared.domain.errors import Conflict

KEPT = timedelta(minutes=10)
"""For so long a webhook is remembered: twice as long as its timestamp is good for, on either side of now."""


class FirestoreWebhooks:
    """The webhooks of the last minutes. Every method raises `Transient` if Firestore does not answer."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def take(self, nonce: str, now: datetime) -> bool:
        """Remember a webhook at `now` (UTC). False if it is known: then it is a replay."""
        path = self._path(nonce)
        found = await self.documents.read(path)
        if found is not None and from_values(found.fields)["expires_at"] > now:
            return False
        version: Timestamp | None = found.update_time if found is not None else None
        try:
            await self.documents.write(path, {"expires_at": now + KEPT}, version)
        except Conflict:
            return False
        return True

    async def forget(self, nonce: str, now: datetime) -> None:
        """Allow a webhook again whose sync has failed, since its sender sends it again."""
        found = await self.documents.read(self._path(nonce))
        if found is not None:
            try:
                await self.documents.write(self._path(nonce), {"expires_at": now}, found.update_time)
            except Conflict:
                return

    def _path(self, nonce: str) -> str:
        return self.documents.path(WEBHOOKS, sha256(nonce.encode()).hexdigest())
