"""The two faces of the API say the same: every method, and every kind of bad input."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.contracts.api.methods import METHODS
from shared.domain.errors import Transient
from tests.shared.entrypoints.api.test_service import World
from tests.support.faces import Face, Refusal, Said, grpc_face, rest_face, wired
from tests.support.histories import USER
from tests.support.story import paid, trial

Script = Callable[[Face, World], Awaitable[list[Said]]]
DECIDE = {"user_id": USER, "placement": "home", "idempotency_key": "k1"}
COMPLETE: dict[str, dict[str, Any]] = {
    "GetSubscription": {"user_id": USER},
    "GetEntitlement": {"user_id": USER},
    "Decide": DECIDE,
    "ListOffers": {"user_id": USER},
    "GiveFeedback": {"user_id": USER, "trigger_id": "t", "kind": "clicked"},
    "Explain": {"user_id": USER},
}
"""A request of each method."""
BAD_IDS = {
    "a slash": "a/b",
    "a space": "a b",
    "a letter beyond ASCII": "jürgen",
    "an emoji": "👍",
    "a control character": "a\x00b",
    "too long": "a" * 257,
}


async def said_by_both(script: Script, **wiring: Any) -> list[Said]:
    """The answers to a script over HTTP, which is exactly what it is told over gRPC."""
    told = []
    for face_for in (rest_face, grpc_face):
        world = World()
        async with face_for(wired(world, **wiring)) as face:
            told.append(await script(face, world))
    assert told[0] == told[1]
    return told[0]


def refusals(said: list[Said]) -> list[Refusal]:
    assert all(isinstance(one, Refusal) for one in said), said
    return [one for one in said if isinstance(one, Refusal)]


def reasons(said: list[Said]) -> list[str]:
    return [refusal.reason for refusal in refusals(said)]


@pytest.mark.slow
async def test_a_user_is_read_offered_shown_answered_and_explained() -> None:
    async def script(face: Face, world: World) -> list[Said]:
        await world.application.handle(trial(0, ends=14))
        await world.application.handle(paid(1))
        said = [
            await face.call("GetSubscription", {"user_id": USER, "every": True, "min_sequence": 1}),
            await face.call("GetSubscription", {"user_id": USER, "after_event_id": "none-such"}),
            await face.call("GetEntitlement", {"user_id": USER}),
            await face.call("Decide", DECIDE | {"dry_run": True}),
            decided := await face.call("Decide", DECIDE),
            await face.call("Decide", DECIDE),
            await face.call("Decide", DECIDE | {"idempotency_key": "k2"}),
            await face.call("ListOffers", {"user_id": USER}),
            await face.call("ListOffers", {"user_id": USER, "placement": "mail"}),
        ]
        trigger = {"user_id": USER, "trigger_id": decided.offer.trigger_id}  # type: ignore[union-attr]
        at = "2026-01-01T00:00:00Z"
        said += [
            await face.call(
                "GiveFeedback", {**trigger, "kind": "impression", "occurred_at": at, "event_id": "e1"}
            ),
            await face.call("GiveFeedback", {**trigger, "kind": "clicked"}),
            await face.call("GiveFeedback", {**trigger, "kind": "clicked"}),
            await face.call("Explain", {"user_id": USER}),
        ]
        return said

    said: list[Any] = await said_by_both(script)
    assert said[0].subscription.facts["trial_ends_at"] == "2026-01-15T00:00:00Z"
    assert [one.stale for one in said[:2]] == [False, True]
    assert (said[2].entitled, said[2].status) == (True, "active")
    assert [one.offer.cms_ref for one in said[3:7]] == ["c1"] * 4
    assert [(one.is_new, one.is_repeat) for one in said[3:7]] == [
        (True, False),
        (True, False),
        (True, True),
        (False, False),
    ]
    assert [len(one.offers) for one in said[7:9]] == [1, 0]
    assert [one.outcome for one in said[9:12]] == ["applied", "applied", "duplicate"]
    assert said[12].decision["outcome"] == "withheld"


async def test_nothing_is_known_of_an_unknown_user_and_that_is_an_answer() -> None:
    async def script(face: Face, _world: World) -> list[Said]:
        return [await face.call(method, COMPLETE[method]) for method in COMPLETE if method != "GiveFeedback"]

    subscription, entitlement, decided, offers, explained = await said_by_both(script)
    assert (subscription.subscription.status, entitlement.status) == ("none", "none")  # type: ignore[union-attr]
    assert not entitlement.entitled  # type: ignore[union-attr]
    assert decided.HasField("offer")  # type: ignore[union-attr]
    assert list(offers.offers) != []  # type: ignore[union-attr]
    assert explained.HasField("decision")  # type: ignore[union-attr]


@pytest.mark.parametrize("bad", BAD_IDS.values(), ids=BAD_IDS)
async def test_a_bad_id_is_refused_wherever_it_stands_and_not_repeated(bad: str) -> None:
    async def script(face: Face, _world: World) -> list[Said]:
        return [
            await face.call(method, COMPLETE[method] | {name: bad})
            for method, (request, *_) in METHODS.items()
            for name in request.model_fields
            if name.endswith(("_id", "_key")) or name == "placement"
        ]

    said = refusals(await said_by_both(script))
    assert len(said) == 12
    assert {refusal.reason for refusal in said} == {"invalid"}
    assert not any(bad in refusal.detail for refusal in said)


@pytest.mark.parametrize("method", COMPLETE)
async def test_an_empty_id_is_refused(method: str) -> None:
    for face_for in (rest_face, grpc_face):
        async with face_for(wired(World())) as face:
            assert reasons([await face.call(method, COMPLETE[method] | {"user_id": ""})]) == ["invalid"]


async def test_what_the_catalog_or_a_closed_list_does_not_have_is_refused() -> None:
    async def script(face: Face, _world: World) -> list[Said]:
        return [
            await face.call("Decide", DECIDE | {"placement": "nowhere"}),
            await face.call("GiveFeedback", COMPLETE["GiveFeedback"] | {"kind": "liked"}),
            await face.call("GiveFeedback", COMPLETE["GiveFeedback"]),
            await face.call("GiveFeedback", COMPLETE["GiveFeedback"] | {"occurred_at": "yesterday"}),
            await face.call("GiveFeedback", COMPLETE["GiveFeedback"] | {"occurred_at": "2027-01-01T00:00:00Z"}),
            await face.call("GetSubscription", {"user_id": USER, "min_sequence": -1}),
            await face.call("GetSubscription", {"user_id": USER, "min_sequence": 2**53}),
            await face.call("GetSubscription", {"user_id": USER, "min_sequence": 2**63 - 1}),
        ]

    assert reasons(await said_by_both(script)) == [
        "unknown_value",
        "unknown_value",
        "unknown_trigger",
        "invalid",
        "future_dated",
        "invalid",
        "invalid",
        "invalid",
    ]


async def test_a_key_that_was_used_for_another_placement_is_refused() -> None:
    async def script(face: Face, _world: World) -> list[Said]:
        await face.call("Decide", DECIDE)
        return [await face.call("Decide", DECIDE | {"placement": "mail"})]

    assert reasons(await said_by_both(script)) == ["id_reused"]


async def test_a_caller_may_ask_for_its_placements_alone() -> None:
    async def script(face: Face, _world: World) -> list[Said]:
        return [await face.call("Decide", DECIDE, caller=caller) for caller in (None, "b@x", "a@x")]

    said = await said_by_both(script, api_placements={"a@x": ("home",), "b@x": ("mail",)})
    assert reasons(said[:2]) == ["not_allowed", "not_allowed"]
    assert not isinstance(said[2], Refusal)


@pytest.mark.parametrize("method", COMPLETE)
async def test_while_the_store_is_down_a_call_is_refused_and_may_be_tried_again(method: str) -> None:
    async def script(face: Face, world: World) -> list[Said]:
        async def fail(_user: str) -> Any:
            raise Transient("firestore: UNAVAILABLE")

        world.application.records.load = fail  # type: ignore[method-assign]
        return [await face.call(method, COMPLETE[method])]

    (refused,) = refusals(await said_by_both(script))
    assert (refused.reason, refused.retry_after) == ("unavailable", 1)


async def test_while_the_store_is_down_an_entitlement_that_was_asked_for_before_is_told_as_stale() -> None:
    async def script(face: Face, world: World) -> list[Said]:
        await world.application.handle(paid(0))
        first = await face.call("GetEntitlement", {"user_id": USER})

        async def fail(_user: str) -> Any:
            raise Transient("firestore: UNAVAILABLE")

        world.application.records.load = fail  # type: ignore[method-assign]
        return [first, await face.call("GetEntitlement", {"user_id": USER})]

    first, kept = await said_by_both(script)
    assert [one.stale for one in (first, kept)] == [False, True]  # type: ignore[union-attr]
    assert kept.entitled  # type: ignore[union-attr]


async def test_a_bug_is_told_without_its_words() -> None:
    async def script(face: Face, world: World) -> list[Said]:
        async def fail(_user: str) -> Any:
            raise KeyError(USER)

        world.application.records.load = fail  # type: ignore[method-assign]
        return [await face.call("Explain", {"user_id": USER})]

    (refused,) = refusals(await said_by_both(script))
    assert (refused.reason, refused.retry_after) == ("unexpected_error", None)
    assert USER not in refused.detail


@pytest.mark.parametrize("face_for", [rest_face, grpc_face], ids=["REST", "gRPC"])
class TestWhatEachFaceSaysInItsOwnWords:
    @pytest.mark.parametrize(
        "body", [b"\xff\xfe", b"{", b"[]", b'{"a": 1, "a": 2}', b"[" * 5000, b"\x0a\xffabc", b"\x0a\x01\xff"]
    )
    @pytest.mark.parametrize("method", ["Decide", "GiveFeedback"])
    async def test_a_body_that_is_no_message(self, face_for: Any, method: str, body: bytes) -> None:
        async with face_for(wired(World())) as face:
            (reason,) = reasons([await face.send(method, body)])
        assert reason in {"not_json", "invalid"}

    async def test_a_body_of_a_megabyte(self, face_for: Any) -> None:
        async with face_for(wired(World())) as face:
            fields = DECIDE | {"placement": "x" * 1_000_000}
            assert reasons([await face.call("Decide", fields)]) == ["too_large"]

    async def test_a_deadline_that_passes(self, face_for: Any) -> None:
        world = World()

        async def hang(_user: str) -> Any:
            await asyncio.sleep(60)

        world.application.records.load = hang  # type: ignore[method-assign]
        async with face_for(wired(world)) as face:
            refused = [await face.call("Explain", {"user_id": USER}, seconds=0.05)]
        assert reasons(refused) == ["deadline_exceeded"]

    @pytest.mark.slow
    async def test_a_thousand_calls_at_once(self, face_for: Any) -> None:
        async with face_for(wired(World())) as face:
            said = await asyncio.gather(*(face.call("GetEntitlement", {"user_id": f"u{n}"}) for n in range(1000)))
        assert [one.user_id for one in said] == [f"u{n}" for n in range(1000)]
