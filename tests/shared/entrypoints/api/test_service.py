"""The decisions service: what a user has, what to offer, and why, as JSON for both faces."""

from typing import Any

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.api import requests
from shared.domain.errors import Rejected
from shared.entrypoints.api.service import DecisionsService
from shared.wiring import Wiring
from tests.shared.application.test_decide_now import CATALOG
from tests.support.fakes import FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER
from tests.support.story import day, paid, trial


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
    service = World().service
    subscription = await service.get_subscription(requests.GetSubscription(user_id="nobody", every=True))
    assert (subscription["subscription"]["status"], subscription["subscriptions"]) == ("none", [])
    entitlement = await service.get_entitlement(requests.GetEntitlement(user_id="nobody"))
    assert (entitlement["entitled"], entitlement["status"], entitlement["until"]) == (False, "none", None)


async def test_an_entitlement_has_a_tag_that_changes_with_it() -> None:
    world = World()
    await world.application.handle(trial(0, ends=14))
    before = await world.service.get_entitlement(requests.GetEntitlement(user_id=USER))
    world.clock.move_to(day(1))
    assert await world.service.get_entitlement(requests.GetEntitlement(user_id=USER)) == before
    world.clock.move_to(day(15))
    after = await world.service.get_entitlement(requests.GetEntitlement(user_id=USER))
    assert after["etag"] != before["etag"]


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
