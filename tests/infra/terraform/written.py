"""The fields that the adapters write to Firestore, by their collection."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from infra.catalog.load import artifacts_of, load_catalog
from infra.remote.pubsub import Bus
from infra.remote.sweeps import FirestoreUsers
from infra.sweeps.sweep import Sweep
from shared.adapters.gcp.catalog_publisher import publish_catalog
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.gcp.paths import PublishedArtifact, policy_location
from shared.ports import Cursor, Document, DueUser

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class _Reference:
    """A document that notes the fields it is given, for clients of either kind; also the result of its writes."""

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

    def __await__(self):
        yield from ()
        return self


class _Client:
    """A client that notes the fields of each collection."""

    def __init__(self) -> None:
        self.fields: dict[str, set[str]] = defaultdict(set)

    def collection(self, name: str) -> Any:
        return _Collection(self.fields[name])


class _Collection:
    def __init__(self, fields: set[str]) -> None:
        self.fields = fields

    def document(self, _id: str) -> _Reference:
        return _Reference(self.fields)


def written_fields() -> dict[str, set[str]]:
    """The fields by collection, as the store and the publisher of catalogs write them."""
    client: Any = _Client()
    asyncio.run(_write(FirestoreStore(client)))
    policy = PublishedArtifact(policy_location("some_policy"), "{}")
    publish_catalog(client, load_catalog(), [*artifacts_of(load_catalog()), policy], now=NOW)
    FirestoreUsers(client, Bus("project", client, client)).save("sweep", Sweep("id", 1, NOW))
    return dict(client.fields)


async def _write(store: FirestoreStore) -> None:
    await store.commit(Document("ada", b"blob", NOW, {}), None)
    await store.save_cursor(0, Cursor(DueUser(NOW, "ada"), NOW), None)
