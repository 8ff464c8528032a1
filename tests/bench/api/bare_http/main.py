"""A bare function over HTTP: it answers each request once it has read one document, and knows nothing else."""

import os

import functions_framework.aio
import grpc
import orjson
from google.cloud.firestore_v1.types import Document, GetDocumentRequest
from starlette.requests import Request
from starlette.responses import Response

DOCUMENT = os.environ["BARE_DOCUMENT"]
"""The full name of the document that every request reads."""
GET, GOT = GetDocumentRequest.pb(), Document.pb()
ROUTING = (
    ("google-cloud-resource-prefix", DOCUMENT.partition("/documents/")[0]),
    ("authorization", "Bearer owner"),
)
made: list[grpc.aio.UnaryUnaryMultiCallable] = []


@functions_framework.aio.http
async def decisions(request: Request) -> Response:
    """Get the document, and tell its size."""
    if request.url.path == "/":
        return Response("ok")
    get = made[0] if made else _make()
    found = await get(GET(name=DOCUMENT, mask={"field_paths": ["blob"]}), metadata=ROUTING)
    size = {"bytes": len(found.fields["blob"].bytes_value)}
    return Response(orjson.dumps(size), media_type="application/json")


def _make() -> grpc.aio.UnaryUnaryMultiCallable:
    """The method, made in the worker when the first request arrives."""
    channel = grpc.aio.insecure_channel(os.environ["FIRESTORE_EMULATOR_HOST"])
    name = "/google.firestore.v1.Firestore/GetDocument"
    made.append(
        channel.unary_unary(name, request_serializer=GET.SerializeToString, response_deserializer=GOT.FromString)
    )
    return made[0]
