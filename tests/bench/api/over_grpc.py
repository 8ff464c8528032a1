"""GetEntitlement over gRPC against a bare grpc.aio handler that does one get, both on one document."""

import asyncio
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import uuid4

import grpc

from infra.catalog.load import artifacts_of, load_catalog
from infra.deploy.package import compose
from infra.emulator.emulators import Emulators
from infra.remote.endpoints import LOCALHOST, Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id
from shared.contracts.api.upbeat.v1.decisions_pb2 import GetEntitlementRequest
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.record.codec import pack
from shared.record.user_record import UserRecord
from tests.bench.cpu import cpu_seconds
from tests.bench.report import Result, progress
from tests.support.booted import SERVICE, Booted, make_interpreter
from tests.support.story import paid

BARE = Path(__file__).with_name("bare_grpc")
USER = "user-1"
AT_ONCE = (8, 32)
GOAL = 1.5
"""The ratio of the p99 that is to be reached at most."""
PAYMENTS = 12
METHODS = {"ours": "/upbeat.v1.DecisionsService/GetEntitlement", "a bare get": "/bench.Bare/Get"}
START_SECONDS = 60.0


class Turn(NamedTuple):
    """What one server did in one turn."""

    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""
    cpu: float
    """Microseconds per call."""


def entitlements_over_grpc(turns: int, calls: int, emulators: Emulators | None = None) -> list[Result]:
    """Compare, by turns of so many calls each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="upbeat-bench-")))
        running = emulators or stack.enter_context(Emulators())
        endpoints = running.endpoints(f"bench-{uuid4().hex[:12]}")
        document = _store(endpoints)
        python = make_interpreter(folder / "interpreter")
        compose("decisions_grpc", folder / "ours", precompile=True)
        shutil.copytree(BARE, folder / "bare")
        settings = {"UPBEAT_LOG_LEVEL": "INFO", "UPBEAT_USER_HASH_KEY": "bench"}
        started = [
            Booted(name, folder / name, python, {**endpoints.env, **env}, SERVICE)
            for name, env in (("ours", settings), ("bare", {"BARE_DOCUMENT": document}))
        ]
        servers = dict(zip(METHODS, map(stack.enter_context, started), strict=True))
        measured = asyncio.run(_measure(servers, turns, calls))
    return list(_compared(measured))


def _store(endpoints: Endpoints) -> str:
    """Store a user who pays every month. Returns the full name of the document."""
    catalog, client = load_catalog(), emulator_client(endpoints)
    publish_catalog(client, catalog, artifacts_of(catalog))
    history = History()
    for month in range(PAYMENTS):
        history = history.add(paid(30 * month), Terms()).history
    blob = pack(UserRecord(USER, history=history))
    reference = client.collection(SUBSCRIPTIONS).document(user_document_id(USER))
    reference.set({"user_id": USER, "blob": blob, "summary": {}})
    return f"projects/{endpoints.project}/databases/(default)/documents/{reference.path}"


async def _measure(servers: dict[str, Booted], turns: int, calls: int) -> dict[tuple[int, str], list[Turn]]:
    """Give both servers the same calls, in turns, the first of which only warms up."""
    measured: dict[tuple[int, str], list[Turn]] = defaultdict(list)
    channels = {name: grpc.aio.insecure_channel(f"{LOCALHOST}:{booted.port}") for name, booted in servers.items()}
    for channel in channels.values():
        async with asyncio.timeout(START_SECONDS):
            await channel.channel_ready()
    for turn in range(turns + 1):
        progress(f"api: gRPC, turn {turn} of {turns}" if turn else "api: gRPC, warming up")
        for at_once in AT_ONCE:
            for name, booted in servers.items():
                done = await _turn(booted, channels[name].unary_unary(METHODS[name]), calls, at_once)
                if turn:
                    measured[at_once, name].append(done)
    for channel in channels.values():
        await channel.close()
    return measured


async def _turn(booted: Booted, method: grpc.aio.UnaryUnaryMultiCallable, calls: int, at_once: int) -> Turn:
    """Make the calls, so many at once on one connection. Raises `grpc.aio.AioRpcError` if one fails."""
    request = GetEntitlementRequest(user_id=USER).SerializeToString()
    latencies: list[float] = []

    async def call_again() -> None:
        while len(latencies) < calls:
            began = time.perf_counter()
            await method(request)
            latencies.append((time.perf_counter() - began) * 1e3)

    before = cpu_seconds(booted.process.pid or 0)
    await asyncio.gather(*(call_again() for _ in range(at_once)))
    spent = cpu_seconds(booted.process.pid or 0) - before
    percentiles = quantiles(latencies, n=100, method="inclusive")
    return Turn(percentiles[49], percentiles[98], spent / len(latencies) * 1e6)


def _compared(measured: dict[tuple[int, str], list[Turn]]) -> Iterator[Result]:
    for at_once in AT_ONCE:
        ours, bare = (measured[at_once, name] for name in METHODS)
        for field, unit, goal in (("p99", "ms", GOAL), ("p50", "ms", None), ("cpu", "µs", None)):
            mine, others = ([getattr(turn, field) for turn in turns] for turns in (ours, bare))
            what = f"GetEntitlement over gRPC, {at_once} at once, {field if field != 'cpu' else 'CPU'}"
            yield Result("api", what, unit, mine, "a bare get", others, goal)
