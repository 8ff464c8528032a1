"""Wiring of the function that syncs the catalog from a CMS, apart from that of the functions of events."""

import asyncio
import os
from dataclasses import dataclass, field
from functools import cache

from shared.adapters.clock import SystemClock
from shared.adapters.cms.contentful import ContentfulEntries, Space
from shared.adapters.gcp.catalog_store import FirestoreCatalogStore
from shared.adapters.gcp.connection import FIRESTORE, PUBSUB, connections
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.pubsub import PubsubPublisher
from shared.adapters.gcp.webhooks import FirestoreWebhooks
from shared.application.sync_catalog import CatalogSync
from shared.observability import logs
from shared.ports import Clock
from shared.settings import ContentfulSettings, read_contentful_settings

SETTLE_SECONDS = 2.0
"""The time in seconds for which a burst of webhooks is awaited before the entries are read."""


@dataclass(frozen=True)
class CatalogWiring:
    """Everything that the webhook needs."""

    sync: CatalogSync
    webhooks: FirestoreWebhooks
    clock: Clock
    secret: str = field(repr=False)


def check_settings() -> None:
    """Raise `InvalidSettings` if this process could not be wired, so that the function fails at its start."""
    read_contentful_settings(os.environ)


@cache
def current() -> CatalogWiring:
    """The wiring of this process. Raises `InvalidSettings`."""
    settings: ContentfulSettings = read_contentful_settings(os.environ)
    logs.configure(settings.project, "INFO")
    firestore, pubsub = connections(os.environ, FIRESTORE, PUBSUB)
    documents, clock = Documents(firestore, settings.project), SystemClock()
    store = FirestoreCatalogStore(documents, PubsubPublisher(pubsub, settings.project))
    space = Space(settings.url, settings.space, settings.environment, settings.locale)
    entries = ContentfulEntries(space, settings.token)
    sync = CatalogSync(entries, store, clock, settings.needs_approval, _settle)
    return CatalogWiring(sync, FirestoreWebhooks(documents), clock, settings.secret)


async def _settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)
