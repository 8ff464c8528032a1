"""The two faces of the decisions service, called alike: a method and its fields in; JSON or a reason out."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import grpc
import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status

from shared import wiring
from shared.contracts.api.upbeat.v1 import decisions_pb2, decisions_pb2_grpc
from shared.entrypoints.api.grpc_methods import SERVICE
from shared.entrypoints.api.grpc_server import serving
from shared.wiring import Wiring
from tests.support.histories import TERMS

Fields = Mapping[str, Any]


class Refusal(NamedTuple):
    """Why there is no answer."""

    reason: str
    detail: str
    retry_after: int | None
    """The seconds after which to try again."""


class Face(Protocol):
    """One face, called as one caller."""

    async def call(self, method: str, fields: Fields, *, caller: str | None = None) -> dict[str, Any] | Refusal:
        """The answer to a method of the .proto file; without fields that are null or empty lists."""
        ...

    async def send(self, method: str, body: bytes) -> dict[str, Any] | Refusal:
        """The answer to a body that is sent as it is."""
        ...


class GrpcFace:
    """The face over gRPC, on one connection."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self._stub = decisions_pb2_grpc.DecisionsServiceStub(channel)

    async def call(
        self, method: str, fields: Fields, *, caller: str | None = None, seconds: float | None = None
    ) -> dict[str, Any] | Refusal:
        request = getattr(decisions_pb2, SERVICE.methods_by_name[method].input_type.name)(**fields)
        metadata = (("authorization", f"Bearer {token(caller)}"),) if caller else ()
        try:
            answer = await getattr(self._stub, method)(request, metadata=metadata, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            return _refusal(error)
        return as_json(answer)

    async def send(self, method: str, body: bytes) -> dict[str, Any] | Refusal:
        try:
            answer = await self.channel.unary_unary(f"/{SERVICE.full_name}/{method}")(body)
        except grpc.aio.AioRpcError as error:
            return _refusal(error)
        described = SERVICE.methods_by_name[method].output_type
        return as_json(getattr(decisions_pb2, described.name).FromString(answer))


def wired(world: Any, **given: Any) -> Wiring:
    """The wiring of a world of tests."""
    return replace(Wiring(world.application, None, world.bus, world.clock, TERMS), **given)


@asynccontextmanager
async def grpc_face(wired: Wiring) -> AsyncIterator[GrpcFace]:
    """The face over gRPC for a wiring, served in this process."""
    wiring.use(wired)
    try:
        async with serving("127.0.0.1:0") as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield GrpcFace(channel)
    finally:
        wiring.use(None)


def token(email: str) -> str:
    """An OIDC token as Cloud Run passes it on: its claims count, and nobody checks its signature."""
    claims = orjson.dumps({"email": email, "email_verified": True})
    return f"e30.{urlsafe_b64encode(claims).decode().rstrip('=')}.SIGNATURE_REMOVED_BY_GOOGLE"


def as_json(message: Message) -> dict[str, Any]:
    """A message by the names of the .proto file, without what is unset and lists that are empty."""
    described: Descriptor = message.DESCRIPTOR
    if described.full_name == "google.protobuf.Struct":
        whole = MessageToDict(message)
        return dict(_whole_numbers(whole))
    values = ((field, getattr(message, field.name)) for field in described.fields if _is_told(message, field))
    return {field.name: _value(field, value) for field, value in values}


def _is_told(message: Message, field: FieldDescriptor) -> bool:
    if field.is_repeated:
        return bool(getattr(message, field.name))
    return not field.has_presence or message.HasField(field.name)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is None:
        return value
    return [as_json(one) for one in value] if field.is_repeated else as_json(value)


def _whole_numbers(value: Any) -> Any:
    """JSON in which whole numbers are integers again: a Struct knows doubles alone."""
    if isinstance(value, dict):
        return {name: _whole_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


REASONS_OF_GRPC = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: "too_large",
    grpc.StatusCode.DEADLINE_EXCEEDED: "deadline_exceeded",
}
"""The reasons of errors that gRPC itself gives, which have no details."""


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    status = rpc_status.from_call(error)
    detail = error.details() or ""
    if status is None:
        return Refusal(REASONS_OF_GRPC[error.code()], detail, None)
    info, retry = ErrorInfo(), RetryInfo()
    found = {type(one).__name__: True for any_ in status.details for one in (info, retry) if any_.Unpack(one)}
    return Refusal(info.reason, detail, retry.retry_delay.seconds if "RetryInfo" in found else None)
