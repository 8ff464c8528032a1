"""A bare server of grpc.aio: it answers each call once it has read one document, and knows nothing else."""

import asyncio
import os
import signal

import grpc
import uvloop
from google.cloud.firestore_v1.types import Document, GetDocumentRequest

DOCUMENT = os.environ["BARE_DOCUMENT"]
"""The full name of the document that every call reads."""
GET, GOT = GetDocumentRequest.pb(), Document.pb()
DATABASE = DOCUMENT.partition("/documents/")[0]
ROUTING = (("google-cloud-resource-prefix", DATABASE), ("authorization", "Bearer owner"))


async def serve() -> None:
    channel = grpc.aio.insecure_channel(os.environ["FIRESTORE_EMULATOR_HOST"])
    get = channel.unary_unary(
        "/google.firestore.v1.Firestore/GetDocument",
        request_serializer=GET.SerializeToString,
        response_deserializer=GOT.FromString,
    )

    async def answer(_request: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        found = await get(GET(name=DOCUMENT, mask={"field_paths": ["blob"]}), metadata=ROUTING)
        return len(found.fields["blob"].bytes_value).to_bytes(4)

    server = grpc.aio.server()
    methods = {"Get": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Bare", methods),))
    server.add_insecure_port(f"{os.environ['HOST']}:{os.environ['PORT']}")
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await server.stop(1)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
