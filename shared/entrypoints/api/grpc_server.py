"""The server of the decisions API over gRPC: one process on one event loop, with health checks and reflection."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from shared import wiring
from shared.entrypoints.api import calls
from shared.entrypoints.api.grpc_methods import SERVICE, method_handlers

MAX_REQUEST_BYTES = 16 * 1024
"""The largest request, as over HTTP. gRPC refuses a larger one before it takes memory for it."""
GRACE_SECONDS = 8.0
"""The time for calls under way when the server stops. Cloud Run kills it 10 s after SIGTERM.

https://cloud.google.com/run/docs/container-contract#instance-shutdown.
"""
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.so_reuseport", 0),  # a second server on the port fails, instead of taking half of the connections
)
STOPS = (signal.SIGTERM, signal.SIGINT)


def serve() -> None:
    """Serve at `HOST` and `PORT` until SIGTERM. Raises `InvalidSettings` if a setting is missing or invalid."""
    wiring.check_settings()
    address = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8080')}"  # noqa: S104 - a container
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(address))


async def _serve(address: str) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in STOPS:
        loop.add_signal_handler(number, stop.set)
    async with serving(address):
        await stop.wait()


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[int]:
    """A server at an address, and its port. In the end, calls under way are answered, for 8 s at most.

    Raises `RuntimeError` if the address is taken.
    """
    handler = calls.current()
    server, healthy = grpc.aio.server(options=OPTIONS), health.aio.HealthServicer()
    server.add_generic_rpc_handlers((method_handlers(handler),))
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    port: int = server.add_insecure_port(address)
    await healthy.set(SERVICE.full_name, health_pb2.HealthCheckResponse.SERVING)
    await server.start()
    try:
        yield port
    finally:
        await healthy.enter_graceful_shutdown()
        await server.stop(GRACE_SECONDS)
        await handler.finish()
