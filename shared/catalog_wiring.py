"""Wiring of the function that syncs the catalog from a CMS, apart from that of the functions of events."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import NamedTuple

from shared.adapters.clock import SystemClock
from shared.adapters.cms import contentful, contentful_signature, wagtail, wagtail_signature
from shared.adapters.cms.contentful import ContentfulEntries, Space
from shared.adapters.cms.rest import Rest
from shared.adapters.cms.settings import ContentfulSettings, WagtailSettings, read_cms_settings
from shared.adapters.cms.signed_request import SignedRequest
from shared.adapters.cms.wagtail import WagtailEntries
from shared.adapters.gcp.catalog_store import FirestoreCatalogStore
from shared.adapters.gcp.connection import FIRESTORE, PUBSUB, connections
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.pubsub import PubsubPublisher
from shared.adapters.gcp.webhooks import FirestoreWebhooks
from shared.application.sync_catalog import CatalogSync
from shared.observability import logs
from shared.ports import Clock, Entries

SETTLE_SECONDS = 2.0
"""The time in seconds for which a burst of webhooks is awaited before the entries are read."""


class Cms(NamedTuple):
    """The parts that each CMS has of its own."""

    entries: Entries
    verify: Callable[[SignedRequest, str, datetime], str]
    """The signature of a request that was signed with a secret around an instant. Raises `Refused`."""
    author_of: Callable[[bytes], str | None]
    """The editor whom the body of a signed request names."""


@dataclass(frozen=True)
class CatalogWiring:
    """Everything that the webhook needs."""

    sync: CatalogSync
    cms: Cms
    webhooks: FirestoreWebhooks
    clock: Clock
    secret: str = field(repr=False)


def check_settings() -> None:
    """Raise `InvalidSettings` if this process could not be wired, so that the function fails at its start."""
    read_cms_settings(os.environ)


@cache
def current() -> CatalogWiring:
    """The wiring of this process. Raises `InvalidSettings`."""
    settings = read_cms_settings(os.environ)
    logs.configure(settings.project, "INFO")
    firestore, pubsub = connections(os.environ, FIRESTORE, PUBSUB)
    documents, clock = Documents(firestore, settings.project), SystemClock()
    store = FirestoreCatalogStore(documents, PubsubPublisher(pubsub, settings.project))
    cms = _cms(settings.cms)
    sync = CatalogSync(cms.entries, store, clock, settings.needs_approval, _settle)
    return CatalogWiring(sync, cms, FirestoreWebhooks(documents), clock, settings.cms.secret)


def _cms(settings: ContentfulSettings | WagtailSettings) -> Cms:
    if isinstance(settings, WagtailSettings):
        site = Rest("Wagtail", settings.url, settings.token)
        return Cms(WagtailEntries(site), wagtail_signature.verify, wagtail.author_of)
    space = Space(settings.space, settings.environment, settings.locale)
    delivery = Rest("Contentful", settings.url, settings.token)
    return Cms(ContentfulEntries(space, delivery), contentful_signature.verify, contentful.author_of)


async def _settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)
