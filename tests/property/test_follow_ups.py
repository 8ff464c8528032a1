"""Follow-ups in any life: each comes once, of what the user was given, and is open only while it is true."""

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
from shared.domain.events import FeedbackGiven, FeedbackKind
from shared.domain.follow_ups import follow_ups
from shared.domain.moments import FOLLOW_UPS, MomentKind
from shared.domain.triggers import Trigger
from shared.record.user_record import UserRecord
from tests.support.histories import DAY, START, TERMS, USER, made
from tests.support.pipeline import Pipeline
from tests.support.story import auto_renew_off, auto_renew_on, failed, paid, plan_changed

CHANGED = ("renewed", "payment.failed", "payment.recovered", "auto_renew.off", "plan.changed")
CAMPAIGNS: dict[str, dict[str, Any]] = {
    "banner": {"moments": CHANGED, "placement": "one", "offer": "premium"},
    "page": {"moments": CHANGED[1:4], "placement": "two", "priority": 10},
    "loud": {"moments": ["feedback.absent@1d:banner", "payment.recovered"], "placement": "one", "priority": 60},
    "mail": {"moments": ["feedback.absent@2d:banner", "feedback.absent@36h:loud"], "placement": "inbox"},
    "help": {"moments": ["feedback.clicked:banner", "feedback.clicked:mail"], "placement": "two"},
    "stay": {"moments": ["feedback.dismissed:banner", "feedback.dismissed:help"], "placement": "side"},
    "last": {"moments": ["feedback.absent@12h:stay", "feedback.clicked:page"], "placement": "inbox"},
}
FOLLOWED = ("loud", "mail", "help", "stay", "last")


def _catalog(kill_switch: bool = False, holdout: bool = False, **changed: dict[str, Any]) -> Catalog:
    usual = {"offer": "any", "priority": 50}
    return compile_catalog(
        {
            "kill_switch": kill_switch,
            "placements": {
                **{name: {"channel": "in_app"} for name in ("one", "two", "side")},
                "inbox": {"channel": "email", "holds": "decision"},
            },
            "offers": {
                "any": {"cms_ref": "any", "validity_hours": 96},
                "premium": {"cms_ref": "premium", "validity_hours": 60, "plan_to": "premium"},
            },
            "campaigns": {name: usual | terms | changed.get(name, {}) for name, terms in CAMPAIGNS.items()},
            "holdouts": {"all": {"percent": 100}} if holdout else {},
        }
    )


USUAL = _catalog()
CATALOGS = {
    "usual": USUAL,
    "off": _catalog(kill_switch=True),
    "paused": _catalog(banner={"state": "paused"}),
    "night": _catalog(mail={"quiet_hours": {"start": "08:00", "end": "20:00"}}),
}
step = st.one_of(
    st.tuples(
        st.just("answer"), st.integers(0, 5), st.sampled_from(FeedbackKind), st.sampled_from([0, 0, 0.3, 4])
    ),
    st.tuples(st.just("live"), st.sampled_from(["renew", "renew", "fail", "off", "on", "premium", "basic"])),
    st.tuples(st.just("wait"), st.sampled_from([0.25, 0.5, 1, 1, 2, 4])),
    st.tuples(st.just("catalog"), st.sampled_from(["usual", "usual", *CATALOGS])),
)
steps = st.lists(step, max_size=25)


def says_so(trigger: Trigger, triggers: tuple[Trigger, ...]) -> bool:
    """The plainest form of what a follow-up says of the trigger that it follows."""
    followed = next((one for one in triggers if one.trigger_id == trigger.follows), None)
    if followed is None or followed.withheld:
        return False
    at = {report.kind: report.at for report in followed.feedback}
    clicked, dismissed = at.get(FeedbackKind.CLICKED), at.get(FeedbackKind.DISMISSED)
    is_replaced = followed.revoke_reason == "replaced"
    if {FeedbackKind.ACCEPTED, FeedbackKind.CONVERTED} & at.keys() or (followed.revoked and not is_replaced):
        return False
    match trigger.moment:
        case MomentKind.FEEDBACK_ABSENT:
            return not clicked and not dismissed
        case MomentKind.FEEDBACK_CLICKED:
            return clicked is not None and (dismissed is None or dismissed < clicked)
        case _:
            return dismissed is not None and (clicked is None or clicked <= dismissed)


class Life(Pipeline):
    """A subscriber's life, in which every commit is checked."""

    def begin(self) -> "Life":
        self.number = 0
        self.renewed_until = START
        self.live("renew")
        return self

    def do(self, what: str, *how: Any) -> None:
        if what == "wait":
            self.pass_time(how[0] * DAY)
            self.check_at_rest()
        elif what == "catalog":
            self.catalog = CATALOGS[how[0]]
            self.application = Application(
                PackedRecords(self.store, TERMS), self.bus, FixedCatalogs(self.catalog), self.clock, TERMS
            )
        else:
            getattr(self, what)(*how)

    def answer(self, which: int, kind: FeedbackKind, days_ago: float) -> None:
        given = [one for one in self.record.triggers if not one.withheld]
        if given:
            self.number += 1
            at = self.clock.now() - days_ago * DAY
            fact = FeedbackGiven(given[-1 - which % len(given)].trigger_id, kind)
            self.deliver(made(self.number, at, Topic.TRIGGER_FEEDBACK, fact))

    def live(self, what: str) -> None:
        on = (self.clock.now() - START) / DAY
        match what:
            case "renew":
                start = (self.renewed_until - START) / DAY
                self.renewed_until += 30 * DAY
                event = paid(on, start=start, end=start + 30, plan="basic")
            case "fail":
                event = failed(on, start=(self.renewed_until - START) / DAY)
            case "off" | "on":
                event = {"off": auto_renew_off, "on": auto_renew_on}[what](on)
            case plan:
                event = plan_changed(on, plan)
        self.number += 1
        key = event.key._replace(event_id=f"life-{self.number}")
        self.deliver(event._replace(key=key, user_id=USER))

    def _check_commit(self, before: UserRecord, after: UserRecord) -> None:
        super()._check_commit(before, after)
        now = self.clock.now()
        for one in after.triggers:
            assert (one.moment in FOLLOW_UPS) == bool(one.follows)
            assert not one.follows or not one.is_open(now) or says_so(one, after.triggers), one.campaign_id
        self._check_due(after, now)

    def _check_due(self, after: UserRecord, now: datetime) -> None:
        """Check that the clock is due by the next follow-up, and that none was overlooked."""
        every = [*follow_ups(after.triggers, self.catalog.follow_ups, now, TERMS)]
        ahead = [one.at for one in every if one.at > now]
        assert not ahead or (after.next_due_at and after.next_due_at <= min(ahead))
        assert all(after.fired.covers(one.at, one.cause) for one in every if one.at <= now)


def lived(does: list[tuple[Any, ...]], catalog: Catalog = USUAL) -> Life:
    life = Life(catalog).begin()
    for one in does:
        life.do(*one)
    life.pass_time(timedelta(days=6))
    life.check_at_rest()
    life.redeliver()
    return life


@pytest.mark.slow
@given(steps)
def test_a_follow_up_comes_once_and_is_open_only_while_it_is_true(does: list[tuple[Any, ...]]) -> None:
    life = lived(does)
    life.check_published()
    causes = Counter(
        (one["campaign_id"], one["cause"])
        for message in life.bus.taken
        for one in message.body.get("candidates", ())
        if one["moment"] in FOLLOW_UPS and one["reason"] != "deferred"
    )
    life.close()
    assert all(number == 1 for number in causes.values()), causes


@given(steps)
def test_what_was_withheld_is_followed_by_nothing(does: list[tuple[Any, ...]]) -> None:
    life = lived([one for one in does if one[0] != "catalog"], _catalog(holdout=True))
    assert not [one for one in life.record.triggers if one.follows]
    assert all(one.withheld for one in life.record.triggers)
    life.close()


@given(steps)
def test_without_answers_control_lacks_the_offer_and_what_follows_it_alone(does: list[tuple[Any, ...]]) -> None:
    """Law 9, of a journey whose second step shares no place with others."""
    told = []
    for holdouts in ({}, {"half": {"percent": 100, "campaigns": ["banner", "mail", "later"]}}):
        life = lived([one for one in does if one[0] in ("live", "wait")], journey(holdouts))
        told.append(life.record.triggers)
        life.close()
    free, held = told
    assert [plain(one) for one in held] == [plain(one) for one in free if not one.follows]
    assert all(bool(one.withheld) == (one.campaign_id == "banner") for one in held)


def journey(holdouts: dict[str, Any]) -> Catalog:
    """A banner with two e-mails after it, and a campaign that competes with the banner."""
    terms = {"offer": "any", "priority": 50}
    campaigns = {
        "banner": {"moments": CHANGED, "placement": "one"},
        "rival": {"moments": CHANGED[1:4], "placement": "one", "priority": 60},
        "mail": {"moments": ["feedback.absent@1d:banner"], "placement": "inbox"},
        "later": {"moments": ["feedback.absent@36h:mail"], "placement": "inbox"},
    }
    return compile_catalog(
        {
            "placements": {"one": {"channel": "in_app"}, "inbox": {"channel": "email", "holds": "decision"}},
            "offers": {"any": {"cms_ref": "any", "validity_hours": 96}},
            "campaigns": {name: terms | more for name, more in campaigns.items()},
            "holdouts": holdouts,
        }
    )


def plain(trigger: Trigger) -> Trigger:
    """The trigger without what a holdout changes."""
    return trigger._replace(withheld="", catalog_version="")


ANSWERED = {
    "loud": [("live", "renew"), ("wait", 1)],
    "mail": [("live", "renew"), ("wait", 1), ("wait", 2)],
    "help": [("live", "renew"), ("answer", 0, FeedbackKind.CLICKED, 0)],
    "stay": [("live", "renew"), ("answer", 0, FeedbackKind.DISMISSED, 0)],
    "last": [("live", "renew"), ("answer", 0, FeedbackKind.DISMISSED, 0), ("wait", 1)],
}


@pytest.mark.parametrize("follower", FOLLOWED)
def test_each_campaign_that_follows_makes_an_offer_in_some_life(follower: str) -> None:
    life = lived(ANSWERED[follower])
    assert follower in {one.campaign_id for one in life.record.triggers}
    life.close()
