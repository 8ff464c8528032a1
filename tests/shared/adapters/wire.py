"""An interceptor of Firestore calls: it counts documents read and written, and can make calls fail."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat

import grpc
from grpc.aio import AioRpcError, Metadata

from shared.adapters.gcp.connection import FIRESTORE, Connection, emulator_connection


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

    def see(self, method: bytes | str, request) -> None:
        name = (method.decode() if isinstance(method, bytes) else method).rpartition("/")[2]
        self.calls[name] += 1
        self.read += 1 if name == "GetDocument" else len(getattr(request, "documents", ()))
        self.written += len(getattr(request, "writes", ()))
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

    def forget(self) -> None:
        """Reset all counters and failures."""
        self.__init__()


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def intercept_unary_unary(self, continuation, client_call_details, request):
        self.wire.see(client_call_details.method, request)
        return await continuation(client_call_details, request)


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def intercept_unary_stream(self, continuation, client_call_details, request):
        self.wire.see(client_call_details.method, request)
        return await continuation(client_call_details, request)


def firestore_connection(host: str, wire: Wire) -> Connection:
    """A connection to the emulator whose calls all pass through `wire`."""
    return emulator_connection(FIRESTORE, host, [_Unary(wire), _Stream(wire)])
