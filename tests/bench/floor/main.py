"""The floor: the least that a function can do with an event, as a measure of what the transport alone costs.

It reads the user's document, writes it back on the condition that it has not changed, and publishes once, with
plain protobuf messages over one gRPC channel to each service. It decides nothing: the environment's variable
`FLOOR_PROFILES` says, for each path of a request, how many bytes to store and to publish.
"""

import json
import os
from base64 import b64decode

import functions_framework.aio
import grpc
import orjson
from google.cloud.firestore_v1.types import CommitRequest, CommitResponse, Document, GetDocumentRequest
from google.pubsub_v1.types import PublishRequest, PublishResponse
from starlette.requests import Request
from starlette.responses import Response

PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]
DATABASE = f"projects/{PROJECT}/databases/(default)"
PROFILES = json.loads(os.environ["FLOOR_PROFILES"])
"""By the path of a request: `stored`, the bytes of the document or null; `published`, those of each message."""
GET, GOT = GetDocumentRequest.pb(), Document.pb()
COMMIT, COMMITTED = CommitRequest.pb(), CommitResponse.pb()
PUBLISH, PUBLISHED = PublishRequest.pb(), PublishResponse.pb()
CONFLICTS = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.ABORTED)
ROUTING = (("google-cloud-resource-prefix", DATABASE), ("authorization", "Bearer owner"))


class Services:
    """One channel to each service, made in the worker when the first request arrives."""

    def __init__(self) -> None:
        firestore = grpc.aio.insecure_channel(os.environ["FIRESTORE_EMULATOR_HOST"])
        pubsub = grpc.aio.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"])
        self.get = _method(firestore, "google.firestore.v1.Firestore/GetDocument", GET, GOT)
        self.commit = _method(firestore, "google.firestore.v1.Firestore/Commit", COMMIT, COMMITTED)
        self.publish = _method(pubsub, "google.pubsub.v1.Publisher/Publish", PUBLISH, PUBLISHED)


def _method(channel, name, request, response):
    """A method of a service, as a generated stub makes it."""
    return channel.unary_unary(
        f"/{name}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
    )


made: list[Services] = []


@functions_framework.aio.http
async def payment(request: Request) -> Response:
    """Get, commit and publish what the profile says."""
    if request.method != "POST":
        return Response("ok\n")
    services = made[0] if made else _make()
    profile = PROFILES[request.url.path.strip("/")]
    push = orjson.loads(await request.body())
    event = orjson.loads(b64decode(push["message"]["data"]))
    name = f"{DATABASE}/documents/floor/{event['user_id']}"
    while not await _is_stored(services, name, profile["stored"]):
        pass  # another request has written it in between
    if profile["published"]:
        await services.publish(_publish(profile["published"]))
    return Response(status_code=204)


def _make() -> Services:
    made.append(Services())
    return made[0]


async def _is_stored(services: Services, name: str, size: int | None) -> bool:
    """Read a document, and write it if it has a size. False if it has changed in between."""
    update_time = await _update_time(services, name)
    try:
        if size is not None:
            await services.commit(_commit(name, size, update_time), metadata=ROUTING)
    except grpc.aio.AioRpcError as error:
        if error.code() not in CONFLICTS:
            raise
        return False
    return True


async def _update_time(services: Services, name: str):
    """The update time of a document; None if it does not exist."""
    try:
        found = await services.get(GET(name=name, mask={"field_paths": ["blob"]}), metadata=ROUTING)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    return found.update_time


def _commit(name: str, size: int, update_time):
    """A write of one document, if it is still as it was read. Random bytes, since ours are compressed."""
    request = COMMIT(database=DATABASE)
    write = request.writes.add()
    write.update.name = name
    write.update.fields["blob"].bytes_value = os.urandom(size)
    if update_time is None:
        write.current_document.exists = False
    else:
        write.current_document.update_time.CopyFrom(update_time)
    return request


def _publish(sizes: list[int]):
    """One request with as many messages, of as many bytes, as our function publishes to all of its topics."""
    return PUBLISH(topic=f"projects/{PROJECT}/topics/floor", messages=[{"data": bytes(size)} for size in sizes])
