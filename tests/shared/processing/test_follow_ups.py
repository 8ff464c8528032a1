"""Follow-ups of one user: each is issued once, and taken back with what it follows."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.terms import Terms
from shared.record.codec import pack, unpack
from shared.record.user_record import MAX_TRIGGERS
from tests.support.histories import DAY
from tests.support.pipeline import Pipeline
from tests.support.story import event, paid, plan_changed

BANNER = {"moments": ["activated"], "placement": "banner", "priority": 10}
EMAIL = {"moments": ["feedback.absent@3d:banner"], "placement": "inbox", "priority": 10}


def compiled(hours: int = 240, **sections: Any) -> Catalog:
    """A catalog with two placements; its campaigns have one offer."""
    campaigns = {name: {"offer": "offer"} | terms for name, terms in sections.pop("campaigns").items()}
    return compile_catalog(
        {
            "placements": {
                "banner": {"channel": "in_app", **sections.pop("banner", {})},
                "inbox": {"channel": "email", "holds": "decision"},
            },
            "offers": {"offer": {"cms_ref": "offers/offer", "validity_hours": hours}},
            "campaigns": campaigns,
            **sections,
        }
    )


class Journey(Pipeline):
    """A pipeline that tells in words what it said of triggers."""

    def see(self, *events: Event) -> "Journey":
        for one in events:
            self.pass_time(one.occurred_at - self.clock.now())
            self.deliver(one)
        return self

    def answer(self, on: float, campaign_id: str, kind: FeedbackKind) -> "Journey":
        one = next(one for one in reversed(self.record.triggers) if one.campaign_id == campaign_id)
        return self.see(event(on, Topic.TRIGGER_FEEDBACK, FeedbackGiven(one.trigger_id, kind)))

    def switch(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.application = Application(
            PackedRecords(self.store, Terms()), self.bus, FixedCatalogs(catalog), self.clock, Terms()
        )


@pytest.fixture
def begun() -> Iterator[Callable[..., Journey]]:
    """A user who paid on day 0, under a catalog."""
    made: list[Journey] = []

    def begin(**sections: Any) -> Journey:
        campaigns = {"banner": BANNER, "email": EMAIL} | sections.pop("campaigns", {})
        made.append(Journey(compiled(campaigns=campaigns, **sections)).see(paid(0)))  # type: ignore[arg-type]
        return made[-1]

    yield begin
    for one in made:
        one.check_published()
        one.close()


Begin = Callable[..., Journey]


def test_time_alone_brings_what_nobody_answered_once(begun: Begin) -> None:
    told = begun()
    assert told.store.next_due_at(told.user_id) == told.record.triggers[0].decided_at + 3 * DAY
    told.pass_time(20 * DAY)
    assert told.said == ["banner issued", "email issued"]


def test_what_is_revoked_takes_back_what_follows_it_in_the_same_commit(begun: Begin) -> None:
    told = begun()
    told.pass_time(4 * DAY)
    told.switch(compiled(campaigns={"banner": BANNER | {"state": "paused"}, "email": EMAIL}))
    told.see(plan_changed(5, "premium"))
    assert told.said == ["banner issued", "email issued", "banner state", "email moment"]


OTHER = {"moments": ["plan.changed"], "placement": "banner", "priority": 90}


def test_what_is_replaced_before_it_is_due_is_followed_by_nothing(begun: Begin) -> None:
    told = begun(campaigns={"other": OTHER}).see(plan_changed(1, "premium"))
    told.pass_time(9 * DAY)
    assert told.said == ["banner issued", "banner replaced", "other issued"]


def test_what_is_issued_stays_when_another_offer_takes_the_place_of_what_it_follows(begun: Begin) -> None:
    told = begun(campaigns={"other": OTHER})
    told.pass_time(4 * DAY)
    told.see(plan_changed(5, "premium"))
    assert told.said[2:] == ["banner replaced", "other issued"]
    told.answer(6, "banner", FeedbackKind.CLICKED)
    assert told.said[4:] == ["email moment"]


def test_with_a_late_clock_one_decision_issues_the_follow_up_and_replaces_what_it_follows(begun: Begin) -> None:
    told = begun(campaigns={"other": OTHER})
    told.clock.pass_by(4 * DAY)
    told.deliver(plan_changed(4, "premium"))
    assert sorted(told.said[1:]) == ["banner replaced", "email issued", "other issued"]


def test_a_follow_up_may_take_the_place_of_what_it_follows_and_keeps_it(begun: Begin) -> None:
    louder = {"moments": ["feedback.absent@3d:banner"], "placement": "banner", "priority": 20}
    told = begun(campaigns={"email": louder})
    told.pass_time(4 * DAY)
    told.see(plan_changed(5, "premium"))
    assert told.said == ["banner issued", "banner replaced", "email issued"]
    told.answer(6, "banner", FeedbackKind.CLICKED)
    assert told.said[3:] == ["email moment"]


def test_of_equal_priority_it_does_not_take_the_place(begun: Begin) -> None:
    told = begun(campaigns={"email": EMAIL | {"placement": "banner"}})
    told.pass_time(4 * DAY)
    assert told.said == ["banner issued"]
    assert told.lost == {"email": "outranked"}


def test_two_steps_later_a_click_on_the_first_takes_back_all(begun: Begin) -> None:
    last = {"moments": ["feedback.absent@2d:email"], "placement": "inbox", "priority": 10}
    told = begun(campaigns={"last": last})
    told.pass_time(6 * DAY)
    told.answer(7, "banner", FeedbackKind.CLICKED)
    assert told.said == ["banner issued", "email issued", "last issued", "email moment", "last moment"]


def test_what_expired_unanswered_is_followed_too(begun: Begin) -> None:
    told = begun(hours=24)
    told.pass_time(3.5 * DAY)
    assert told.said == ["banner issued", "email issued"]


def test_a_follow_up_waits_for_the_end_of_quiet_hours_and_is_asked_again_then(begun: Begin) -> None:
    quiet = {"quiet_hours": {"start": "22:00", "end": "08:00"}}
    told = begun(campaigns={"email": EMAIL | quiet})
    told.pass_time(3.2 * DAY)
    assert told.said == ["banner issued"]
    (deferred,) = unpack(pack(told.record)).deferred
    assert deferred.moment.follows == told.record.triggers[0].trigger_id
    told.answer(3.25, "banner", FeedbackKind.CLICKED)
    told.pass_time(DAY)
    assert told.said == ["banner issued"]
    assert told.lost == {"email": "stale"}


def test_without_an_answer_it_comes_when_the_quiet_hours_end(begun: Begin) -> None:
    told = begun(campaigns={"email": EMAIL | {"quiet_hours": {"start": "22:00", "end": "08:00"}}})
    told.pass_time(3.5 * DAY)
    assert told.said == ["banner issued", "email issued"]


def test_what_follows_an_evicted_trigger_is_revoked_and_none_comes_any_more(begun: Begin) -> None:
    busy = {"moments": ["plan.changed"], "placement": "inbox", "priority": 5}
    told = begun(
        hours=24 * 60, campaigns={"busy": busy, "help": EMAIL | {"moments": ["feedback.absent@9d:banner"]}}
    )
    told.pass_time(3.5 * DAY)
    told.answer(3.6, "banner", FeedbackKind.IMPRESSION)
    for number in range(MAX_TRIGGERS + 2):
        told.see(plan_changed(4 + number / 100, f"plan-{number}"))
    assert {"banner evicted", "email moment"} <= {*told.said}
    told.pass_time(20 * DAY)
    assert "help issued" not in told.said


def test_another_subscription_that_becomes_the_best_begins_a_journey_of_its_own(begun: Begin) -> None:
    told = begun().see(paid(1, end=400, sub="other", plan="annual"))
    told.pass_time(9 * DAY)
    assert told.said == ["banner issued", "banner moment", "banner issued", "email issued"]
    _, second, email = told.record.triggers
    assert (email.follows, email.subscription_id) == (second.trigger_id, "other")


def test_what_was_withheld_is_followed_by_nothing(begun: Begin) -> None:
    told = begun(holdouts={"some": {"percent": 100, "campaigns": ["banner", "email"]}})
    told.pass_time(9 * DAY)
    assert [one.campaign_id for one in told.record.triggers] == ["banner"]
    assert told.said == []


def test_feedback_dated_ahead_is_followed_when_its_time_has_come(begun: Begin) -> None:
    clicked = {"moments": ["feedback.clicked:banner"], "placement": "inbox", "priority": 10}
    told = begun(campaigns={"email": clicked})
    fact = FeedbackGiven(told.record.triggers[0].trigger_id, FeedbackKind.CLICKED)
    told.deliver(event(2 / 1440, Topic.TRIGGER_FEEDBACK, fact))
    assert told.said == ["banner issued"]
    told.pass_time(DAY)
    assert told.said == ["banner issued", "email issued"]


def test_a_new_catalog_does_not_dig_out_old_answers(begun: Begin) -> None:
    told = begun(hours=24 * 60).answer(1, "banner", FeedbackKind.CLICKED)
    clicked = {"moments": ["feedback.clicked:banner"], "placement": "inbox", "priority": 10}
    told.switch(compiled(campaigns={"banner": BANNER, "email": clicked}))
    told.see(plan_changed(10, "premium"))
    assert told.lost == {"email": "stale"}
    told.see(plan_changed(20, "basic"))
    assert told.said == ["banner issued"]
