"""The users of a running Upbeat as the target of a sweep: pages by Firestore's indexes, messages by Pub/Sub."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.cloud.firestore import Client
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.remote.firestore import client_errors
from infra.remote.pubsub import PATIENT, Bus
from infra.sweeps.sweep import Page, Scope, Sweep
from shared.adapters.gcp.paths import (
    CATALOGS,
    CURRENT_CATALOG,
    SUBSCRIPTIONS,
    SWEEPS,
    CatalogPointer,
    is_version,
    user_document_id,
    user_id_of,
)
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog
from shared.domain.instants import from_micros, to_micros

OPEN_CAMPAIGNS = "open_campaigns"
ERASED_AT = "erased_at"
"""The field that tombstones alone have."""


class InForce(NamedTuple):
    """The catalog in force, as Firestore has it."""

    catalog: Catalog
    """The catalog with its number, and without the scores and policies that it names."""
    since: datetime
    """The instant of its publication, by Firestore's clock."""
    read_at: datetime
    """The instant of this reading, by the same clock."""


def in_force(client: Client) -> InForce | None:
    """The catalog in force; None if there is none that is valid. Raises `InfraError` if Firestore fails."""
    with client_errors("read the catalog"):
        catalogs = client.collection(CATALOGS)
        snapshot = catalogs.document(CURRENT_CATALOG).get(retry=PATIENT, timeout=RPC_SECONDS)
        pointer = CatalogPointer.of(snapshot.to_dict())
        if not isinstance(pointer.version, str) or not is_version(pointer.version):
            return None
        stored = catalogs.document(pointer.version).get(retry=PATIENT, timeout=RPC_SECONDS)
    content = (stored.to_dict() or {}).get("catalog")
    try:
        catalog = compile_catalog(content) if isinstance(content, dict) else None
    except InvalidCatalog:
        catalog = None
    if catalog is None:
        return None
    return InForce(replace(catalog, number=pointer.number), snapshot.update_time, snapshot.read_time)


class FirestoreUsers:
    """Implements `Target` for the emulators and for a cloud project."""

    def __init__(self, client: Client, bus: Bus) -> None:
        self.users = client.collection(SUBSCRIPTIONS)
        self.sweeps = client.collection(SWEEPS)
        self.bus = bus

    def count(self, scope: Scope, after: str) -> int | None:
        """See `Target.count`. Firestore counts a thousand index entries for the price of one read, for a while."""
        try:
            ((result,),) = self._query(scope, after).count().get(retry=None, timeout=RPC_SECONDS)
        except (GoogleAPICallError, RetryError):
            return None  # if Firestore does not answer at all, the first page says so
        return int(result.value)

    def page(self, scope: Scope, after: str, limit: int) -> Page:
        """See `Target.page`. A document from before the field existed may have an open trigger."""
        fields = [ERASED_AT, OPEN_CAMPAIGNS] if scope.only_open else [ERASED_AT]
        with client_errors("list users"):
            query = self._query(scope, after).select(fields).limit(limit)
            found = query.get(retry=PATIENT, timeout=RPC_SECONDS)
        known = ((user_id_of(each.id), each.to_dict() or {}) for each in found)
        users = (
            user_id
            for user_id, fields in known
            if ERASED_AT not in fields and not (scope.only_open and fields.get(OPEN_CAMPAIGNS) == [])
        )
        return Page(tuple(users), user_id_of(found[-1].id) if found else None)

    def load(self, key: str) -> Sweep | None:
        """See `Target.load`."""
        with client_errors("read the sweep"):
            snapshot = self.sweeps.document(key).get(retry=PATIENT, timeout=RPC_SECONDS)
        if not snapshot.exists:
            return None
        saved = Sweep(**(snapshot.to_dict() or {}))
        return saved._replace(began_at=from_micros(to_micros(saved.began_at)))  # Firestore's own type is no JSON

    def save(self, key: str, sweep: Sweep) -> None:
        """See `Target.save`."""
        with client_errors("save the sweep"):
            self.sweeps.document(key).set(sweep._asdict(), retry=PATIENT, timeout=RPC_SECONDS)

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Target.publish`."""
        self.bus.publish_all(messages)

    def _query(self, scope: Scope, after: str) -> Any:
        """The users of a scope in the order of their names, by the index that Firestore has of each field."""
        query: Any = self.users
        if scope.campaigns:
            holds = FieldFilter(OPEN_CAMPAIGNS, "array_contains_any", list(scope.campaigns))
            if len(scope.campaigns) == 1:
                holds = FieldFilter(OPEN_CAMPAIGNS, "array_contains", scope.campaigns[0])
            query = query.where(filter=holds)
        query = query.order_by("__name__")
        return query.start_after({"__name__": self.users.document(user_document_id(after))}) if after else query
