"""An interceptor of Firestore calls: it counts documents read and written, and can make calls fail."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat

import grpc
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from grpc.aio import AioRpcError, Metadata


class Wire:
    """Counts every call that a client sends, and can make calls fail before they are sent."""

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
        self.read += len(getattr(request, "documents", ()))
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


def firestore_client(host: str, project: str, wire: Wire) -> AsyncClient:
    """A real client whose calls all pass through `wire`. The environment must name the emulator."""
    channel = grpc.aio.insecure_channel(host, interceptors=[_Unary(wire), _Stream(wire)])
    client = AsyncClient(project=project)
    client._firestore_api_internal = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
    return client


@asynccontextmanager
async def closed(client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """The client, with its connection closed at the end of the block."""
    yield client
    await client._firestore_api.transport.close()
