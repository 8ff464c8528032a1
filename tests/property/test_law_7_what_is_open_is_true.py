"""Law 7, what is open is true: an open offer is what its campaign would still offer, in a place that it has."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.account import Account
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.moments import MomentKind
from shared.domain.triggers import Trigger
from shared.record.user_record import UserRecord
from tests.support.catalogs import AFTER_A_BEGINNING, ALL_OFFSETS, LIBRARY, LIFE, SCORES
from tests.support.histories import DAY, START, TERMS, USER, arrivals, histories, made
from tests.support.lives import lives
from tests.support.pipeline import Pipeline

ENDS_AT = START + 40 * DAY
MAX_TRIGGERS = {"one": 1, "two": 2}
"""The placements that hold open, with the most that they have at a time."""
PRIORITIES = {"upgrade": 50, "renewing": 50, "bounded": 70, "paid_twice": 20, "shy": 90, "risky": 20, "sent": 50}
FOLLOWING = {
    "louder": ("one", "feedback.absent@1d:upgrade", "feedback.absent@12h:renewing"),
    "mailed": ("inbox", "feedback.absent@2d:upgrade", "feedback.absent@1d:louder"),
    "helped": ("two", "feedback.clicked:upgrade", "feedback.clicked:shy", "feedback.clicked:mailed"),
    "asked": ("two", "feedback.dismissed:bounded", "feedback.dismissed:helped", "feedback.dismissed:risky"),
}
"""The campaigns that follow others: their placement, and their moments."""
PRIORITIES |= {"louder": 60, "mailed": 50, "helped": 60, "asked": 95}
PASSED_BY = {"upgrade": "one", "renewing": "one", "bounded": "one", "sent": "inbox"}
PASSED_BY |= {name: placement for name, (placement, *_) in FOLLOWING.items()}


def _catalog(kill_switch: bool = False, **paused: str) -> Catalog:
    def of(name: str, offer: str = "any", **terms: Any) -> dict[str, Any]:
        placement = PASSED_BY.get(name, "two")
        given = {"offer": offer, "placement": placement, "priority": PRIORITIES[name]}
        of_life = [*LIFE, *AFTER_A_BEGINNING][[*PRIORITIES].index(name) % 2 :: 2]
        _, *given["moments"] = FOLLOWING.get(name, ("", *of_life))
        return {**given, "state": paused.get(name, "live"), **terms}

    offer = {"cms_ref": "offers/any", "validity_hours": 24 * 12}
    clauses = {"renews": "subscription.auto_renew", "twice": "subscription.recent_payments >= 2"}
    clauses["likely"] = "scores.risk >= 0.3"
    sections = {
        "kill_switch": kill_switch,
        "placements": {
            "one": {"channel": "in_app"},
            "two": {"channel": "in_app", "max_triggers": 2},
            "inbox": {"channel": "email", "holds": "decision"},
        },
        "offers": {"any": offer, "premium": {**offer, "plans_from": ["basic", "premium"], "plan_to": "premium"}},
        "audiences": {name: {"all": [{name: clause}]} for name, clause in clauses.items()},
        "milestones": ALL_OFFSETS,
        "scores": SCORES,
        "campaigns": {
            "upgrade": of("upgrade", "premium"),
            "renewing": of("renewing", audience="renews"),
            "bounded": of("bounded", ends_at=ENDS_AT.isoformat()),
            "paid_twice": of("paid_twice", audience="twice"),
            "shy": of("shy", replaces=False),
            "risky": of("risky", audience="likely"),
            "sent": of("sent", audience="renews"),
            **{name: of(name) for name in FOLLOWING},
        },
    }
    return compile_catalog(sections, LIBRARY)


USUAL = _catalog()
CATALOGS = (USUAL, USUAL, USUAL, _catalog(kill_switch=True), _catalog(upgrade="paused", shy="archived"))
answers = st.none() | st.sampled_from([None, *FeedbackKind])
some_history = histories(behaving=True) | lives()
pauses = st.sampled_from([0, 0.25, 3, 20])


def is_followed(trigger: Trigger, triggers: tuple[Trigger, ...]) -> bool:
    """The plainest form of what a follow-up says of the trigger that it follows."""
    (followed,) = [one for one in triggers if one.trigger_id == trigger.follows]
    at = {report.kind: report.at for report in followed.feedback}
    clicked, dismissed = at.get(FeedbackKind.CLICKED), at.get(FeedbackKind.DISMISSED)
    if followed.withheld or {FeedbackKind.ACCEPTED, FeedbackKind.CONVERTED} & at.keys():
        return False
    if followed.revoked and followed.revoke_reason != "replaced":
        return False
    if trigger.moment is MomentKind.FEEDBACK_ABSENT:
        return not clicked and not dismissed
    if trigger.moment is MomentKind.FEEDBACK_CLICKED:
        return clicked is not None and (dismissed is None or dismissed < clicked)
    return dismissed is not None and (clicked is None or clicked <= dismissed)


def is_true(trigger: Trigger, account: Account, now: datetime, catalog: Catalog) -> bool:
    """The plainest form of all that a campaign of these catalogs asks for."""
    sub, document = account.best, catalog.document
    if document.kill_switch or document.campaigns[trigger.campaign_id].state != "live":
        return False
    match trigger.campaign_id:
        case "upgrade":
            return sub.plan == "basic" or (sub.plan == "premium" and not sub.live)
        case "renewing" | "sent":
            return sub.auto_renew
        case "bounded":
            return now < ENDS_AT
        case "paid_twice":
            return sub.recent_payments >= 2
    return True


class Watched(Pipeline):
    """A pipeline that checks every commit, and may switch to another catalog."""

    def switch(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.application = Application(
            PackedRecords(self.store, TERMS), self.bus, FixedCatalogs(catalog), self.clock, TERMS
        )

    def answer(self, kind: FeedbackKind, number: int) -> None:
        given = [one for one in self.record.triggers if not one.withheld]
        if given:
            fact = FeedbackGiven(given[number % len(given)].trigger_id, kind)
            self.deliver(made(1_000 + self.arrivals.total(), self.clock.now(), Topic.TRIGGER_FEEDBACK, fact))

    def _check_commit(self, before: UserRecord, after: UserRecord) -> None:
        super()._check_commit(before, after)
        now, (account, _) = self.clock.now(), after.history.at(self.clock.now(), TERMS)
        for one in after.triggers:
            assert not one.is_open(now) or is_true(one, account, now, self.catalog), one.campaign_id
            assert not one.is_open(now) or not one.follows or is_followed(one, after.triggers), one.campaign_id
        held = Counter(one.placement for one in after.triggers if one.holds_place(now))
        assert all(held[placement] <= most for placement, most in MAX_TRIGGERS.items()), held
        taken = {one.trigger_id for one in before.triggers if one.is_final and not one.revoked}
        assert not [one for one in after.triggers if one.trigger_id in taken and one.revoked], "taken, and revoked"
        self._check_replaced(before, after)

    def _check_replaced(self, before: UserRecord, after: UserRecord) -> None:
        """Check that whatever was replaced made room for its own campaign, or for a higher priority."""
        known = {one.trigger_id: one for one in before.triggers}
        new = [one for one in after.triggers if one.trigger_id not in known]
        for gone in after.triggers:
            if gone.revoke_reason == "replaced" and not known[gone.trigger_id].revoked:
                rank = PRIORITIES[gone.campaign_id]
                there = [one for one in new if one.placement == gone.placement]
                own = [one for one in there if one.campaign_id == gone.campaign_id]
                assert own or [one for one in there if PRIORITIES[one.campaign_id] > rank], gone.campaign_id


@pytest.mark.slow
@given(some_history, st.data())
def test_at_every_commit_what_is_open_is_true_and_within_its_places(
    history: list[Event], data: st.DataObject
) -> None:
    pipeline = Watched(USUAL, USER)
    for one in data.draw(arrivals(history)):
        pipeline.pass_time(max(one.at - pipeline.clock.now(), timedelta(0)))
        pipeline.switch(data.draw(st.sampled_from(CATALOGS)))
        pipeline.deliver(one.event, one.fault)
        if kind := data.draw(answers):
            pipeline.answer(kind, data.draw(st.integers(0, 3)))
    pipeline.redeliver()
    pipeline.pass_time(data.draw(pauses) * DAY)
    pipeline.close()


@given(some_history)
def test_the_clock_alone_replaces_only_what_a_new_moment_makes_room_for(history: list[Event]) -> None:
    """However often it looks, the clock alone never makes two campaigns take turns."""
    pipeline = Watched(USUAL, USER)
    for event in sorted(history, key=lambda one: one.occurred_at):
        pipeline.pass_time(max(event.occurred_at - pipeline.clock.now(), timedelta(0)))
        pipeline.deliver(event)
    before = len(pipeline.bus.taken)
    for _ in range(40):
        pipeline.pass_time(DAY / 2)
    told = [one.body for one in pipeline.bus.taken[before:] if one.topic == Topic.UPSELL_TRIGGER]
    issued = [(one["campaign_id"], one["cause"]) for one in told if one["kind"] == "issued"]
    assert len(issued) == len(set(issued))
    replaced = [one for one in told if one["revoke_reason"] == "replaced"]
    assert len(replaced) <= len(issued)
    pipeline.close()
