"""Additions of gRPC to the calls of the API: health, reflection, many calls at once, deadlines and a soft stop."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import given
from hypothesis import strategies as st

from shared import wiring
from shared.contracts.api.methods import METHODS
from shared.contracts.api.upbeat.v1 import decisions_pb2, decisions_pb2_grpc
from shared.entrypoints.api.calls import Call, CallHandler
from shared.entrypoints.api.grpc_methods import SERVICE, content_of
from shared.entrypoints.api.grpc_server import MAX_REQUEST_BYTES, serving
from shared.entrypoints.api.problems import Problem
from tests.shared.entrypoints.api.test_service import World
from tests.support.faces import GrpcFace, Refusal, answer_type, grpc_face, refusal_of, token, wired
from tests.support.histories import USER
from tests.support.story import paid
from tests.support.virtual_time import VirtualTimeLoop

ENTITLEMENT = "GetEntitlement"
DECIDE = {"user_id": USER, "placement": "home", "idempotency_key": "k1"}


@pytest.fixture
async def world() -> World:
    world = World()
    await world.application.handle(paid(0))
    return world


@pytest.fixture
async def face(world: World) -> AsyncIterator[GrpcFace]:
    async with grpc_face(wired(world)) as face:
        yield face


def test_the_methods_are_those_of_the_definition_with_their_fields() -> None:
    assert [method.name for method in SERVICE.methods] == list(METHODS)
    for method in SERVICE.methods:
        assert [field.name for field in method.input_type.fields] == [*METHODS[method.name].request.model_fields]


async def test_the_server_and_its_service_are_healthy(face: GrpcFace) -> None:
    stub = health_pb2_grpc.HealthStub(face.channel)
    for service in ("", "upbeat.v1.DecisionsService"):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_client_without_the_definition_can_ask_for_it(face: GrpcFace) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(face.channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="upbeat.v1.DecisionsService"),
    ]
    listed, described = [answer async for answer in stub.ServerReflectionInfo(iter(asked))]
    assert "upbeat.v1.DecisionsService" in {one.name for one in listed.list_services_response.service}
    files = map(FileDescriptorProto.FromString, described.file_descriptor_response.file_descriptor_proto)
    (service,) = [service for file in files for service in file.service]
    assert [method.name for method in service.method] == list(METHODS)


async def test_a_thousand_calls_at_once_on_one_connection_are_all_answered(face: GrpcFace) -> None:
    answers = await asyncio.gather(*(face.call(ENTITLEMENT, {"user_id": USER}) for _ in range(1000)))
    assert [isinstance(answer, Refusal) for answer in answers].count(False) == 1000


async def test_three_hundred_calls_wait_together_on_one_connection(world: World, face: GrpcFace) -> None:
    load, waiting, go_on = world.application.records.load, 0, asyncio.Event()

    async def wait_for_all(user_id: str) -> Any:
        nonlocal waiting
        waiting += 1
        if waiting == 300:
            go_on.set()
        await go_on.wait()
        return await load(user_id)

    world.application.records.load = wait_for_all  # type: ignore[method-assign]
    answers = await asyncio.gather(*(face.call(ENTITLEMENT, {"user_id": USER}) for _ in range(300)))
    assert not any(isinstance(answer, Refusal) for answer in answers)


async def test_a_request_that_is_too_large_is_refused_before_it_is_read(face: GrpcFace, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    refused = await face.send(ENTITLEMENT, b"x" * (MAX_REQUEST_BYTES + 1))
    assert isinstance(refused, Refusal)
    assert refused.reason == "too_large"
    assert caplog.records == []


words = st.sampled_from([USER, "home", "mail", "clicked", "k1", "2026-01-01T00:00:00Z"]) | st.text(max_size=4)
numbers = st.integers(-(2**63), 2**63 - 1)


@st.composite
def bodies(draw: st.DrawFn, method: str) -> bytes:
    """A request whose fields have anything of their types, or any bytes."""
    described = SERVICE.methods_by_name[method].input_type
    strategies = {FieldDescriptor.TYPE_STRING: words, FieldDescriptor.TYPE_BOOL: st.booleans()}
    fields = {field.name: draw(strategies.get(field.type, numbers)) for field in described.fields}
    whole: bytes = getattr(decisions_pb2, described.name)(**fields).SerializeToString()
    return draw(st.just(whole) | st.just(whole + b"\xfa\x07\x01x") | st.just(whole[:-1]) | st.binary(max_size=60))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
def test_whatever_comes_a_method_answers_it_or_refuses_it_for_what_it_is(method: str, data: st.DataObject) -> None:
    world, body = World(), data.draw(bodies(method))
    calls = CallHandler(wired(world))
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        found = runner.run(answer_of(calls, method, body))
    if isinstance(found, Problem):
        assert found.kind.code in {"INVALID_ARGUMENT", "NOT_FOUND"}


async def answer_of(calls: CallHandler, method: str, body: bytes) -> Message | Problem:
    """The answer of a method to bytes, as the handler that gRPC calls takes them."""
    request = getattr(decisions_pb2, SERVICE.methods_by_name[method].input_type.name)
    answer = await calls.handle(Call(method, partial(content_of, request, body)))
    return answer if isinstance(answer, Problem) else answer_type(method)(**answer)


async def test_a_method_that_is_not_defined_is_unimplemented(face: GrpcFace) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await face.channel.unary_unary("/upbeat.v1.DecisionsService/Delete")(b"")
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_service_for_readers_refuses_what_changes_something(world: World) -> None:
    async with grpc_face(wired(world, api_only_reads=True)) as face:
        refused = await face.call("Decide", DECIDE)
        read = await face.call(ENTITLEMENT, {"user_id": USER})
    assert isinstance(refused, Refusal)
    assert refused.reason == "not_allowed"
    assert not isinstance(read, Refusal)
    assert world.store.commits == 1


async def test_a_small_request_that_unpacks_into_a_large_one_is_refused(face: GrpcFace) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await face.channel.unary_unary(f"/{SERVICE.full_name}/{ENTITLEMENT}")(
            bytes(50_000_000), compression=grpc.Compression.Gzip
        )
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_of_two_tokens_none_counts(world: World) -> None:
    both = tuple(("authorization", f"Bearer {token(caller)}") for caller in ("home@x", "other@x"))
    async with grpc_face(wired(world, api_placements={"home@x": ("home",), "other@x": ("home",)})) as face:
        stub = decisions_pb2_grpc.DecisionsServiceStub(face.channel)
        request = decisions_pb2.DecideRequest(**DECIDE)
        assert (await stub.Decide(request, metadata=both[:1])).HasField("offer")
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.Decide(request, metadata=both)
    assert refusal_of(error.value).reason == "not_allowed"


async def test_a_field_of_a_later_version_is_ignored(face: GrpcFace) -> None:
    later = decisions_pb2.GetEntitlementRequest(user_id=USER).SerializeToString() + b"\xfa\x07\x01x"
    assert not isinstance(await face.send(ENTITLEMENT, later), Refusal)


async def test_a_read_ends_at_its_deadline(world: World, face: GrpcFace) -> None:
    given_up = asyncio.Event()

    async def hang(_user: str) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            given_up.set()

    world.application.records.load = hang  # type: ignore[method-assign, assignment]
    refused = await face.call(ENTITLEMENT, {"user_id": USER}, seconds=0.05)
    assert isinstance(refused, Refusal)
    assert refused.reason == "deadline_exceeded"
    async with asyncio.timeout(5):
        await given_up.wait()


async def test_a_decision_that_was_begun_is_published_though_its_deadline_passed(world: World) -> None:
    commit, begun, go_on = world.store.commit, asyncio.Event(), asyncio.Event()

    async def commit_slowly(*given: Any) -> None:
        begun.set()
        await go_on.wait()
        await commit(*given)

    world.store.commit = commit_slowly  # type: ignore[method-assign]
    published = len(world.bus.taken)
    async with grpc_face(wired(world)) as face:
        refused = await face.call("Decide", DECIDE, seconds=0.2)
        assert isinstance(refused, Refusal)
        assert refused.reason == "deadline_exceeded"
        assert begun.is_set()
        go_on.set()
    assert len(world.bus.taken) > published


async def test_what_is_under_way_when_the_server_stops_is_answered(world: World) -> None:
    load, begun, go_on = world.application.records.load, asyncio.Event(), asyncio.Event()

    async def wait(user_id: str) -> Any:
        begun.set()
        await go_on.wait()
        return await load(user_id)

    world.application.records.load = wait  # type: ignore[method-assign]
    wiring.use(wired(world))
    async with serving("127.0.0.1:0") as port:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        call = asyncio.create_task(GrpcFace(channel).call(ENTITLEMENT, {"user_id": USER}))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    wiring.use(None)
    answer = await call
    await channel.close()
    assert isinstance(answer, decisions_pb2.GetEntitlementResponse)
    assert answer.entitled


@pytest.mark.usefixtures("face")
async def test_a_port_that_is_taken_is_refused() -> None:
    async with serving("127.0.0.1:0") as port:
        with pytest.raises(RuntimeError, match="bind"):
            async with serving(f"127.0.0.1:{port}"):
                pass
