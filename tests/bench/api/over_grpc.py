"""GetEntitlement over gRPC against a bare grpc.aio handler that does one get, both on one document."""

import asyncio
import shutil
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import grpc

from infra.deploy.package import compose
from infra.emulator.emulators import Emulators
from infra.remote.endpoints import LOCALHOST
from shared.contracts.api.upbeat.v1.decisions_pb2 import GetEntitlementRequest
from tests.bench.api.comparison import AT_ONCE, BARE, OURS, USER, Turn, compared, store
from tests.bench.cpu import cpu_seconds
from tests.bench.report import Result, progress
from tests.support.booted import SERVICE, Booted, make_interpreter

FOLDER = Path(__file__).with_name("bare_grpc")
METHODS = {OURS: "/upbeat.v1.DecisionsService/GetEntitlement", BARE: "/bench.Bare/Get"}
START_SECONDS = 60.0


def entitlements_over_grpc(turns: int, calls: int, emulators: Emulators | None = None) -> list[Result]:
    """Compare, by turns of so many calls each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="upbeat-bench-")))
        running = emulators or stack.enter_context(Emulators())
        endpoints = running.endpoints(f"bench-{uuid4().hex[:12]}")
        document = store(endpoints)
        python = make_interpreter(folder / "interpreter")
        compose("decisions_grpc", folder / "ours", precompile=True)
        shutil.copytree(FOLDER, folder / "bare")
        settings = {"UPBEAT_LOG_LEVEL": "INFO", "UPBEAT_USER_HASH_KEY": "bench"}
        started = [
            Booted(name, folder / name, python, {**endpoints.env, **env}, SERVICE)
            for name, env in (("ours", settings), ("bare", {"BARE_DOCUMENT": document}))
        ]
        servers = dict(zip(METHODS, map(stack.enter_context, started), strict=True))
        measured = asyncio.run(_measure(servers, turns, calls))
    return list(compared("gRPC", measured))


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
    return Turn.of(latencies, spent)
