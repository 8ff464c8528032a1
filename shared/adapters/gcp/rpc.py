"""RPCs to Google's services, bounded in time: by default Google's clients retry for 60 to 300 seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from google.api_core.exceptions import GoogleAPICallError, RetryError, ServiceUnavailable
from google.api_core.retry import AsyncRetry, if_exception_type

from shared.domain.errors import Transient

RPC_SECONDS = 10.0
"""The bound on one call of a port, in seconds. An event makes at most five: they fit into a function's 60 s."""

# A connection that died while the instance was idle fails the next call with `ServiceUnavailable`: reconnect.
# Only for calls that are safe to repeat. https://googleapis.dev/python/google-api-core/latest/retry.html
RECONNECT = AsyncRetry(if_exception_type(ServiceUnavailable), initial=0.05, maximum=0.5, timeout=2.0)
"""Retries with exponential back-off from 0.05 s to 0.5 s, for 2 s in all."""


@asynccontextmanager
async def rpc(service: str, seconds: float) -> AsyncIterator[None]:
    """Bound the RPCs of the block to `seconds` in all. Raises `Transient` if they fail or take longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (GoogleAPICallError, RetryError, TimeoutError) as error:
        raise Transient(f"{service}: {type(error).__name__}") from error
