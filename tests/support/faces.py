"""The two faces of the decisions service, called alike: a method and its fields in, a message or a refusal out."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import grpc
import orjson
from functions_framework.aio import create_asgi_app
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status

from shared import wiring
from shared.contracts.api.methods import GET, METHODS
from shared.contracts.api.upbeat.v1 import decisions_pb2, decisions_pb2_grpc
from shared.entrypoints.api.grpc_methods import SERVICE
from shared.entrypoints.api.grpc_server import serving
from shared.entrypoints.api.http_request import TIMEOUT_HEADER
from shared.wiring import Wiring
from tests.support.asgi import FUNCTIONS, Answered, fetch
from tests.support.histories import TERMS

JSON = {"content-type": "application/json"}
REASONS_OF_GRPC = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: "too_large",
    grpc.StatusCode.DEADLINE_EXCEEDED: "deadline_exceeded",
}
"""The reasons of errors that gRPC itself gives, which have no details."""


class Refusal(NamedTuple):
    """The reason why there is no answer."""

    reason: str
    detail: str
    retry_after: int | None
    """The seconds after which to try again."""


Said = Message | Refusal
"""The answer of a face: a message of the .proto file, or a refusal."""


class Face(Protocol):
    """One face of the service."""

    async def call(
        self, method: str, fields: Mapping[str, Any], *, caller: str | None = None, seconds: float | None = None
    ) -> Said:
        """Call a method of the .proto file as a caller, who waits for so many seconds."""
        ...

    async def send(self, method: str, body: bytes) -> Said:
        """Call a method with a body that is sent as it is."""
        ...


class RestFace:
    """HTTP and JSON: the function `decisions`, called in this process."""

    def __init__(self) -> None:
        self._app = create_asgi_app("decisions", str(FUNCTIONS / "decisions" / "main.py"), "http")

    async def call(
        self, method: str, fields: Mapping[str, Any], *, caller: str | None = None, seconds: float | None = None
    ) -> Said:
        path, rest = _path(method, fields)
        headers = JSON | ({"authorization": f"Bearer {token(caller)}"} if caller else {})
        if seconds is not None:
            headers[TIMEOUT_HEADER] = f"{seconds:.6f}"
        if METHODS[method].verb == GET:
            texts = {name: str(value).lower() if value in {True, False} else value for name, value in rest.items()}
            return _said(method, await fetch(self._app, "GET", f"{path}?{urlencode(texts)}", headers))
        return _said(method, await fetch(self._app, "POST", path, headers, orjson.dumps(rest)))

    async def send(self, method: str, body: bytes) -> Said:
        path, _ = _path(method, {"user_id": "user", "trigger_id": "trigger"})
        return _said(method, await fetch(self._app, METHODS[method].verb, path, JSON, body))


class GrpcFace:
    """gRPC, on one connection."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self._stub = decisions_pb2_grpc.DecisionsServiceStub(channel)

    async def call(
        self, method: str, fields: Mapping[str, Any], *, caller: str | None = None, seconds: float | None = None
    ) -> Said:
        request = getattr(decisions_pb2, SERVICE.methods_by_name[method].input_type.name)(**fields)
        metadata = (("authorization", f"Bearer {token(caller)}"),) if caller else ()
        try:
            answer: Message = await getattr(self._stub, method)(request, metadata=metadata, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            return refusal_of(error)
        return answer

    async def send(self, method: str, body: bytes) -> Said:
        try:
            answer = await self.channel.unary_unary(f"/{SERVICE.full_name}/{method}")(body)
        except grpc.aio.AioRpcError as error:
            return refusal_of(error)
        return answer_type(method).FromString(answer)


def wired(world: Any, **given: Any) -> Wiring:
    """The wiring of a world of tests."""
    return replace(Wiring(world.application, None, world.bus, world.clock, TERMS), **given)


@asynccontextmanager
async def rest_face(wired: Wiring) -> AsyncIterator[RestFace]:
    """HTTP and JSON for a wiring."""
    wiring.use(wired)
    try:
        yield RestFace()
    finally:
        wiring.use(None)


@asynccontextmanager
async def grpc_face(wired: Wiring) -> AsyncIterator[GrpcFace]:
    """gRPC for a wiring, served in this process."""
    wiring.use(wired)
    try:
        async with serving("127.0.0.1:0") as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield GrpcFace(channel)
    finally:
        wiring.use(None)


def answer_type(method: str) -> type[Message]:
    """The message that a method answers."""
    found: type[Message] = getattr(decisions_pb2, SERVICE.methods_by_name[method].output_type.name)
    return found


def token(email: str) -> str:
    """An OIDC token as Cloud Run passes it on, with another signature in place of its own."""
    claims = orjson.dumps({"email": email, "email_verified": True})
    return f"e30.{urlsafe_b64encode(claims).decode().rstrip('=')}.SIGNATURE_REMOVED_BY_GOOGLE"


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """The text of gRPC's error."""
    status, detail = rpc_status.from_call(error), error.details() or ""
    if status is None:
        return Refusal(REASONS_OF_GRPC[error.code()], detail, None)
    info, retry = ErrorInfo(), RetryInfo()
    has_retry = [packed.Unpack(retry) or packed.Unpack(info) for packed in status.details]
    is_repeatable = len(has_retry) > 1
    return Refusal(info.reason, detail, retry.retry_delay.seconds if is_repeatable else None)


def _path(method: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path of a method for some fields, and the fields that it leaves."""
    path, rest = METHODS[method].path, dict(fields)
    for name in [name for name in fields if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(rest.pop(name), safe=""))
    return path, rest


def _said(method: str, answered: Answered) -> Said:
    """The message that a response is: every field of its JSON must be one of the .proto file."""
    if answered.status == 200:
        return answer_type(method)(**answered.json)
    after = answered.headers.get("retry-after")
    return Refusal(answered.json["reason"], answered.json["detail"], int(after) if after else None)
