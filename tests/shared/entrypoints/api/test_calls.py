"""One call of the API: checked, bounded in time, answered, and told in one log line that names no user."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from shared.contracts.api.methods import METHODS, READING
from shared.domain.errors import Rejected, Transient
from shared.entrypoints.api.calls import Call, CallHandler
from shared.entrypoints.api.problems import Problem
from shared.wiring import Wiring
from tests.shared.entrypoints.api.test_service import World
from tests.support.histories import TERMS, USER
from tests.support.story import paid


def handler(world: World, **wired: Any) -> CallHandler:
    wiring = Wiring(world.application, None, world.bus, world.clock, TERMS)
    return CallHandler(replace(wiring, **wired))


async def reason_of(handler: CallHandler, call: Call) -> str:
    problem = await handler.handle(call)
    assert isinstance(problem, Problem)
    return problem.reason


DECIDE = {"user_id": USER, "placement": "home", "idempotency_key": "k1"}


def test_what_reads_is_all_but_what_decides_and_reports() -> None:
    assert set(METHODS) - READING == {"Decide", "GiveFeedback"}


async def test_a_line_tells_the_call_and_not_the_user(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    calls = handler(World(), user_hash_key="secret")
    await calls.handle(Call("GetEntitlement", {"user_id": USER}))
    assert await reason_of(calls, Call("GetEntitlement", {"user_id": "a b"})) == "invalid"
    first, second = (vars(record)["fields"] for record in caplog.records)
    assert (first["method"], first["outcome"], first["cold_start"]) == ("GetEntitlement", "answered", True)
    assert first["duration_ms"] == 0
    assert len(first["user_hash"]) == 16
    assert (second["outcome"], second["reason"], second["cold_start"]) == ("refused", "invalid", False)
    assert USER not in caplog.text
    assert "a b" not in caplog.text


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    world = World()
    calls = handler(world)

    async def hang(_user: str) -> None:
        await asyncio.sleep(60)

    world.application.records.load = hang  # type: ignore[method-assign, assignment]
    assert await reason_of(calls, Call("Explain", {"user_id": USER}, seconds=0.01)) == "deadline_exceeded"


async def test_a_store_that_is_down_and_a_bug_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    calls = handler(world)

    async def fail(_user: str) -> None:
        raise error

    world.application.records.load = fail  # type: ignore[method-assign, assignment]
    error: Exception = Transient("firestore: UNAVAILABLE")
    assert await reason_of(calls, Call("Explain", {"user_id": USER})) == "unavailable"
    error = ZeroDivisionError("u-secret")
    assert await reason_of(calls, Call("Explain", {"user_id": USER})) == "unexpected_error"
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert caplog.records[1].exc_info


async def test_a_caller_may_ask_for_its_placements_alone() -> None:
    world = World()
    await world.application.handle(paid(0))
    calls = handler(world, api_placements={"home@x": ("home",), "other@x": ("other",)})
    assert await reason_of(calls, Call("Decide", DECIDE, "other@x")) == "not_allowed"
    assert await reason_of(calls, Call("Decide", DECIDE)) == "not_allowed"
    decided = await calls.handle(Call("Decide", DECIDE, "home@x"))
    assert isinstance(decided, dict)
    assert decided["offer"]
    listing = {"user_id": USER}
    found = [await calls.handle(Call("ListOffers", listing, caller)) for caller in ("home@x", "other@x", None)]
    assert [len(one["offers"]) for one in found if isinstance(one, dict)] == [1, 0, 0]
    asked = {**listing, "placement": "home"}
    assert await reason_of(calls, Call("ListOffers", asked, "other@x")) == "not_allowed"


async def test_content_that_cannot_be_read_is_refused_like_a_field(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def unread() -> dict[str, Any]:
        raise Rejected("invalid", "the request: expected a message, found other bytes")

    assert await reason_of(handler(World()), Call("Explain", unread)) == "invalid"
    assert [vars(record)["fields"]["outcome"] for record in caplog.records] == ["refused"]


async def test_a_call_whose_time_was_over_before_it_came_begins_nothing() -> None:
    world = World()
    await world.application.handle(paid(0))
    commits = world.store.commits
    assert await reason_of(handler(world), Call("Decide", DECIDE, seconds=0)) == "deadline_exceeded"
    await asyncio.sleep(0)
    assert world.store.commits == commits


async def test_what_was_begun_is_committed_and_published_though_nobody_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    await world.application.handle(paid(0))
    calls, published, go_on = handler(world), len(world.bus.taken), asyncio.Event()
    commit = world.store.commit

    async def commit_slowly(*given: Any) -> None:
        await go_on.wait()
        await commit(*given)

    world.store.commit = commit_slowly  # type: ignore[method-assign]
    assert await reason_of(calls, Call("Decide", DECIDE, seconds=0.01)) == "deadline_exceeded"
    second = asyncio.create_task(calls.handle(Call("Decide", {**DECIDE, "idempotency_key": "k2"})))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await calls.finish()
    assert len(world.bus.taken) > published
    assert len(world.store.record(USER).requests) == 2
    assert [vars(record)["fields"]["reason"] for record in caplog.records] == ["deadline_exceeded", "caller_gone"]
    repeated = await calls.handle(Call("Decide", DECIDE))
    assert isinstance(repeated, dict)
    assert (repeated["is_repeat"], repeated["is_new"]) == (True, True)
