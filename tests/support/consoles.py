"""Consoles for tests: of a raw log and documents in memory, as a test client or served to a browser."""

import re
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from starlette.testclient import TestClient

from infra.catalog.load import DEFAULT_CATALOG
from infra.console.app import application
from infra.console.catalogs import LoggedCatalogs
from infra.console.counting import FunnelObserver
from infra.console.server import Server, config_of
from infra.console.sources import Documents, Sources
from infra.raw.folder import RawLogWriter
from infra.raw.follower import Follower
from infra.raw.line import Landed, subscription_name
from shared.domain.terms import Terms
from shared.record.user_record import UserRecord
from tests.support.watching import eventually

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ADDRESS = "http://127.0.0.1"
"""The name by which a browser calls the console; it answers to nothing else."""


class MemoryDocuments:
    """Implements `Documents`."""

    def __init__(self, *records: UserRecord) -> None:
        self.records = {record.user_id: record for record in records}

    def read(self, user_id: str) -> UserRecord | None:
        return self.records.get(user_id)

    def names(self, prefix: str, limit: int) -> list[str]:
        return sorted(name for name in self.records if name.startswith(prefix))[:limit]


def sources(folder: Path | None = None, documents: Documents | None = None, **more: Any) -> Sources:
    """The sources of a console that shows a raw log, if a folder is given, and documents, and runs nothing."""
    given = {
        "name": "a test",
        "documents": documents or MemoryDocuments(),
        "now": lambda: NOW,
        "terms": Terms(),
        "catalogs": LoggedCatalogs(folder, DEFAULT_CATALOG),
        "log": Follower(folder, FunnelObserver) if folder else None,
        "running": None,
    }
    return Sources(**{**given, **more})


def client(of: Sources, *, may_write: bool = False, **more: Any) -> TestClient:
    """A client of the console with these sources, which follows no redirects."""
    app = application(of, may_write=may_write)
    return TestClient(app, base_url=ADDRESS, follow_redirects=False, **more)


def land(folder: Path, topic: str, *bodies: Mapping[str, Any] | bytes, at: datetime = NOW, first: int = 1) -> None:
    """Append messages to a raw log, with ids from `first` on."""
    with RawLogWriter(folder, [topic]) as writer:
        writer.append(topic, landed(topic, bodies, at, first))


def landed(
    topic: str, bodies: Iterable[Mapping[str, Any] | bytes], at: datetime = NOW, first: int = 1
) -> Iterator[Landed]:
    """Messages as they land."""
    for number, body in enumerate(bodies, first):
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        yield Landed(subscription_name("p", topic), str(number), at, {}, data)


@contextmanager
def served(of: Sources, *, may_write: bool = False) -> Iterator[str]:
    """Serve the console of these sources from a thread; the address of its front page, without a slash."""
    ending = threading.Event()
    config = config_of(application(of, may_write=may_write, ending=ending))
    config.port = 0
    server = Server(config, ending)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert eventually(lambda: server.started)
    try:
        yield f"{ADDRESS}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.handle_exit(signal.SIGTERM, None)
        thread.join()


def text_of(html: str) -> str:
    """The words of a page, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
