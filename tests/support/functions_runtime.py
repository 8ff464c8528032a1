"""The slow way of a replay, to which the fast one is compared: real function apps, HTTP requests and documents.

Each message is pushed into the app of its function as Pub/Sub pushes it, every commit writes SQLite, and who is
due is found by the function of the clock.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from functions_framework.aio import create_asgi_app

from infra.embedded.push import Push, push_body
from infra.embedded.runtime import EmbeddedRuntime
from shared import wiring
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.contracts.topics import Topic
from shared.domain.due_shards import due_shard
from shared.domain.terms import Terms
from shared.entrypoints.deliver import Delivered
from shared.entrypoints.pubsub import OUTCOME_HEADER
from shared.record.codec import unpack
from shared.record.user_record import UserRecord
from tests.support.asgi import FUNCTIONS, post


class StoredRecords(PackedRecords):
    """In place of `MemoryRecords`: every record is packed into the file by its commit."""

    def __init__(self, file: SqliteStore, terms: Terms) -> None:
        super().__init__(file, terms)
        self.file, self.terms = file, terms

    def all(self) -> Iterator[UserRecord]:
        return (unpack(blob, self.terms) for _, blob in self.file.blobs())

    def flush(self) -> None:
        """Nothing is left to write."""


class FunctionsRuntime(EmbeddedRuntime):
    """In place of `EmbeddedRuntime`."""

    def __init__(self, records: StoredRecords, *given: Any, **options: Any) -> None:
        super().__init__(records, *given, **options)
        self.wiring = replace(self.wiring, due_users=records.file)
        wiring.use(self.wiring)

    async def tell_due(self, at: datetime, users: Iterable[str]) -> None:
        shards = sorted({due_shard(user_id) for user_id in users})
        data = orjson.dumps({"shards": shards})
        await self.push(Push(Topic.LIFECYCLE_CLOCK, data, {}, self.clock.now(), f"tick at {at}"))

    async def _deliver(self, push: Push) -> Delivered:
        app = self.apps[self.bus.listeners[push.topic].name]
        status, headers = await post(app, push_body(push))
        return Delivered(headers[OUTCOME_HEADER], None if status == 204 else "failed")

    @cached_property
    def apps(self) -> dict[str, Any]:
        names = (function.name for function in self.bus.listeners.values())
        return {name: create_asgi_app(name, str(FUNCTIONS / name / "main.py"), "http") for name in names}
