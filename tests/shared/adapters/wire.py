"""The wire to Firestore: counts what is really read and written, and can be cut."""

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
    """Sees every call that a client sends, and can keep it from arriving."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """By the name of the remote procedure."""
        self.read = 0
        """Documents asked for by name."""
        self.written = 0
        """Documents written."""
        self.failures: Iterator[grpc.StatusCode | None] = iter(())
        """What the next calls are answered with, in place of an answer: they do not get through, but for None."""

    def see(self, method: bytes | str, request) -> None:
        name = (method.decode() if isinstance(method, bytes) else method).rpartition("/")[2]
        self.calls[name] += 1
        self.read += len(getattr(request, "documents", ()))
        self.written += len(getattr(request, "writes", ()))
        if failure := next(self.failures, None):
            raise AioRpcError(failure, Metadata(), Metadata(), "the wire is cut")

    def cut(self) -> None:
        """Let nothing through any more."""
        self.failures = repeat(grpc.StatusCode.INTERNAL)

    def cut_after(self, calls: int) -> None:
        """Let so many calls through, and nothing more."""
        self.failures = chain(repeat(None, calls), repeat(grpc.StatusCode.INTERNAL))

    def mend(self) -> None:
        """Let everything through again."""
        self.failures = iter(())

    def forget(self) -> None:
        """Count from nothing."""
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
    """A real client whose every call passes the wire; the environment must name the emulator."""
    channel = grpc.aio.insecure_channel(host, interceptors=[_Unary(wire), _Stream(wire)])
    client = AsyncClient(project=project)
    client._firestore_api_internal = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
    return client


@asynccontextmanager
async def closed(client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """The client, whose connection ends with the block."""
    yield client
    await client._firestore_api.transport.close()
