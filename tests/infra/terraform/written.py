"""The fields that the adapters write to Firestore, by their collection."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from infra.catalog.load import artifacts_of, load_catalog
from infra.remote.pubsub import Bus
from infra.remote.sweeps import FirestoreUsers
from infra.sweeps.sweep import Sweep
from shared.adapters.gcp.catalog_publisher import publish_catalog
from shared.adapters.gcp.catalog_store import FirestoreCatalogStore
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.gcp.mail import FirestoreOutbox
from shared.adapters.gcp.paths import PublishedArtifact, policy_location
from shared.adapters.gcp.protos.firestore_pb2 import Value, Write
from shared.adapters.gcp.webhooks import FirestoreWebhooks
from shared.mail.outbox import Mail, Reader, State
from shared.ports import Cursor, Document, DueUser, SyncState

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class _Reference:
    """A document that notes the fields it is given; also the result of its writes."""

    update_time = NOW

    def __init__(self, fields: set[str]) -> None:
        self.fields = fields

    def create(self, content: dict[str, Any], **_options: Any) -> "_Reference":
        self.fields.update(content)
        return self

    set = create

    def get(self, *_arguments: Any, **_options: Any) -> "_Reference":
        return self

    def to_dict(self) -> dict[str, Any]:
        return {}

    exists = False


class _Client:
    """A client that notes the fields of each collection."""

    def __init__(self) -> None:
        self.fields: dict[str, set[str]] = defaultdict(set)

    def collection(self, name: str) -> Any:
        return _Collection(self.fields[name])

    def batch(self) -> "_Batch":
        return _Batch()


class _Batch:
    """A batch whose writes are noted at once."""

    def create(self, document: _Reference, content: dict[str, Any]) -> None:
        document.create(content)

    set = create

    def commit(self, **_options: Any) -> None:
        pass


class _Collection:
    def __init__(self, fields: set[str]) -> None:
        self.fields = fields

    def document(self, _id: str) -> _Reference:
        return _Reference(self.fields)

    def order_by(self, *_arguments: Any, **_options: Any) -> "_Collection":
        return self

    where = limit = order_by

    def get(self, **_options: Any) -> list[_Reference]:
        return []


class _Documents(Documents):
    """Documents that note the fields of each collection, in place of writing them."""

    def __init__(self, fields: dict[str, set[str]]) -> None:
        self.root = ""
        self.fields = fields

    async def write(
        self,
        path: str,
        fields: Mapping[str, Value],
        version: Timestamp | None,  # noqa: ARG002 - the adapter's
        gone: Iterable[str] = (),  # noqa: ARG002
    ) -> Timestamp:
        self.fields[path.split("/")[1]].update(fields)
        return Timestamp()

    async def commit(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self.fields[write.update.name.split("/")[1]].update(write.update.fields)

    async def read(self, path: str, fields: tuple[str, ...] = ()) -> None:
        """Find nothing."""


def written_fields() -> dict[str, set[str]]:
    """The fields by collection, as the store and the publisher of catalogs write them."""
    client: Any = _Client()
    documents = _Documents(client.fields)
    asyncio.run(_write(FirestoreStore(documents), FirestoreOutbox(documents)))
    policy = PublishedArtifact(policy_location("some_policy"), "{}")
    publish_catalog(client, load_catalog(), [*artifacts_of(load_catalog()), policy], now=NOW)
    asyncio.run(_sync(_Documents(client.fields)))
    FirestoreUsers(client, Bus("project", client, client)).save("sweep", Sweep("id", 1, NOW))
    return dict(client.fields)


async def _sync(documents: Documents) -> None:
    store = FirestoreCatalogStore(documents, cast("Any", None))
    await store.propose(load_catalog(), ["ada"], NOW, after=None)
    await store.save_sync("folder", SyncState(), None)
    await FirestoreWebhooks(documents).take("nonce", NOW)


async def _write(store: FirestoreStore, outbox: FirestoreOutbox) -> None:
    await outbox.save_mail("trigger", Mail(State.SENT, "ada", NOW), None)
    await outbox.save_reader("ada", Reader(), None)
    await store.commit(Document("ada", b"blob", NOW, {}), None)
    await store.commit(Document("bob", None, None, {}, erased_at=NOW), None)
    await store.save_cursor(0, Cursor(DueUser(NOW, "ada"), NOW), None)
