"""An interceptor of calls to Google: it counts what is read and written, and can hold calls or make them fail."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat

import grpc
from grpc.aio import AioRpcError, Metadata

from shared.adapters.gcp.connection import Connection, Service, emulator_connection

PATIENCE_SECONDS = 30.0


class Wire:
    """Counts every call that an adapter sends, and can make calls fail before they are sent."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """Calls by the name of the remote procedure."""
        self.read = 0
        """Documents read by name."""
        self.written = 0
        """Documents written."""
        self.failures: Iterator[grpc.StatusCode | None] = iter(())
        """The errors of the next calls, which are then not sent. None lets a call through."""
        self.headers: dict[str, str] = {}
        """The headers of the last call."""
        self.is_open = asyncio.Event()
        """Calls wait for it before they are sent."""
        self.is_open.set()

    async def see(self, details: grpc.aio.ClientCallDetails, request) -> None:
        method = details.method
        name = (method.decode() if isinstance(method, bytes) else method).rpartition("/")[2]
        self.headers = dict(details.metadata or ())
        self.calls[name] += 1
        self.read += 1 if name == "GetDocument" else len(getattr(request, "documents", ()))
        self.written += len(getattr(request, "writes", ()))
        await self.is_open.wait()
        if failure := next(self.failures, None):
            raise AioRpcError(failure, Metadata(), Metadata(), "the wire is cut")

    def cut(self) -> None:
        """Make every call fail."""
        self.failures = repeat(grpc.StatusCode.INTERNAL)

    def cut_after(self, calls: int) -> None:
        """Let `calls` calls through, then make every call fail."""
        self.failures = chain(repeat(None, calls), repeat(grpc.StatusCode.INTERNAL))

    def mend(self) -> None:
        """Let every call through again."""
        self.failures = iter(())

    async def until(self, name: str) -> None:
        """Wait until the remote procedure was called."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.calls[name]:  # noqa: ASYNC110 - what is waited for is a count
                await asyncio.sleep(0.001)

    def forget(self) -> None:
        """Reset all counters and failures."""
        self.__init__()


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def intercept_unary_unary(self, continuation, client_call_details, request):
        await self.wire.see(client_call_details, request)
        return await continuation(client_call_details, request)


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def intercept_unary_stream(self, continuation, client_call_details, request):
        await self.wire.see(client_call_details, request)
        return await continuation(client_call_details, request)


def watched(service: Service, host: str, wire: Wire) -> Connection:
    """A connection to an emulator whose calls all pass through `wire`."""
    return emulator_connection(service, host, [_Unary(wire), _Stream(wire)])
