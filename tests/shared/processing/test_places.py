"""Places over time: a placement keeps at most `max_triggers` open, and says which one had to go."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts.topics import Topic
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.triggers import TriggerState, trigger_state
from tests.support.fakes import Fault
from tests.support.histories import DAY
from tests.support.pipeline import Pipeline
from tests.support.story import auto_renew_off, cancelled, event, paid, plan_changed

FIRST = {"moments": ["activated"], "priority": 10}
"""A campaign that takes the place on the first day."""


def at(kind: str, priority: int, **terms: Any) -> dict[str, Any]:
    return {"moments": [kind], "priority": priority, **terms}


class Banner(Pipeline):
    """A pipeline with one placement; what it said is told in words."""

    def see(self, *events: Event, fault: Fault | None = None) -> "Banner":
        for one in events:
            self.clock.move_to(one.occurred_at)
            self.deliver(one, fault)
        return self

    def answer(self, on: float, campaign_id: str, kind: FeedbackKind) -> "Banner":
        one = next(one for one in self.record.triggers if one.campaign_id == campaign_id)
        return self.see(event(on, Topic.TRIGGER_FEEDBACK, FeedbackGiven(one.trigger_id, kind)))


@pytest.fixture
def opened() -> Iterator[Any]:
    made: list[Banner] = []

    def banner(placement: dict[str, Any] | None = None, hours: int = 240, **campaigns: Any) -> Banner:
        sections = {
            "placements": {"banner": {"channel": "in_app", **(placement or {})}},
            "offers": {"offer": {"cms_ref": "offers/offer", "validity_hours": hours}},
            "campaigns": {
                name: {"offer": "offer", "placement": "banner"} | terms
                for name, terms in campaigns.items()
                if name != "holdouts"
            },
            "holdouts": campaigns.get("holdouts", {}),
        }
        made.append(Banner(compile_catalog(sections)))
        return made[-1]

    yield banner
    for one in made:
        one.check_published()
        one.close()


def test_a_higher_priority_replaces_what_is_open_and_the_revocation_goes_out_first(opened: Any) -> None:
    told = opened(first=FIRST, high=at("plan.changed", 11)).see(paid(0), plan_changed(1, "premium"))
    assert told.said == ["first issued", "first replaced", "high issued"]
    told.pass_time(30 * DAY)
    assert told.said.count("first replaced") == 1


def test_an_equal_priority_never_replaces_however_often_it_is_asked(opened: Any) -> None:
    told = opened(first=FIRST, peer=at("plan.changed", 10)).see(paid(0))
    for on, plan in enumerate(["premium", "family", "basic"], 1):
        told.see(plan_changed(on, plan))
        assert told.lost == {"peer": "outranked"}
    assert told.said == ["first issued"]


def test_a_place_is_free_once_what_held_it_has_expired(opened: Any) -> None:
    told = opened(hours=24, first=FIRST, peer=at("plan.changed", 10)).see(paid(0), plan_changed(1, "premium"))
    assert told.said == ["first issued", "peer issued"]


@pytest.mark.parametrize("at_most", [1, 2])
def test_a_newer_moment_of_a_campaign_replaces_its_own_open_one_also_where_there_is_room(
    opened: Any, at_most: int
) -> None:
    told = opened({"max_triggers": at_most}, own=at("plan.changed", 10))
    told.see(paid(0), plan_changed(1, "premium"), plan_changed(2, "family"))
    assert told.said == ["own issued", "own replaced", "own issued"]


def test_a_campaign_that_may_not_replace_waits(opened: Any) -> None:
    told = opened(first=FIRST, shy=at("plan.changed", 99, replaces=False))
    told.see(paid(0), plan_changed(1, "premium"))
    assert (told.said, told.lost) == (["first issued"], {"shy": "outranked"})


def test_of_two_places_the_one_of_the_lowest_priority_is_given_up(opened: Any) -> None:
    told = opened({"max_triggers": 2}, first=FIRST, mid=at("plan.changed", 5), top=at("auto_renew.off", 50))
    told.see(paid(0), plan_changed(1, "premium"))
    assert told.said == ["first issued", "mid issued"]
    assert told.see(auto_renew_off(2)).said[2:] == ["mid replaced", "top issued"]


def test_what_is_sent_and_gone_is_never_replaced(opened: Any) -> None:
    told = opened({"holds": "decision"}, first=FIRST, high=at("plan.changed", 99))
    told.see(paid(0), plan_changed(1, "premium"), plan_changed(2, "family"))
    assert told.said == ["first issued", "high issued", "high issued"]


@pytest.mark.parametrize("kind", [FeedbackKind.DISMISSED, FeedbackKind.ACCEPTED, FeedbackKind.CONVERTED])
def test_an_answer_frees_the_place_and_what_was_taken_is_never_revoked(opened: Any, kind: FeedbackKind) -> None:
    told = opened(first=FIRST, peer=at("plan.changed", 10)).see(paid(0)).answer(1, "first", kind)
    assert told.see(plan_changed(2, "premium")).said == ["first issued", "peer issued"]
    told.see(cancelled(3))
    assert ("first moment" in told.said) == (kind is FeedbackKind.DISMISSED)


@pytest.mark.parametrize("kind", [FeedbackKind.DELIVERED, FeedbackKind.IMPRESSION, FeedbackKind.CLICKED])
def test_what_was_only_seen_keeps_its_place(opened: Any, kind: FeedbackKind) -> None:
    told = opened(first=FIRST, peer=at("plan.changed", 10)).see(paid(0)).answer(1, "first", kind)
    assert told.see(plan_changed(2, "premium")).said == ["first issued"]


def test_an_acceptance_that_comes_after_the_revocation_counts(opened: Any) -> None:
    told = opened(first=FIRST, high=at("plan.changed", 11)).see(paid(0), plan_changed(1, "premium"))
    told.answer(2, "first", FeedbackKind.ACCEPTED)
    (first,) = [one for one in told.record.triggers if one.campaign_id == "first"]
    assert (first.revoke_reason, trigger_state(first, told.clock.now())) == ("replaced", TriggerState.ACCEPTED)


def test_what_was_withheld_holds_its_place_and_is_replaced_without_a_word(opened: Any) -> None:
    spared = {"spared": {"percent": 100, "campaigns": ["first"]}}
    told = opened(first=FIRST, peer=at("plan.changed", 10), high=at("auto_renew.off", 11), holdouts=spared)
    told.see(paid(0), plan_changed(1, "premium"))
    assert (told.said, told.lost) == ([], {"peer": "outranked"})
    assert told.see(auto_renew_off(2)).said == ["high issued"]
    assert [one.revoke_reason for one in told.record.triggers] == ["replaced", ""]


def test_a_redelivery_neither_replaces_again_nor_brings_back_what_was_replaced(opened: Any) -> None:
    first, second = paid(0), plan_changed(1, "premium")
    told = opened(first=FIRST, high=at("plan.changed", 11)).see(first, second, fault=Fault.CRASH_BEFORE_PUBLISH)
    assert told.said == []
    told.redeliver()
    assert told.said == ["first replaced", "high issued"]
    told.change_instance()
    told.deliver(first)
    told.deliver(second)
    assert told.said == ["first replaced", "high issued"] * 2, "the same messages, with the same ids"
    assert len(told.record.triggers) == 2
