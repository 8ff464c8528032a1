"""Each gate by itself: the candidates it stops, its reason and detail, and its exact bounds."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.decisioning import gates
from shared.decisioning.audiences.audience import Audience
from shared.decisioning.audiences.membership import failures
from shared.decisioning.gates import GATES, Contender, Gate, judge
from shared.decisioning.library import Library
from shared.decisioning.losses import AT_REST, INELIGIBLE, NOT_GIVEN, Loss, LossReason
from shared.decisioning.situation import Situation
from shared.domain.errors import InvalidCatalog
from shared.domain.events import FeedbackKind
from shared.domain.subscription import Status, Subscription
from shared.domain.user import User
from tests.support.builders import (
    NOW,
    ago,
    campaign,
    catalog,
    catalog_with_audience,
    decide,
    grant,
    moment,
    paying,
    reported,
    trigger,
    user,
)
from tests.support.candidates import candidates_of

K = FeedbackKind
SECOND = timedelta(seconds=1)
NIGHT = {"start": "11:00", "end": "13:00"}
"""Quiet hours that run at NOW, which is noon UTC."""


def contender(of: User | None = None, sections: dict[str, Any] | None = None, **terms: Any) -> Contender:
    """A contender: the campaign `upgrade` with these terms, at NOW."""
    asked = catalog(**({"campaigns": {"upgrade": campaign(**terms)}} | (sections or {})))
    (listening,) = [one for one in asked.listening(moment()) if one.id == "upgrade"]
    return Contender(listening, moment(), Situation(asked, of or user()))


def loss(of: User | None = None, sections: dict[str, Any] | None = None, **terms: Any) -> Loss | None:
    """The first loss of that contender."""
    return judge(contender(of, sections, **terms))[0]


def test_a_campaign_without_conditions_passes() -> None:
    assert judge(contender()) == (None, False)


def test_each_gate_is_asked_once_a_contender(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[tuple[str, str]] = Counter()

    def counting(gate: Gate) -> Gate:
        def ask(one: Contender) -> Loss | None:
            asked[gate.check.__name__, one.campaign.id] += 1
            return gate.check(one)

        return Gate(ask, lambda _: True)

    monkeypatch.setattr(gates, "GATES", tuple(map(counting, GATES)))
    ids = ("a", "b", "c")
    campaigns = {id_: campaign(cap={"max": 1}, placement="inbox" if id_ == "c" else "banner") for id_ in ids}
    everybody = {"all": {"percent": 100, "campaigns": ["c"]}}
    decide(catalog(campaigns=campaigns, holdouts=everybody), user(), [moment()])
    assert asked == Counter((gate.check.__name__, id_) for gate in GATES for id_ in ids)


def test_a_gate_that_does_not_concern_a_campaign_would_not_stop_it() -> None:
    somebody = user(Subscription("main"), triggers=tuple(reported(kind, ago(seconds=1)) for kind in K))
    bare = contender(somebody)
    assert not any(gate.applies_to(bare.campaign) for gate in GATES)
    assert [gate.check(bare) for gate in GATES] == [None] * len(GATES)


def test_after_a_gate_that_stops_for_good_no_other_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(one: Contender) -> Loss | None:
        raise AssertionError(f"{one.campaign.id} was asked on")

    stopping = contender(state="paused")
    monkeypatch.setattr(gates, "GATES", (Gate(gates.schedule, lambda _: True), Gate(never, lambda _: True)))
    assert judge(stopping) == (Loss(LossReason.STATE, "the campaign is paused"), False)


class TestKillSwitch:
    def test_stops_everything(self) -> None:
        assert loss(sections={"kill_switch": True}) == Loss(LossReason.KILL_SWITCH)


class TestSchedule:
    @pytest.mark.parametrize("state", ["draft", "paused", "archived"])
    def test_runs_only_what_is_live(self, state: str) -> None:
        assert loss(state=state) == Loss(LossReason.STATE, f"the campaign is {state}")

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_makes_only_approved_offers(self, status: str) -> None:
        offers = {"annual": {"cms_ref": "x", "validity_hours": 1, "status": status}}
        assert loss(sections={"offers": offers, "campaigns": {"upgrade": campaign()}}) == Loss(
            LossReason.STATE, f"the offer annual is {status}"
        )

    def test_waits_for_the_start(self) -> None:
        assert loss(starts_at=NOW + SECOND) == Loss(LossReason.NOT_STARTED, "starts_at 2026-06-01T12:00:01+00:00")

    def test_begins_at_the_very_start(self) -> None:
        assert loss(starts_at=NOW) is None

    def test_is_over_at_the_very_end(self) -> None:
        assert loss(ends_at=NOW) == Loss(LossReason.ENDED, "ends_at 2026-06-01T12:00:00+00:00")

    def test_runs_until_just_before_the_end(self) -> None:
        assert loss(ends_at=NOW + SECOND) is None


class TestPlan:
    @pytest.mark.parametrize(
        ("plan", "expected"), [("basic", None), ("premium", LossReason.PLAN), (None, LossReason.PLAN)]
    )
    def test_opens_an_offer_to_its_plans_only(self, plan: str | None, expected: LossReason | None) -> None:
        offers = {"annual": {"cms_ref": "x", "validity_hours": 1, "plans_from": ["basic", "plus"]}}
        on_plan = paying(current=grant(NOW, plan=plan)) if plan else Subscription("main")
        lost = loss(user(on_plan), {"offers": offers, "campaigns": {"upgrade": campaign()}})
        assert lost == (expected and Loss(expected, "plans_from basic, plus"))


class TestAudience:
    def failing(self, clause: dict[str, str], *others: dict[str, str], of: User | None = None) -> Loss | None:
        asked = catalog_with_audience(clause, *others)
        (listening,) = asked.listening(moment())
        assert listening.audience
        return judge(Contender(listening, moment(), Situation(asked, of or user())))[0]

    def test_that_fails_is_named_by_its_first_failing_clause(self) -> None:
        clauses = {"live": "subscription.live"}, {"student": "profile.student == true"}, {"no": "false"}
        assert self.failing(*clauses) == Loss(LossReason.AUDIENCE, "student")

    def test_keeps_the_user_out_where_a_clause_errs_and_says_why(self) -> None:
        lost = self.failing({"loyal": "subscriptions[0].nickname == 'x'"})
        assert lost == Loss(LossReason.AUDIENCE, 'loyal: NOT_FOUND: Key not found in map : "nickname"')

    def test_that_campaigns_share_is_asked_once_a_decision(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[Audience, ...]] = []

        def asking(audiences: tuple[Audience, ...], activation: Any) -> list[str | None]:
            asked.append(audiences)
            return failures(audiences, activation)

        monkeypatch.setattr("shared.decisioning.situation.failures", asking)
        shared = {"live": {"all": [{"live": "subscription.live"}]}}
        campaigns = {id_: campaign(audience="live") for id_ in ("a", "b", "c")}
        decide(catalog(campaigns=campaigns, audiences=shared), user(), [moment()])
        assert [[one.id for one in audiences] for audiences in asked] == [["live"]]


class TestSuppression:
    """Scopes and windows work like those of caps: see test_offer_history.py."""

    @pytest.mark.parametrize("kind", list(K))
    def test_stops_after_feedback_of_its_kind_for_ever(self, kind: K) -> None:
        of = user(triggers=(reported(kind, ago(days=99)),))
        assert loss(of, suppress_on=kind.value) == Loss(LossReason.SUPPRESSED, f"{kind} ever")

    @pytest.mark.parametrize("kind", sorted(set(K) - {K.DISMISSED}))
    def test_heeds_no_other_feedback(self, kind: K) -> None:
        assert loss(user(triggers=(reported(kind, ago(days=1)),)), suppress_on="dismissed") is None

    @pytest.mark.parametrize(
        ("age", "detail"), [(timedelta(days=30) - SECOND, "dismissed in 30 days"), (timedelta(days=30), None)]
    )
    def test_is_over_with_its_window_to_the_second(self, age: timedelta, detail: str | None) -> None:
        of = user(triggers=(reported(K.DISMISSED, NOW - age),))
        lost = loss(of, suppress_on=[{"event": "dismissed", "window_days": 30}])
        assert lost == (detail and Loss(LossReason.SUPPRESSED, detail))

    def test_may_heed_what_was_said_of_another_campaign(self) -> None:
        of = user(triggers=(reported(K.DISMISSED, ago(days=1), "other"),))
        assert loss(of, suppress_on="dismissed") is None
        wide = [{"event": "dismissed", "window_days": 7, "scope": "user"}]
        assert loss(of, suppress_on=wide) == Loss(LossReason.SUPPRESSED, "dismissed for the user in 7 days")

    def test_names_the_first_of_its_rules_that_applies(self) -> None:
        of = user(triggers=(reported(K.ACCEPTED, ago(days=1)),))
        assert loss(of, suppress_on=["dismissed", "accepted"]) == Loss(LossReason.SUPPRESSED, "accepted ever")

    def test_withholds_nothing_that_was_meant_for_the_user(self) -> None:
        of = user(triggers=(reported(K.DISMISSED, ago(days=1)),))
        assert judge(contender(of, suppress_on="dismissed"))[1] is False


class TestHasPlan:
    SOLD = {"annual": {"cms_ref": "x", "validity_hours": 1, "plan_to": "premium_monthly"}}  # noqa: RUF012 - JSON

    def test_stops_who_has_the_plan_already(self) -> None:
        assert loss(sections={"offers": self.SOLD}) == Loss(LossReason.HAS_PLAN, "plan_to premium_monthly")

    def test_is_about_every_arm_of_an_experiment(self) -> None:
        offers = {"annual": {"cms_ref": "x", "validity_hours": 1}, "other": self.SOLD["annual"]}
        variants = [{"id": "a", "offer": "annual", "weight": 0.5}, {"id": "b", "offer": "other", "weight": 0.5}]
        sections = {
            "offers": offers,
            "experiments": {"x": {"variants": variants}},
            "campaigns": {"upgrade": campaign(experiment="x")},
        }
        assert loss(sections=sections) == Loss(LossReason.HAS_PLAN, "plan_to premium_monthly")

    def test_lets_in_who_had_the_plan_once(self) -> None:
        expired = paying(status=Status.EXPIRED, grants=())
        assert loss(user(expired), {"offers": self.SOLD}) is None


GROUPS = {
    "upgrade": campaign(exclusivity_group="g"),
    "rival": campaign(exclusivity_group="g"),
    "stranger": campaign(exclusivity_group="h"),
    "strangest": campaign(exclusivity_group="h"),
    "free": campaign(),
}


class TestExclusivity:
    def stopped_by(self, *shown: Any) -> Loss | None:
        return loss(user(triggers=shown), {"campaigns": GROUPS})

    def test_lets_no_two_of_a_group_speak_at_a_time(self) -> None:
        assert self.stopped_by(trigger("rival")) == Loss(LossReason.EXCLUSIVITY, "rival")

    @pytest.mark.parametrize("other", ["stranger", "free", "gone"])
    def test_is_about_its_group_only(self, other: str) -> None:
        assert self.stopped_by(trigger(other)) is None

    def test_does_not_stop_a_campaign_from_speaking_again(self) -> None:
        assert self.stopped_by(trigger("upgrade")) is None

    def test_names_the_rival_that_spoke_last(self) -> None:
        third = GROUPS | {"third": campaign(exclusivity_group="g")}
        of = user(triggers=(trigger("rival", expires_at=NOW + SECOND), trigger("third")))
        assert loss(of, {"campaigns": third}) == Loss(LossReason.EXCLUSIVITY, "third")

    def test_ends_when_the_rival_expires_to_the_second(self) -> None:
        assert self.stopped_by(trigger("rival", expires_at=NOW + SECOND)) is not None
        assert self.stopped_by(trigger("rival", expires_at=NOW)) is None

    def test_ends_when_the_rival_is_revoked(self) -> None:
        assert self.stopped_by(trigger("rival", revoked=True)) is None

    def test_ends_when_the_rival_is_dismissed_and_not_when_it_is_only_seen(self) -> None:
        open_still = NOW + SECOND
        assert self.stopped_by(reported(K.DISMISSED, NOW, "rival", expires_at=open_still)) is None
        assert self.stopped_by(reported(K.IMPRESSION, NOW, "rival", expires_at=open_still)) is not None


class TestCaps:
    @pytest.mark.parametrize(
        ("offered", "cap", "detail"),
        [
            ([], {"max": 1}, None),
            ([1000], {"max": 1}, "1 ever"),
            ([1000], {"max": 2}, None),
            ([1000, 500], {"max": 2}, "2 ever"),
            ([29, 1], {"max": 2, "window_days": 30}, "2 in 30 days"),
            ([30, 1], {"max": 2, "window_days": 30}, None),
            ([20], [{"max": 1, "window_days": 7}, {"max": 2, "window_days": 30}], None),
            ([20, 10], [{"max": 1, "window_days": 7}, {"max": 2, "window_days": 30}], "2 in 30 days"),
            ([1], [{"max": 1, "window_days": 7}, {"max": 2, "window_days": 30}], "1 in 7 days"),
        ],
    )
    def test_count_the_triggers_of_their_window(self, offered: list[int], cap: Any, detail: str | None) -> None:
        of = user(triggers=tuple(trigger(at=ago(days=days)) for days in offered))
        assert loss(of, cap=cap) == (detail and Loss(LossReason.CAP, detail))

    def test_make_room_with_their_window_to_the_second(self) -> None:
        cap = {"max": 1, "window_days": 1}
        assert loss(user(triggers=(trigger(at=ago(days=1, seconds=-1)),)), cap=cap) == Loss(
            LossReason.CAP, "1 in 1 days"
        )
        assert loss(user(triggers=(trigger(at=ago(days=1)),)), cap=cap) is None

    def test_count_what_was_revoked(self) -> None:
        of = user(triggers=(trigger(at=ago(days=1), revoked=True),))
        assert loss(of, cap={"max": 1}) == Loss(LossReason.CAP, "1 ever")

    def test_do_not_count_other_campaigns(self) -> None:
        assert loss(user(triggers=(trigger("other", ago(hours=1)),)), cap={"max": 1}) is None

    def test_may_count_what_was_reported_of_whatever_shares_a_scope(self) -> None:
        seen = tuple(reported(K.IMPRESSION, ago(days=days), f"c{days}") for days in (1, 2, 8))
        cap = {"max": 2, "window_days": 7, "scope": "placement", "event": "impression"}
        expected = Loss(LossReason.CAP, "2 impression for the placement in 7 days")
        assert loss(user(triggers=seen), cap=cap) == expected
        assert loss(user(triggers=seen[1:]), cap=cap) is None

    def test_withhold_what_was_meant_for_the_user(self) -> None:
        assert judge(contender(user(triggers=(trigger(),)), cap={"max": 1}))[1] is True


class TestCoolDown:
    def test_runs_from_the_latest_trigger(self) -> None:
        of = user(triggers=(trigger(at=ago(hours=1)), trigger(at=ago(hours=30))))
        assert loss(of, cool_down_hours=24) == Loss(LossReason.COOL_DOWN, "until 2026-06-02T11:00:00+00:00")

    def test_is_over_to_the_second(self) -> None:
        assert loss(user(triggers=(trigger(at=ago(hours=24)),)), cool_down_hours=24) is None
        assert loss(user(triggers=(trigger(at=ago(hours=24, seconds=-1)),)), cool_down_hours=24) is not None

    def test_may_run_from_feedback(self) -> None:
        rest = {"dismissed": 48, "issued": 24}
        of = user(triggers=(reported(K.DISMISSED, ago(hours=47)),))
        expected = Loss(LossReason.COOL_DOWN, "until 2026-06-01T13:00:00+00:00 after dismissed")
        assert loss(of, cool_down_hours=rest) == expected
        assert loss(user(triggers=(reported(K.DISMISSED, ago(hours=48)),)), cool_down_hours=rest) is None
        assert loss(user(triggers=(reported(K.CLICKED, ago(hours=1)),)), cool_down_hours=rest) is None

    def test_of_another_campaign_disturbs_nobody(self) -> None:
        assert loss(user(triggers=(trigger("other", ago(hours=1)),)), cool_down_hours=24) is None

    def test_withholds_what_was_meant_for_the_user(self) -> None:
        assert judge(contender(user(triggers=(trigger(),)), cool_down_hours=1))[1] is True


NIGHTS, MORNINGS = {"start": "20:00", "end": "08:00"}, {"start": "22:00", "end": "13:00"}


class TestQuietHours:
    """The hours themselves are tested in test_quiet.py."""

    def test_put_off_until_they_end(self) -> None:
        until = NOW.replace(hour=13)
        told = "until 2026-06-01T13:00:00+00:00 (13:00 UTC)"
        assert loss(quiet_hours=NIGHT) == Loss(LossReason.DEFERRED, told, until)

    def test_or_drop(self) -> None:
        told = "until 2026-06-01T13:00:00+00:00 (13:00 UTC)"
        assert loss(quiet_hours={**NIGHT, "then": "drop"}) == Loss(LossReason.QUIET_HOURS, told)

    def test_are_by_the_clock_of_the_user_else_of_the_catalog(self) -> None:
        sections = {"campaigns": {"upgrade": campaign(quiet_hours=NIGHT)}, "time_zone": "Asia/Tokyo"}
        assert loss(user(), sections) is None
        assert loss(user(time_zone="UTC"), sections) is not None
        assert loss(user(time_zone="Mars/Olympus"), sections) is None

    @pytest.mark.parametrize(
        ("zone", "start", "end", "ends", "local"),
        [
            ("Europe/Berlin", "13:30", "16:00", 14, "16:00 Europe/Berlin"),
            ("America/New_York", "07:00", "09:00", 13, "09:00 America/New_York"),
            ("Asia/Tokyo", "20:00", "23:00", 14, "23:00 Asia/Tokyo"),
        ],
    )
    def test_end_and_are_told_by_the_clock_of_the_user(
        self, zone: str, start: str, end: str, ends: int, local: str
    ) -> None:
        until = NOW.replace(hour=ends)
        told = f"until {until.isoformat()} ({local})"
        stopped = loss(user(time_zone=zone), quiet_hours={"start": start, "end": end})
        assert stopped == Loss(LossReason.DEFERRED, told, until)

    def test_and_days_put_off_until_an_hour_that_none_of_them_covers(self) -> None:
        """1 June 2026 is a Monday."""
        until = datetime(2026, 6, 4, 13, tzinfo=UTC)
        told = f"until {until.isoformat()} (thu 13:00 UTC)"
        assert loss(quiet_hours=MORNINGS, days=["thu-sat"]) == Loss(LossReason.DEFERRED, told, until)
        assert loss(days=["thu-sun", "mon"]) is None

    def test_and_days_of_a_channel_hold_beside_those_of_the_campaign(self) -> None:
        sections = {
            "channels": {"in_app": {"days": "tue-thu", "quiet_hours": MORNINGS}},
            "campaigns": {"upgrade": campaign(days=["wed-mon"])},
        }
        told = "until 2026-06-03T13:00:00+00:00 (wed 13:00 UTC)"
        assert loss(sections=sections) == Loss(LossReason.DEFERRED, told, datetime(2026, 6, 3, 13, tzinfo=UTC))

    def test_drop_by_the_days_written_beside_them_too(self) -> None:
        drop = {"start": "22:00", "end": "07:00", "then": "drop"}
        stopped = loss(quiet_hours=drop, days=["tue"])
        assert stopped == Loss(LossReason.QUIET_HOURS, "until 2026-06-02T07:00:00+00:00 (tue 07:00 UTC)")

    def test_of_a_channel_that_drop_do_not_drop_what_another_rule_put_off(self) -> None:
        sections = {
            "channels": {"in_app": {"quiet_hours": {"start": "22:00", "end": "07:00", "then": "drop"}}},
            "campaigns": {"upgrade": campaign(days=["tue"])},
        }
        told = "until 2026-06-02T07:00:00+00:00 (tue 07:00 UTC)"
        assert loss(sections=sections) == Loss(LossReason.DEFERRED, told, datetime(2026, 6, 2, 7, tzinfo=UTC))

    def test_of_a_fallback_are_those_of_all_campaigns_of_its_placement(self) -> None:
        """They may leave no hour open, although each campaign has some: then the fallback is never offered."""
        placements = {"banner": {"channel": "in_app", "fallback": "annual"}}
        rarely = {"state": "draft", "quiet_hours": {"start": "08:00", "end": "20:00"}}
        for nights, reason, told in (
            (
                {"start": "20:00", "end": "07:00"},
                LossReason.DEFERRED,
                "until 2026-06-02T07:00:00+00:00 (07:00 UTC)",
            ),
            (NIGHTS, LossReason.QUIET_HOURS, "no hour of the week is open"),
        ):
            campaigns = {"days": campaign(**rarely), "nights": campaign(state="draft", quiet_hours=nights)}
            found = candidates_of(decide(catalog(placements=placements, campaigns=campaigns), user(), [moment()]))
            (fallback,) = (one for one in found if one.campaign_id == "fallback.banner")
            assert (fallback.reason, fallback.detail) == (reason, told)

    def test_do_not_bring_back_what_a_cap_or_a_rest_has_stopped(self) -> None:
        of = user(triggers=(trigger(),))
        assert judge(contender(of, cap={"max": 1}, quiet_hours=NIGHT)) == (Loss(LossReason.CAP, "1 ever"), False)
        rested = judge(contender(of, cool_down_hours=1, quiet_hours=NIGHT))
        assert rested == (Loss(LossReason.COOL_DOWN, "until 2026-06-01T13:00:00+00:00"), False)


class TestScore:
    @staticmethod
    def sections(**terms: Any) -> dict[str, Any]:
        campaigns = {"upgrade": campaign(rank={"score": "risk"}, **terms)}
        return {"campaigns": campaigns, "scores": {"risk": {"version": 3}}}

    def test_that_is_not_there_stops_a_campaign_that_requires_it(self) -> None:
        expected = Loss(LossReason.SCORE, "score risk version 3: no such artifact")
        assert loss(sections=self.sections(require_score=True)) == expected

    def test_that_is_not_there_stops_no_other_campaign(self) -> None:
        assert loss(sections=self.sections()) is None

    def test_that_nobody_ranks_by_is_not_missed(self) -> None:
        assert loss(sections={"scores": {"risk": {"version": 3}}, "library": Library()}) is None


def test_the_first_gate_that_stops_gives_the_reason() -> None:
    """All gates stop the candidate. Once the cause of a reason is removed, the next gate gives the reason."""
    terms: dict[str, Any] = {
        "state": "paused",
        "audience": "nobody",
        "suppress_on": "dismissed",
        "exclusivity_group": "g",
        "cap": {"max": 1},
        "cool_down_hours": 1,
        "quiet_hours": NIGHT,
        "rank": {"score": "risk"},
        "require_score": True,
    }
    sections: dict[str, Any] = {
        "kill_switch": True,
        "offers": {"annual": {"cms_ref": "x", "validity_hours": 1, "plans_from": ["basic"]}},
        "audiences": {"nobody": {"all": [{"no": "false"}]}},
        "scores": {"risk": {"version": 1}},
    }
    rivals = {"rival": campaign(exclusivity_group="g"), "another": campaign(exclusivity_group="g")}
    of = user(triggers=(trigger(), reported(K.DISMISSED, NOW), trigger("rival")))
    mend: dict[LossReason, tuple[dict[str, Any], str]] = {
        LossReason.KILL_SWITCH: (sections, "kill_switch"),
        LossReason.STATE: (terms, "state"),
        LossReason.PLAN: (sections, "offers"),
        LossReason.AUDIENCE: (terms, "audience"),
        LossReason.SUPPRESSED: (terms, "suppress_on"),
        LossReason.EXCLUSIVITY: (terms, "exclusivity_group"),
        LossReason.CAP: (terms, "cap"),
        LossReason.COOL_DOWN: (terms, "cool_down_hours"),
        LossReason.DEFERRED: (terms, "quiet_hours"),
        LossReason.SCORE: (terms, "require_score"),
    }
    met = []
    while stopped := loss(of, sections | {"campaigns": {"upgrade": campaign(**terms), **rivals}}):
        met.append(stopped.reason)
        where, what = mend[stopped.reason]
        del where[what]
    assert met == [*mend]


def test_what_withholds_an_offer_is_met_by_users_whom_it_was_meant_for() -> None:
    assert not INELIGIBLE & (AT_REST | NOT_GIVEN)


class TestChannels:
    """The rules of a channel hold for every campaign on its placements, beside the campaign's own."""

    def test_cap_what_a_user_gets_by_whichever_campaign(self) -> None:
        channels = {"in_app": {"cap": {"max": 1, "window_days": 7}}}
        of = user(triggers=(trigger("another", ago(days=1)),))
        assert loss(of, {"channels": channels}) == Loss(LossReason.CAP, "1 for the channel in 7 days")
        assert loss(user(triggers=(trigger("another", ago(days=8)),)), {"channels": channels}) is None

    def test_count_no_other_channel(self) -> None:
        of = user(triggers=(trigger("another", ago(days=1), channel="email"),))
        assert loss(of, {"channels": {"in_app": {"cap": {"max": 1}}}}) is None

    def test_have_quiet_hours_beside_those_of_the_campaign(self) -> None:
        sections = {"channels": {"in_app": {"quiet_hours": NIGHT}}}
        assert loss(sections=sections) == Loss(
            LossReason.DEFERRED, "until 2026-06-01T13:00:00+00:00 (13:00 UTC)", NOW.replace(hour=13)
        )

    def test_put_off_until_the_last_of_the_quiet_hours_that_run(self) -> None:
        longer = {"start": "10:00", "end": "15:00"}
        sections = {
            "channels": {"in_app": {"quiet_hours": NIGHT}},
            "campaigns": {"upgrade": campaign(quiet_hours=longer)},
        }
        stopped = loss(sections=sections)
        assert stopped is not None
        assert stopped.until == NOW.replace(hour=15)

    def test_drop_what_any_of_the_quiet_hours_drops(self) -> None:
        sections = {
            "channels": {"in_app": {"quiet_hours": {**NIGHT, "then": "drop"}}},
            "campaigns": {"upgrade": campaign(quiet_hours=NIGHT)},
        }
        stopped = loss(sections=sections)
        assert stopped is not None
        assert stopped.reason is LossReason.QUIET_HOURS

    def test_that_no_placement_uses_are_a_mistake(self) -> None:
        with pytest.raises(
            InvalidCatalog, match=r"channels.in_ap: expected the channel of a placement \(in_app\?\)"
        ):
            catalog(channels={"in_ap": {"cap": {"max": 1}}})
