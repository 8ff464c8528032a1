"""The store of a catalog's syncs in Firestore, and the message about what it has published."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.gcp import publication
from shared.adapters.gcp.connection import FIRESTORE
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.paths import (
    CATALOGS,
    CURRENT_CATALOG,
    PROPOSALS,
    PUBLICATIONS,
    SYNCS,
    ArtifactLocation,
    CatalogPointer,
    is_version,
    policy_location,
    score_location,
)
from shared.adapters.gcp.protos.firestore_pb2 import DocumentMask, Precondition, StructuredQuery, Write
from shared.adapters.gcp.rpc import rpc
from shared.adapters.gcp.values import from_timestamp, from_values, put_all
from shared.contracts.outbound.catalog_published import CatalogPublished
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.schema import CatalogDocument
from shared.domain.errors import Conflict, InvalidCatalog
from shared.domain.events import MAX_CATALOG_NUMBER
from shared.ports import InForce, Lease, Publisher, Said, StoredSync, SyncState

NO_SCORES: Mapping[ArtifactLocation, str] = {}


class Pointed(NamedTuple):
    """The pointer as it was read, which nobody may have moved when it is written."""

    pointer: CatalogPointer = CatalogPointer(None, 0)
    update_time: Timestamp | None = None
    """None if there is no pointer."""


class FirestoreCatalogStore:
    """`CatalogStore` in Firestore and Pub/Sub."""

    def __init__(
        self, documents: Documents, publisher: Publisher, scores: Mapping[ArtifactLocation, str] = NO_SCORES
    ) -> None:
        self.documents = documents
        self.publisher = publisher
        self.scores = scores
        """Scores that the source of the catalog brings along; they are published before a catalog names them."""

    async def in_force(self) -> InForce:
        """See `CatalogStore.in_force`."""
        path = self.documents.path(CATALOGS, CURRENT_CATALOG)
        found = await self.documents.read(path)
        if found is None:
            return InForce(None, None)
        pointer = CatalogPointer.of(from_values(found.fields))
        version = None if pointer.version is None else str(pointer.version)
        return InForce(version, Pointed(pointer, found.update_time))

    async def artifacts(self, document: CatalogDocument) -> Mapping[str, bytes]:
        """See `CatalogStore.artifacts`. Raises `InvalidCatalog` if a brought score is published otherwise."""
        found = {}
        for name, terms in document.scores.items():
            location = score_location(name, terms.version)
            text, brought = await self._text(location), self.scores.get(location)
            if text is not None and brought is not None and text != brought:
                expected = f"the content of {location.path} that is already published (new content: a new version)"
                raise InvalidCatalog([f"scores.{name}.version: expected {expected}, found different content"])
            found[location.path] = text or brought
        for experiment in document.experiments.values():
            if experiment.policy:
                location = policy_location(experiment.policy)
                found[location.path] = await self._text(location)
        return {path: text.encode() for path, text in found.items() if text is not None}

    async def content(self, version: str) -> Mapping[str, Any]:
        """See `CatalogStore.content`."""
        content = (await self._fields(CATALOGS, version)).get("catalog") if is_version(version) else None
        return content if isinstance(content, Mapping) else {}

    async def awaits(self, version: str) -> bool:
        """See `CatalogStore.awaits`."""
        proposal = await self._fields(PROPOSALS, version)
        return bool(proposal) and proposal.get("approved_by") is None

    async def publish(self, catalog: Catalog, replaced: InForce, now: datetime, said: Said) -> int:
        """See `CatalogStore.publish`. The pointer, the catalog and the record are written together."""
        await self._bring_scores(catalog)
        pointer, update_time = replaced.token if isinstance(replaced.token, Pointed) else Pointed()
        moved_at = None if update_time is None else from_timestamp(update_time)
        before = publication.Before(pointer, moved_at, await self._newest_number())
        after = publication.numbered(CatalogPointer(catalog.version, 0, *said), before, now)
        conditions = {
            publication.Condition.ANY: None,
            publication.Condition.NEW: Precondition(exists=False),
            publication.Condition.UNMOVED: Precondition(update_time=update_time),
        }
        told = publication.documents(catalog, after, before, now)
        writes = [self._write(one.collection, one.id, one.fields, conditions[one.condition]) for one in told]
        if said.approved_by is not None and await self.awaits(catalog.version):
            writes.append(self._approval(catalog.version, said.approved_by))
        await self.documents.commit(writes)
        return after.number

    async def announce(self) -> None:
        """See `CatalogStore.announce`."""
        found = await self.documents.read(self.documents.path(CATALOGS, CURRENT_CATALOG))
        if found is None:
            return
        pointer = CatalogPointer.of(from_values(found.fields))
        content = await self._fields(CATALOGS, str(pointer.version))
        if "catalog" not in content:
            return
        message = CatalogPublished(
            catalog_version=str(pointer.version),
            number=pointer.number or None,
            published_at=from_timestamp(found.update_time),
            published_by=None if pointer.published_by is None else str(pointer.published_by),
            catalog=content["catalog"],
        ).message()
        await self.publisher.publish([message])

    async def propose(self, catalog: Catalog, authors: Sequence[str], now: datetime, *, after: str | None) -> None:
        """See `CatalogStore.propose`."""
        await self._bring_scores(catalog)
        before = await self._fields(PROPOSALS, after) if after else {}
        earlier = before.get("authors", []) if before.get("approved_by") is None else []
        proposal = publication.proposal(catalog, [*earlier, *authors], now)
        await self.documents.commit([self._write(PROPOSALS, catalog.version, proposal)])

    async def load_sync(self, source: str) -> StoredSync:
        """See `CatalogStore.load_sync`."""
        found = await self.documents.read(self.documents.path(SYNCS, source))
        if found is None:
            return StoredSync(SyncState(), None)
        told = from_values(found.fields)
        lease = Lease(told["holder"], told["until"]) if told.get("holder") else None
        authors = tuple(told.get("authors", ()))
        state = SyncState(told["asked"], told["served"], lease, told.get("version"), authors)
        return StoredSync(state, found.update_time)

    async def save_sync(self, source: str, state: SyncState, version: object | None) -> object:
        """See `CatalogStore.save_sync`."""
        fields = {
            **state._asdict(),
            "holder": state.lease.holder if state.lease else None,
            "until": state.lease.until if state.lease else None,
        }
        del fields["lease"]
        known = version if isinstance(version, Timestamp) else None
        return await self.documents.write(self.documents.path(SYNCS, source), fields, known)

    async def _bring_scores(self, catalog: Catalog) -> None:
        for name, terms in catalog.document.scores.items():
            location = score_location(name, terms.version)
            if (text := self.scores.get(location)) is not None:
                write = self._write(
                    location.collection, location.id, {location.field: text}, Precondition(exists=False)
                )
                try:
                    await self.documents.commit([write])
                except Conflict:
                    continue  # it is there: a published score never changes

    async def _newest_number(self) -> int:
        """The greatest number on record; -1 if none is."""
        field = StructuredQuery.FieldReference(field_path="number")
        is_number = StructuredQuery.FieldFilter(field=field, op=StructuredQuery.FieldFilter.LESS_THAN_OR_EQUAL)
        is_number.value.integer_value = MAX_CATALOG_NUMBER
        query = StructuredQuery(
            select=StructuredQuery.Projection(fields=[field]),
            from_=[StructuredQuery.CollectionSelector(collection_id=PUBLICATIONS)],
            where=StructuredQuery.Filter(field_filter=is_number),
            order_by=[StructuredQuery.Order(field=field, direction=StructuredQuery.DESCENDING)],
        )
        async with rpc(FIRESTORE, self.documents.seconds):
            stream = await self.documents.query(query)
            try:
                async for part in stream:
                    if part.HasField("document"):
                        return max(-1, int(part.document.fields["number"].integer_value))
            finally:
                stream.cancel()
        return -1

    async def _text(self, location: ArtifactLocation) -> str | None:
        text = (await self._fields(location.collection, location.id)).get(location.field)
        return text if isinstance(text, str) else None

    async def _fields(self, collection: str, document_id: str) -> dict[str, Any]:
        found = await self.documents.read(self.documents.path(collection, document_id))
        return from_values(found.fields) if found else {}

    def _approval(self, version: str, by: str) -> Write:
        """The write that ends the wait of a proposal."""
        write = self._write(PROPOSALS, version, {"approved_by": by}, Precondition(exists=True))
        write.update_mask.CopyFrom(DocumentMask(field_paths=["approved_by"]))
        return write

    def _write(
        self,
        collection: str,
        document_id: str,
        fields: Mapping[str, object],
        condition: Precondition | None = None,
    ) -> Write:
        write = Write(current_document=condition)
        if condition is not None and condition.HasField("update_time"):
            write.update_mask.CopyFrom(DocumentMask(field_paths=fields))
        write.update.name = self.documents.path(collection, document_id)
        put_all(write.update.fields, fields)
        return write
