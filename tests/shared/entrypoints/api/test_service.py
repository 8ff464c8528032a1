"""The decisions service: what a user has, what to offer, and why, as JSON for both faces."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.api import requests
from shared.contracts.inbound.events import TriggerFeedback
from shared.contracts.inbound.validation import validate
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected, Transient
from shared.domain.events import ErasureRequested
from shared.entrypoints.api import service
from shared.entrypoints.api.kept_entitlements import MAX_USERS, KeptEntitlements
from shared.entrypoints.api.service import DecisionsService
from shared.wiring import Wiring
from tests.shared.application.test_decide_now import CATALOG
from tests.support.fakes import FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER
from tests.support.story import day, event, paid, trial


class World:
    """A service whose store, bus and clock the test controls."""

    def __init__(self) -> None:
        self.store, self.bus, self.clock = MemoryStore(), FlakyBus(), MovableClock(START)
        records = PackedRecords(self.store, TERMS)
        self.application = Application(records, self.bus, FixedCatalogs(CATALOG), self.clock, TERMS)
        self.service = DecisionsService(Wiring(self.application, None, self.bus, self.clock, TERMS))

    async def decide(self, key: str = "k1", **given: Any) -> dict[str, Any]:
        content = {"user_id": USER, "placement": "home", "idempotency_key": key, **given}
        return await self.service.decide(requests.read(requests.Decide, content))


async def test_a_subscription_has_what_every_app_needs_and_all_facts_beside_it() -> None:
    world = World()
    await world.application.handle(trial(0, ends=14))
    answer = await world.service.get_subscription(requests.GetSubscription(user_id=USER))
    assert answer["subscription"]["facts"]["trial_ends_at"] == "2026-01-15T00:00:00Z"
    assert {name: answer["subscription"][name] for name in ("status", "entitled", "plan")} == {
        "status": "trialing",
        "entitled": True,
        "plan": "basic",
    }
    assert (answer["trial_used"], answer["stale"], answer["as_of"]) == (True, False, "2026-01-01T00:00:00Z")
    assert "subscriptions" not in answer


async def test_an_unknown_user_has_the_status_none() -> None:
    world = World()
    subscription = await world.service.get_subscription(requests.GetSubscription(user_id="nobody", every=True))
    assert (subscription["subscription"]["status"], subscription["subscriptions"]) == ("none", [])
    entitlement = await world.service.get_entitlement(requests.GetEntitlement(user_id="nobody"))
    assert (entitlement["entitled"], entitlement["status"], entitlement["until"]) == (False, "none", None)


async def test_an_erased_user_is_answered_for_as_an_unknown_one() -> None:
    known, unknown = World(), World()
    await known.application.handle(trial(0, ends=14))
    known.clock.move_to(day(1))
    unknown.clock.move_to(day(1))
    await known.application.handle(event(1, Topic.USER_ERASURE, ErasureRequested()))
    for method, request in (
        ("get_subscription", requests.GetSubscription(user_id=USER, every=True)),
        ("get_entitlement", requests.GetEntitlement(user_id=USER)),
        ("list_offers", requests.ListOffers(user_id=USER)),
        ("explain", requests.Explain(user_id=USER)),
    ):
        assert await getattr(known.service, method)(request) == await getattr(unknown.service, method)(request)
    noon = "2026-01-01T12:00:00Z"
    report = requests.GiveFeedback(user_id=USER, trigger_id="gone", kind="clicked", occurred_at=noon)
    told = {"user_id": USER, "outcome": "ignored", "state": None, "sequence": 0}
    assert await known.service.give_feedback(report) == told


async def test_an_entitlement_has_a_tag_that_changes_with_it() -> None:
    world = World()
    await world.application.handle(trial(0, ends=14))
    before = await world.service.get_entitlement(requests.GetEntitlement(user_id=USER))
    world.clock.move_to(day(1))
    assert await world.service.get_entitlement(requests.GetEntitlement(user_id=USER)) == before
    world.clock.move_to(day(15))
    after = await world.service.get_entitlement(requests.GetEntitlement(user_id=USER))
    assert after["etag"] != before["etag"]


async def test_while_the_store_is_down_an_entitlement_is_what_was_told_last_and_says_so() -> None:
    world = World()
    await world.application.handle(trial(0, ends=1))
    asked = requests.GetEntitlement(user_id=USER)
    before = await world.service.get_entitlement(asked)
    load = world.application.records.load

    async def fail(_user: str) -> Any:
        raise Transient("firestore: UNAVAILABLE")

    world.application.records.load = fail  # type: ignore[method-assign]
    assert await world.service.get_entitlement(asked) == before | {"stale": True}
    with pytest.raises(Transient):
        await world.service.get_entitlement(requests.GetEntitlement(user_id="another"))
    world.clock.move_to(START + timedelta(minutes=16))
    with pytest.raises(Transient):
        await world.service.get_entitlement(asked)
    world.application.records.load = load  # type: ignore[method-assign]
    assert await world.service.get_entitlement(asked) == before


async def test_what_was_told_is_not_told_again_after_the_instant_at_which_time_changes_it() -> None:
    kept = KeptEntitlements()
    kept.keep(USER, {"entitled": True}, day(0), day(0) + timedelta(minutes=5))
    assert kept.answer(USER, day(0) + timedelta(minutes=4)) == {"entitled": True}
    assert kept.answer(USER, day(0) + timedelta(minutes=5)) is None


def test_the_users_that_are_kept_are_bounded_and_the_oldest_go_first() -> None:
    kept = KeptEntitlements()
    for number in range(MAX_USERS + 1):
        kept.keep(f"u{number}", {}, day(0), None)
    assert kept.answer("u0", day(0)) is None
    assert kept.answer("u1", day(0)) == {}


async def test_a_store_that_does_not_answer_is_not_waited_for_if_an_answer_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "PATIENCE_SECONDS", 0.01)
    world, asked = World(), requests.GetEntitlement(user_id=USER)
    await world.service.get_entitlement(asked)

    async def hang(_user: str) -> Any:
        await asyncio.Event().wait()

    world.application.records.load = hang  # type: ignore[method-assign]
    assert (await world.service.get_entitlement(asked))["stale"]


async def test_an_offer_is_decided_listed_answered_and_explained() -> None:
    world = World()
    await world.application.handle(paid(0))
    decided = await world.decide()
    offer = decided["offer"]
    assert (offer["campaign_id"], offer["cms_ref"], decided["is_new"], decided["is_repeat"]) == (
        "at_home",
        "c1",
        True,
        False,
    )
    listed = await world.service.list_offers(requests.ListOffers(user_id=USER, placement="home"))
    assert listed["offers"] == [offer]
    seen = {"user_id": USER, "trigger_id": offer["trigger_id"], "kind": "impression"}
    given = await world.service.give_feedback(requests.read(requests.GiveFeedback, seen))
    assert (given["outcome"], given["state"]) == ("applied", "impression")
    again = await world.service.give_feedback(requests.read(requests.GiveFeedback, seen))
    assert again["outcome"] == "duplicate"
    explained = await world.service.explain(requests.Explain(user_id=USER))
    assert explained["decision"]["event"] == {"topic": "offer-request", "source": "", "event_id": "k1"}


async def test_a_report_that_is_sent_again_later_is_a_duplicate_whether_it_names_its_id_and_time_or_not() -> None:
    world = World()
    trigger_id = (await world.decide())["offer"]["trigger_id"]
    reports = [
        {"kind": "delivered"},
        {"kind": "impression", "event_id": "e1"},
        {"kind": "clicked", "occurred_at": "2026-01-01T00:00:00Z"},
        {"kind": "dismissed", "event_id": "e2", "occurred_at": "2026-01-01T00:00:00Z"},
    ]
    for report in reports:
        asked = requests.read(requests.GiveFeedback, {"user_id": USER, "trigger_id": trigger_id, **report})
        assert (await world.service.give_feedback(asked))["outcome"] == "applied"
        world.clock.pass_by(timedelta(hours=1))
        assert (await world.service.give_feedback(asked))["outcome"] == "duplicate"
    for other in ({"kind": "clicked", "event_id": "e1"}, {**reports[3], "occurred_at": "2026-01-01T00:00:01Z"}):
        asked = requests.read(requests.GiveFeedback, {"user_id": USER, "trigger_id": trigger_id, **other})
        with pytest.raises(Rejected, match="id_reused"):
            await world.service.give_feedback(asked)


async def test_a_report_over_both_ways_is_one_report() -> None:
    world = World()
    trigger_id = (await world.decide())["offer"]["trigger_id"]
    report = {
        "event_id": "e1",
        "user_id": USER,
        "occurred_at": "2026-01-01T00:00:00Z",
        "trigger_id": trigger_id,
        "kind": "clicked",
    }
    await world.application.handle(validate(TriggerFeedback, report).to_event())
    given = await world.service.give_feedback(requests.read(requests.GiveFeedback, report))
    assert given["outcome"] == "duplicate"


async def test_a_repeat_has_the_same_answer_but_for_saying_so() -> None:
    world = World()
    first = await world.decide()
    assert await world.decide() == first | {"is_repeat": True}


async def test_a_dry_run_leaves_nothing() -> None:
    world = World()
    assert (await world.decide(dry_run=True))["offer"]
    assert (world.store.commits, world.bus.taken) == (0, [])


async def test_nothing_is_on_record_for_a_new_user() -> None:
    assert (await World().service.explain(requests.Explain(user_id="nobody")))["decision"] is None


async def test_feedback_on_a_trigger_that_is_not_known_is_refused() -> None:
    given = {"user_id": USER, "trigger_id": "t1", "kind": "clicked"}
    with pytest.raises(Rejected, match="unknown_trigger"):
        await World().service.give_feedback(requests.read(requests.GiveFeedback, given))


@pytest.mark.parametrize(
    ("model", "content", "sentence"),
    [
        (requests.GetEntitlement, {"user_id": "a/b"}, "user_id: expected 1 to 256 printable ASCII"),
        (requests.GetEntitlement, {}, "user_id: expected a value, found none"),
        (requests.Decide, {"user_id": "u", "placement": "home"}, "idempotency_key: expected a value, found none"),
        (
            requests.GetSubscription,
            {"user_id": "u", "min_sequence": -1},
            "min_sequence: expected an integer",
        ),
        (requests.GetSubscription, {"user_id": "u", "evry": True}, "evry: expected no such field, found"),
        (requests.GiveFeedback, {"user_id": "u", "trigger_id": "t", "kind": "liked"}, "kind: expected one of"),
    ],
)
def test_a_request_that_is_none_is_refused_in_a_sentence(
    model: type[requests.ApiRequest], content: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Rejected, match=sentence.replace("(", r"\(")):
        requests.read(model, content)
