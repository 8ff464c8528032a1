"""How Google's services are asked: within a bound, since their clients by themselves try for minutes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from google.api_core.exceptions import GoogleAPICallError, RetryError, ServiceUnavailable
from google.api_core.retry import AsyncRetry, if_exception_type

from shared.domain.errors import Transient

RPC_SECONDS = 10.0
"""How long one call of a port may take: the five that an event makes at most fit into a function's 60 s."""

RECONNECT = AsyncRetry(if_exception_type(ServiceUnavailable), initial=0.05, maximum=0.5, timeout=2.0)
"""For calls that may be made twice: a connection that died while the instance slept is made anew."""


@asynccontextmanager
async def rpc(service: str, seconds: float) -> AsyncIterator[None]:
    """Give what is asked inside so many seconds. Raises `Transient` for every answer that is none."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (GoogleAPICallError, RetryError, TimeoutError) as error:
        raise Transient(f"{service}: {type(error).__name__}") from error
