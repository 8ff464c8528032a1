"""Calls to Google's services: bounded in time, repeated where that is safe, and `Transient` where they fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from grpc import StatusCode
from grpc.aio import AioRpcError

from shared.adapters.gcp.connection import Service
from shared.domain.errors import Transient

Answer = TypeVar("Answer")

RPC_SECONDS = 10.0
"""The bound on one call of a port, in seconds. An event makes at most five: they fit into a function's 60 s."""
WAITS = (0.05, 0.1, 0.2, 0.4, 0.5, 0.5)
"""The seconds before each repetition of a call: less than 2 s in all."""


@asynccontextmanager
async def rpc(service: Service, seconds: float) -> AsyncIterator[None]:
    """Bound the calls of the block to `seconds` in all. Raises `Transient` if they fail or take longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except AioRpcError as error:
        raise Transient(f"{service.name}: {error.code().name}") from error
    except TimeoutError as error:
        raise Transient(f"{service.name}: no answer within {seconds:g} s") from error


async def repeated(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of a call that is safe to repeat, which is made again while the service is unavailable.

    A connection that died while the instance was idle fails the next call; then a new one is made.
    """
    for wait in WAITS:
        try:
            return await call()
        except AioRpcError as error:
            if error.code() is not StatusCode.UNAVAILABLE:
                raise
        await asyncio.sleep(wait)
    return await call()


def is_refusal(error: Exception) -> bool:
    """True if a service did not take a request because of its content: one of its items may be to blame."""
    return isinstance(error, AioRpcError) and error.code() is StatusCode.INVALID_ARGUMENT
