"""The methods of the decisions service over gRPC: protobuf in and out, around the calls that both faces make.

An error has its gRPC code and its sentence, and in `grpc-status-details-bin` a `google.rpc.ErrorInfo` with the
reason that HTTP gives, and a `RetryInfo` if the same request may succeed later.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from shared.contracts.api.methods import READING
from shared.contracts.api.upbeat.v1 import decisions_pb2
from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected
from shared.entrypoints.api.callers import caller_of
from shared.entrypoints.api.calls import MAX_SECONDS, Call, CallHandler
from shared.entrypoints.api.problems import NOT_ALLOWED, Problem
from shared.observability.trace import TRACE, traceparent

SERVICE = decisions_pb2.DESCRIPTOR.services_by_name["DecisionsService"]
DOMAIN = "upbeat"
"""The namespace of the reasons: https://google.aip.dev/193."""
DETAILS = "grpc-status-details-bin"
"""The trailing metadata of gRPC's richer errors: https://grpc.io/docs/guides/error/#richer-error-model."""

Method = Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]


def method_handlers(handler: CallHandler) -> grpc.GenericRpcHandler:
    """The methods of the .proto file, for a server of gRPC."""
    methods = {each.name: grpc.unary_unary_rpc_method_handler(_method(handler, each)) for each in SERVICE.methods}
    return grpc.method_handlers_generic_handler(SERVICE.full_name, methods)


def _method(handler: CallHandler, described: MethodDescriptor) -> Method:
    """One method from the bytes of its request to those of its answer.

    gRPC itself would answer UNKNOWN to bytes that are no message.
    """
    request_type: type[Message] = getattr(decisions_pb2, described.input_type.name)
    answer_type: type[Message] = getattr(decisions_pb2, described.output_type.name)
    is_refused = handler.wired.api_only_reads and described.name not in READING

    async def respond(data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        headers = _headers(context.invocation_metadata() or ())
        TRACE.set(traceparent({}, headers))
        remaining = context.time_remaining()
        seconds = MAX_SECONDS if remaining is None else remaining
        content = partial(_refuse if is_refused else content_of, request_type, data)
        answer = await handler.handle(Call(described.name, content, caller_of(headers), seconds))
        if isinstance(answer, Problem):
            return bytes(await context.abort(*_status(answer)))  # it raises
        return bytes(answer_type(**answer).SerializeToString())

    return respond


def _headers(metadata: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    """The texts that come once. Of two tokens, nobody could say which one Cloud Run has checked."""
    texts = [(name, value) for name, value in metadata if isinstance(value, str)]
    times = Counter(name for name, _ in texts)
    return {name: value for name, value in texts if times[name] == 1}


async def content_of(request_type: type[Message], data: bytes) -> dict[str, Any]:
    """The fields that a request has. As usual in protobuf, unknown ones are ignored, and empty ones are unset.

    Raises `Rejected` (`invalid`) for bytes that are no such message.
    """
    try:
        request = request_type.FromString(data)
    except DecodeError:
        expected = f"{request_type.DESCRIPTOR.full_name} in protobuf"
        raise Rejected(RejectionReason.INVALID, f"the request: expected {expected}, found other bytes") from None
    return {field.name: value for field, value in request.ListFields()}


async def _refuse(request_type: type[Message], _data: bytes) -> dict[str, Any]:
    expected = "a method that only reads; another service has the others"
    raise Rejected(
        NOT_ALLOWED, f"{request_type.DESCRIPTOR.name}: expected {expected}, found one that changes something"
    )


def _status(problem: Problem) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """The code, the sentence and the trailing metadata of a problem."""
    code = grpc.StatusCode[problem.kind.code]
    status = Status(code=code.value[0], message=problem.detail)
    status.details.add().Pack(ErrorInfo(reason=problem.reason, domain=DOMAIN))
    if problem.retry_after is not None:
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=problem.retry_after)))
    return code, problem.detail, ((DETAILS, status.SerializeToString()),)
