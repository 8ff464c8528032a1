"""Wiring of the functions of events and of the API: decides which adapter implements which port.

A deployed function builds its wiring from the environment, once, when the first request arrives in the worker.
Clients made before the server forks would not work after the fork. Whoever calls the functions in the process of
their own installs another wiring with `use`.
"""

import gc
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from shared.application.handle_event import Application
from shared.domain.terms import Terms
from shared.ports import Clock, DueUsers, Features, Publisher
from shared.settings import MAX_BODY_BYTES, Placements, read_settings


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the entry points need.

    The use case of the clock is not part of it, so that a change of it concerns only the function that imports it.
    """

    application: Application
    due_users: DueUsers | None
    """The index of due users; None in a runtime that has no function for the clock."""
    publisher: Publisher
    clock: Clock
    terms: Terms
    user_hash_key: str | None = None
    """The key of the user hashes in log lines; None leaves them out."""
    process_sandbox: bool = False
    """True if events of test environments are processed like others; otherwise they are ignored."""
    max_body_bytes: int = MAX_BODY_BYTES
    """The largest request body that is read whole."""
    log_content: bool = False
    """True if log lines also tell the event and what came of it: on the emulators alone."""
    api_placements: Placements | None = None
    """The placements that each caller of the API may ask for; None if every caller may ask for every one."""
    api_only_reads: bool = False
    """True if the API over gRPC refuses the methods that change something."""


class _Installed:
    """The wiring that was installed in this process. None if there is none."""

    wiring: Wiring | None = None


def use(wiring: Wiring | None) -> None:
    """Install a wiring for this process, which then replaces the environment's. None removes it again."""
    _Installed.wiring = wiring


def current() -> Wiring:
    """The wiring of this process. Raises `InvalidSettings` if a setting is missing or invalid."""
    return _Installed.wiring or _from_environment()


def check_settings() -> None:
    """Raise `InvalidSettings` if this process could not be wired, so that a function fails at its start."""
    if _Installed.wiring is None:
        read_settings(os.environ)


@cache
def _from_environment() -> Wiring:
    """Firestore and Pub/Sub: the emulators if their environment variables are set, else Google Cloud."""
    # Local runtimes start without gRPC.
    from shared.adapters.clock import MovedClock, SystemClock  # noqa: PLC0415
    from shared.adapters.crashing import CrashingPublisher  # noqa: PLC0415
    from shared.adapters.gcp.catalogs import FirestoreCatalogs  # noqa: PLC0415
    from shared.adapters.gcp.connection import BIGTABLE, FIRESTORE, PUBSUB, connections  # noqa: PLC0415
    from shared.adapters.gcp.documents import Documents  # noqa: PLC0415
    from shared.adapters.gcp.firestore import FirestoreStore  # noqa: PLC0415
    from shared.adapters.gcp.pubsub import PubsubPublisher  # noqa: PLC0415
    from shared.adapters.packed_records import PackedRecords  # noqa: PLC0415
    from shared.observability import logs  # noqa: PLC0415
    from shared.observability.tracing import export_spans  # noqa: PLC0415

    # Settings are read after a first configuration of the logs, so that an invalid one is logged, too.
    logs.configure(os.environ.get("GOOGLE_CLOUD_PROJECT", "unknown"), "INFO")
    settings = read_settings(os.environ)
    logs.configure(settings.project, settings.log_level)
    if settings.otlp_endpoint:
        export_spans(settings.otlp_endpoint, settings.service)
    clock = MovedClock(Path(settings.clock_file)) if settings.clock_file else SystemClock()
    services = (FIRESTORE, PUBSUB, BIGTABLE) if settings.features_table else (FIRESTORE, PUBSUB)
    firestore, pubsub, *bigtable = connections(os.environ, *services)
    documents = Documents(firestore, settings.project)
    store = FirestoreStore(documents)
    publisher: Publisher = PubsubPublisher(pubsub, settings.project)
    if settings.exit_before_publish:
        publisher = CrashingPublisher(publisher, Path(settings.exit_before_publish))
    catalogs = FirestoreCatalogs(documents, clock, timedelta(seconds=settings.catalog_seconds))
    records = PackedRecords(store, settings.terms)
    features: Features | None = None
    if settings.features_table:
        from shared.adapters.gcp.bigtable import BigtableFeatures  # noqa: PLC0415

        features = BigtableFeatures(bigtable[0], settings.features_table, settings.features_seconds)
    application = Application(records, publisher, catalogs, clock, settings.terms, features=features)
    gc.freeze()  # what is there by now lives as long as the process, and need not be looked through
    return Wiring(
        application,
        store,
        publisher,
        clock,
        settings.terms,
        settings.user_hash_key,
        settings.process_sandbox,
        settings.max_body_bytes,
        settings.log_content,
        settings.api_placements,
        settings.api_only_reads,
    )
