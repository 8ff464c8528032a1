"""BigQuery for tests: the emulator of PyPI, in a thread, asked through the real client."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from bqemulator.config import LogLevel, Settings
from bqemulator.server import EmulatorServer
from bqemulator.storage.engine import DuckDBEngine
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

PROJECT = "test-project"


class EngineWithoutGeography(DuckDBEngine):
    """The emulator's engine, but without DuckDB's spatial extension, which it would download at each start.

    No setting switches that off. Nothing here asks for a GEOGRAPHY.
    """

    def _load_spatial(self) -> None:
        pass


class Emulator(EmulatorServer):
    """The emulator's server on that engine."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._engine = EngineWithoutGeography(settings)
        self._catalog = MemoryCatalogRepository(self._engine)


@contextmanager
def running() -> Iterator[str]:
    """The address of an emulator that runs as long as the block."""
    settings = Settings(
        rest_port=0,
        grpc_port=0,
        enable_format_extensions=False,
        query_cache_ttl_seconds=0,
        log_level=LogLevel.CRITICAL,
        default_project_id=PROJECT,
    )
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    server, loop = Emulator(settings), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(60)
    # The emulator sets up the logs of the whole process: nobody else would be heard for the rest of it.
    root.setLevel(level)
    root.handlers[:] = handlers
    try:
        yield server.rest_url
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def client_of(address: str) -> bigquery.Client:
    """The real client, for the emulator at an address."""
    return bigquery.Client(
        project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": address}
    )
