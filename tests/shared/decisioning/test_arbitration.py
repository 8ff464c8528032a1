"""Arbitration: the winners of a placement, the suppressed candidates, and the reasons of the others."""

from dataclasses import replace
from datetime import timedelta
from math import nan
from typing import Any

import pytest

from shared.contracts.outbound.decision import Candidate, Outcome
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import Decision
from shared.decisioning.experiments.experiment import Holdout
from shared.decisioning.library import Library
from shared.decisioning.losses import LossReason
from shared.decisioning.scoring.score import BrokenScore, Score
from shared.domain.errors import InvalidCatalog
from shared.domain.events import FeedbackKind
from shared.domain.moments import Deferred, MomentKind
from shared.domain.triggers import Feedback
from tests.support import artifacts
from tests.support.builders import (
    NOW,
    ago,
    campaign,
    catalog,
    content,
    decide,
    moment,
    reported,
    trigger,
    user,
)
from tests.support.candidates import candidates_of

RENEWED = moment()
EVERYBODY = {"percent": 100}
WINTER_ONLY = {"banner": {"channel": "in_app", "fallback": "other"}, "inbox": {"channel": "email"}}
OFFERS = {
    "annual": {"cms_ref": "offers/annual", "validity_hours": 48},
    "other": {"cms_ref": "offers/other", "validity_hours": 24},
}
NOBODY = {"nobody": {"all": [{"no": "false"}]}}


def verdicts(decision: Decision) -> dict[str, tuple[str | None, str | None]]:
    return {one.campaign_id: (one.reason, one.detail) for one in candidates_of(decision)}


def issued(decision: Decision) -> list[str]:
    return [one.campaign_id for one in decision.issued]


def spared(decision: Decision) -> list[str]:
    return [one.trigger.campaign_id for one in decision.suppressed]


def candidate(decision: Decision, campaign_id: str) -> Candidate:
    (found,) = [one for one in candidates_of(decision) if one.campaign_id == campaign_id]
    return found


class TestPlaces:
    def test_go_to_as_many_as_the_placement_holds(self) -> None:
        places = {"banner": {"channel": "in_app", "max_triggers": 2}}
        campaigns = {name: campaign(priority=n) for n, name in enumerate(["third", "second", "first"])}
        decision = decide(catalog(placements=places, campaigns=campaigns), user(), [RENEWED])
        assert issued(decision) == ["first", "second"]
        assert verdicts(decision)["third"] == (LossReason.OUTRANKED, "first, second")

    def test_hold_a_campaign_once_however_many_there_are(self) -> None:
        places = {"banner": {"channel": "in_app", "max_triggers": 8}}
        decision = decide(catalog(placements=places), user(), [RENEWED, moment(cause="c2", at=ago(hours=1))])
        assert [(one.cause, one.reason, one.detail) for one in candidates_of(decision)] == [
            ("c1", None, None),
            ("c2", LossReason.OUTRANKED, "upgrade"),
        ]

    def test_go_to_the_next_where_a_gate_stops_the_best(self) -> None:
        campaigns = {"best": campaign(priority=90, state="paused"), "next": campaign()}
        assert issued(decide(catalog(campaigns=campaigns), user(), [RENEWED])) == ["next"]


def scored(**coefficients: float) -> Library:
    """Scores with a fixed value for every user."""

    def score(name: str, version: int) -> Score | BrokenScore:
        if name not in coefficients:
            return BrokenScore(name, version, "no such artifact")
        return artifacts.score(artifacts.logistic(name=name, version=version, intercept=coefficients[name]))

    return Library(score)


LIBRARY = scored(high=2, low=-2)


class TestRank:
    SCORES = {name: {"version": 2} for name in ("high", "low", "lost")}  # noqa: RUF012 - JSON

    def decided(self, library: Library = LIBRARY, **ranks: Any) -> Decision:
        return self.decided_with({name: campaign(rank=rank) for name, rank in ranks.items()}, library)

    def required(self, library: Library = LIBRARY) -> Decision:
        return self.decided_with({"a": campaign(rank={"score": "high"}, require_score=True)}, library)

    def decided_with(self, campaigns: dict[str, Any], library: Library = LIBRARY) -> Decision:
        return decide(catalog(library, campaigns=campaigns, scores=self.SCORES), user(), [RENEWED])

    def test_decides_among_campaigns_of_one_priority(self) -> None:
        assert issued(self.decided(a=0.1, b=0.9)) == ["b"]

    def test_comes_after_priority(self) -> None:
        campaigns = {"a": campaign(priority=51), "b": campaign(rank=1.0)}
        assert issued(decide(catalog(campaigns=campaigns), user(), [RENEWED])) == ["a"]

    def test_may_be_a_score_beside_a_number(self) -> None:
        assert issued(self.decided(a=0.5, b={"score": "high"})) == ["b"]
        assert issued(self.decided(a=0.5, b={"score": "low"})) == ["a"]

    def test_that_cannot_be_told_is_below_all_others_and_the_reason_is_on_record(self) -> None:
        decision = self.decided(a={"score": "lost"}, b=0.0)
        assert issued(decision) == ["b"]
        assert verdicts(decision)["a"] == (LossReason.OUTRANKED, "b")
        assert candidate(decision, "a").score_error == "score lost version 2: no such artifact"
        assert candidate(decision, "b").score_error is None

    def test_that_cannot_be_told_still_wins_a_place_that_nobody_else_wants(self) -> None:
        decision = self.decided(a={"score": "lost"})
        assert issued(decision) == ["a"]
        assert candidate(decision, "a").score_error == "score lost version 2: no such artifact"
        assert (decision.issued[0].score, decision.issued[0].score_version) == (None, 2)

    def test_that_cannot_be_told_leaves_the_priority_as_it_is(self) -> None:
        campaigns = {"a": campaign(rank={"score": "lost"}, priority=51), "b": campaign(rank=1.0)}
        assert issued(self.decided_with(campaigns)) == ["a"]

    def test_that_cannot_be_told_loses_where_the_campaign_requires_its_score(self) -> None:
        decision = self.decided_with({"a": campaign(rank={"score": "lost"}, require_score=True), "b": campaign()})
        assert issued(decision) == ["b"]
        assert verdicts(decision)["a"] == (LossReason.SCORE, "score lost version 2: no such artifact")
        assert candidate(decision, "a").score_error == "score lost version 2: no such artifact"

    def test_that_is_no_score_cannot_require_one(self) -> None:
        expected = r"upgrade.require_score: expected false, as no score ranks the campaign, found true"
        with pytest.raises(InvalidCatalog, match=expected):
            catalog(campaigns={"upgrade": campaign(require_score=True)})

    def test_by_a_score_that_misses_a_fact_names_it(self) -> None:
        broken = artifacts.logistic(name="high", version=2, numeric=[artifacts.number("profile.country")])
        decision = self.required(Library(lambda *_: artifacts.score(broken)))
        assert candidate(decision, "a").reason == LossReason.SCORE
        assert (candidate(decision, "a").detail or "").startswith(
            "score high version 2: profile.country: expected"
        )

    def test_by_a_score_that_is_no_number_cannot_be_told(self) -> None:
        broken = replace(artifacts.score(artifacts.logistic()), name="high", version=2, formula=lambda _: nan)
        decision = self.required(Library(lambda *_: broken))
        expected = "score high version 2: expected a score from 0 to 1, found nan"
        assert verdicts(decision) == {"a": (LossReason.SCORE, expected)}

    def test_by_a_score_is_on_record_for_winners_and_losers(self) -> None:
        decision = self.decided(a={"score": "high"}, b={"score": "low"}, c=0.0, d={"score": "lost"})
        told = {one.campaign_id: (one.score, one.score_version) for one in candidates_of(decision)}
        assert told["a"] == (pytest.approx(0.8808, abs=1e-4), 2)
        assert told["b"] == (pytest.approx(0.1192, abs=1e-4), 2)
        assert told["c"] == (None, None)
        assert told["d"] == (None, 2)
        assert (decision.issued[0].score, decision.issued[0].score_version) == told["a"]

    def test_is_not_asked_of_what_is_stale(self) -> None:
        def never(name: str, version: int) -> Score | BrokenScore:
            raise AssertionError(f"{name} {version} was asked")

        asked = catalog(Library(never), campaigns={"a": campaign(rank={"score": "high"})}, scores=self.SCORES)
        decision = decide(asked, user(), [], [RENEWED])
        assert (candidate(decision, "a").reason, candidate(decision, "a").score) == (LossReason.STALE, None)


class TestExclusivity:
    CAMPAIGNS = {  # noqa: RUF012 - JSON
        "a": campaign(priority=90, exclusivity_group="g"),
        "b": campaign(placement="inbox", exclusivity_group="g"),
    }

    def test_holds_within_one_decision_over_several_placements(self) -> None:
        decision = decide(catalog(campaigns=self.CAMPAIGNS), user(), [RENEWED])
        assert verdicts(decision) == {"a": (None, None), "b": (LossReason.EXCLUSIVITY, "a")}

    def test_does_not_hold_where_the_rival_does_not_win(self) -> None:
        first = {"first": campaign(priority=99)}
        decision = decide(catalog(campaigns=first | self.CAMPAIGNS), user(), [RENEWED])
        assert issued(decision) == ["first", "b"]


class TestWideCaps:
    """Caps whose scope spans campaigns hold within one decision too."""

    @pytest.mark.parametrize(
        ("scope", "shared"),
        [
            ("user", {"placement": "inbox"}),
            ("channel", {"placement": "footer"}),
            ("offer", {"placement": "inbox"}),
        ],
    )
    def test_count_what_this_very_decision_has_come_to(self, scope: str, shared: dict[str, Any]) -> None:
        places = {"banner": "in_app", "footer": "in_app", "inbox": "email"}
        asked = catalog(
            placements={name: {"channel": channel} for name, channel in places.items()},
            campaigns={
                "a": campaign(priority=90),
                "b": campaign(cap={"max": 1, "scope": scope}, **shared),
            },
        )
        decision = decide(asked, user(), [RENEWED])
        assert verdicts(decision) == {"a": (None, None), "b": (LossReason.CAP, f"1 for the {scope} ever")}

    def test_count_in_a_placement_of_several(self) -> None:
        places = {"banner": {"channel": "in_app", "max_triggers": 3}}
        cap = {"max": 2, "scope": "placement"}
        campaigns = {name: campaign(cap=cap) for name in "abc"}
        decision = decide(catalog(placements=places, campaigns=campaigns), user(), [RENEWED])
        assert verdicts(decision)["c"] == (LossReason.CAP, "2 for the placement ever")
        assert [count.used for count in candidate(decision, "c").caps] == [2]

    def test_count_what_the_campaign_itself_has_just_been_given(self) -> None:
        asked = catalog(campaigns={"upgrade": campaign(cap={"max": 1})})
        decision = decide(asked, user(), [RENEWED, moment(cause="c2", at=ago(hours=1))])
        assert [(one.reason, [count.used for count in one.caps]) for one in candidates_of(decision)] == [
            (None, [0]),
            (LossReason.CAP, [1]),
        ]
        assert decision.suppressed == ()

    def test_tell_how_far_they_are_used_up_before_the_offer_is_made(self) -> None:
        cap = [{"max": 2, "window_days": 7}, {"max": 9, "scope": "user", "event": "clicked"}]
        asked = catalog(campaigns={"upgrade": campaign(cap=cap)})
        seen = reported(FeedbackKind.CLICKED, ago(days=50), "other")
        decision = decide(asked, user(triggers=(trigger(at=ago(days=1)), seen)), [RENEWED])
        assert [tuple(usage.model_dump().values()) for usage in candidate(decision, "upgrade").caps] == [
            ("campaign", "issued", 7, 2, 1),
            ("user", "clicked", None, 9, 1),
        ]


class TestWithheld:
    def test_is_known_by_what_the_user_would_have_received(self) -> None:
        asked = catalog(holdouts={"h": EVERYBODY})
        decision = decide(asked, user(), [RENEWED])
        (would,) = decide(catalog(), user(), [RENEWED]).issued
        (held,) = decision.suppressed
        assert held.trigger == would._replace(catalog_version=asked.version, withheld="holdout")
        assert (held.offer_id, held.reason, held.detail) == ("annual", LossReason.HOLDOUT, "h")
        assert (decision.issued, decision.won) == ((), (held.trigger,))
        assert candidate(decision, "upgrade").suppressed
        assert candidate(decision, "upgrade").holdout == "h"

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [({"cap": {"max": 1}}, LossReason.CAP), ({"cool_down_hours": 24}, LossReason.COOL_DOWN)],
    )
    def test_by_a_cap_or_a_rest_is_known_too(self, terms: dict[str, Any], reason: LossReason) -> None:
        asked = catalog(campaigns={"upgrade": campaign(**terms)})
        decision = decide(asked, user(triggers=(trigger(at=ago(hours=2)),)), [RENEWED])
        assert [(one.trigger.campaign_id, one.reason) for one in decision.suppressed] == [("upgrade", reason)]
        assert candidate(decision, "upgrade").suppressed
        assert candidate(decision, "upgrade").holdout is None

    def test_by_a_cap_names_the_holdouts_too_but_is_not_stored(self) -> None:
        """To store it would keep its own cap used up for ever."""
        asked = catalog(campaigns={"upgrade": campaign(cap={"max": 1})}, holdouts={"h": EVERYBODY, "i": EVERYBODY})
        decision = decide(asked, user(triggers=(trigger(expires_at=NOW),)), [RENEWED])
        assert [one.reason for one in decision.suppressed] == [LossReason.CAP]
        assert candidate(decision, "upgrade").holdouts == ("h", "i")
        assert decision.won == ()

    @pytest.mark.parametrize(
        "stopping",
        [
            {"quiet_hours": {"start": "11:00", "end": "13:00", "then": "drop"}},
            {"rank": {"score": "lost"}, "require_score": True},
        ],
    )
    def test_is_not_what_something_else_stops_too(self, stopping: dict[str, Any]) -> None:
        asked = catalog(
            campaigns={"upgrade": campaign(**stopping)}, holdouts={"h": EVERYBODY}, scores={"lost": {"version": 1}}
        )
        decision = decide(asked, user(), [RENEWED])
        assert (spared(decision), decision.won) == ([], ())
        assert verdicts(decision)["upgrade"][0] in {LossReason.QUIET_HOURS, LossReason.SCORE}

    def test_takes_the_place_like_what_is_given(self) -> None:
        campaigns = {name: campaign(priority=90 - n) for n, name in enumerate("abcd")}
        asked = catalog(campaigns=campaigns, holdouts={"h": {**EVERYBODY, "campaigns": ["a", "b", "d"]}})
        decision = decide(asked, user(), [RENEWED])
        assert (issued(decision), spared(decision)) == ([], ["a"])
        assert verdicts(decision)["c"] == (LossReason.OUTRANKED, "a")

    def test_is_nobody_who_would_have_lost_to_the_winner(self) -> None:
        campaigns = {"a": campaign(priority=90), "b": campaign()}
        asked = catalog(campaigns=campaigns, holdouts={"h": {**EVERYBODY, "campaigns": ["b"]}})
        decision = decide(asked, user(), [RENEWED])
        assert (issued(decision), spared(decision)) == (["a"], [])
        assert verdicts(decision)["b"] == (LossReason.OUTRANKED, "a")

    def test_takes_several_places_where_there_are_several(self) -> None:
        places = {"banner": {"channel": "in_app", "max_triggers": 2}}
        campaigns = {name: campaign(priority=90 - n) for n, name in enumerate("abcd")}
        asked = catalog(
            placements=places, campaigns=campaigns, holdouts={"h": {**EVERYBODY, "campaigns": ["b", "c"]}}
        )
        decision = decide(asked, user(), [RENEWED])
        assert (issued(decision), spared(decision)) == (["a"], ["b"])

    def test_of_a_group_only_one_would_have_spoken(self) -> None:
        asked = catalog(campaigns=TestExclusivity.CAMPAIGNS, holdouts={"h": EVERYBODY})
        assert spared(decide(asked, user(), [RENEWED])) == ["a"]

    def test_of_several_moments_only_the_newest_would_have_been_answered(self) -> None:
        moments = [RENEWED, moment(cause="c2", at=ago(hours=1))]
        decision = decide(catalog(holdouts={"h": EVERYBODY}), user(), moments)
        assert [one.trigger.cause for one in decision.suppressed] == ["c1"]

    def test_at_night_is_put_off_and_known_in_the_morning(self) -> None:
        quiet = {"start": "11:00", "end": "13:00"}
        asked = catalog(campaigns={"upgrade": campaign(quiet_hours=quiet)}, holdouts={"h": EVERYBODY})
        at_night = decide(asked, user(), [RENEWED])
        morning = NOW.replace(hour=13)
        assert at_night.suppressed == ()
        assert at_night.deferred == (Deferred(RENEWED, "upgrade", morning),)
        assert spared(decide(asked, user(now=morning), at_night.deferred)) == ["upgrade"]

    def test_is_what_the_same_user_receives_where_nobody_is_held_out(self) -> None:
        """Checked over many users and a catalog that uses every feature: exactly the same offers."""
        free = everything_with(holdouts={})
        held = everything_with(holdouts={"h": EVERYBODY})
        for number in range(200):
            of = user(user_id=f"u{number}")
            would, had = decide(free, of, [RENEWED]), decide(held, of, [RENEWED])
            assert had.issued == ()
            alike = {"catalog_version": "", "withheld": ""}
            won = [one._replace(**alike) for one in would.won]
            assert [one._replace(**alike) for one in had.won] == won
            assert [one.trigger._replace(**alike) for one in had.suppressed] == won


def everything_with(**sections: Any) -> Catalog:
    """A catalog whose campaigns share placements, groups and an experiment with a variant that offers nothing."""
    variants = [{"id": "a", "offer": "other", "weight": 0.5}, {"id": "b", "offer": None, "weight": 0.5}]
    return catalog(
        placements={"banner": {"channel": "in_app", "max_triggers": 2}, "inbox": {"channel": "email"}},
        offers=OFFERS,
        experiments={"x": {"variants": variants, "coverage": 0.8}},
        campaigns={
            "one": campaign(priority=90, exclusivity_group="g"),
            "two": campaign(priority=80, experiment="x"),
            "three": campaign(priority=70),
            "four": campaign(priority=60, placement="inbox", exclusivity_group="g"),
            "five": campaign(priority=50, placement="inbox"),
        },
        **sections,
    )


class TestArmOfNothing:
    EXPERIMENTS = {  # noqa: RUF012 - JSON
        "x": {
            "variants": [
                {"id": "all", "offer": None, "weight": 1.0},
                {"id": "n", "offer": "annual", "weight": 0.0},
            ]
        }
    }

    def decided(self, **others: Any) -> Decision:
        campaigns = {"tried": campaign(priority=90, experiment="x"), **others}
        return decide(catalog(campaigns=campaigns, experiments=self.EXPERIMENTS), user(), [RENEWED])

    def test_issues_nothing_and_leaves_an_exposure_and_the_assignment(self) -> None:
        decision = self.decided()
        assert decision.issued == ()
        (nothing,) = decision.suppressed
        assert (nothing.offer_id, nothing.reason, nothing.detail) == (None, LossReason.VARIANT, "all")
        assert (nothing.trigger.experiment_id, nothing.trigger.variant, nothing.trigger.propensity) == (
            "x",
            "all",
            1.0,
        )
        assert [(one.experiment_id, one.variant) for one in decision.assignments] == [("x", "all")]

    def test_is_on_record(self) -> None:
        told = candidate(self.decided(), "tried")
        assert told.offer_id is None
        assert (told.outcome, told.reason, told.detail) == (Outcome.LOST, LossReason.VARIANT, "all")
        assert (told.suppressed, told.experiment_id, told.variant, told.propensity) == (True, "x", "all", 1.0)

    def test_takes_the_place_so_that_nothing_really_is_nothing(self) -> None:
        decision = self.decided(second=campaign())
        assert issued(decision) == []
        assert verdicts(decision)["second"] == (LossReason.OUTRANKED, "tried")

    def test_speaks_for_its_group_as_the_other_arms_do(self) -> None:
        group = {"exclusivity_group": "g"}
        campaigns = {
            "tried": campaign(priority=90, experiment="x", **group),
            "b": campaign(placement="inbox", **group),
        }
        decision = decide(catalog(campaigns=campaigns, experiments=self.EXPERIMENTS), user(), [RENEWED])
        assert verdicts(decision)["b"] == (LossReason.EXCLUSIVITY, "tried")

    def test_uses_up_caps_as_the_other_arms_do(self) -> None:
        decision = self.decided(b=campaign(placement="inbox", cap={"max": 1, "scope": "user"}))
        assert issued(decision) == []
        assert verdicts(decision)["b"] == (LossReason.CAP, "1 for the user ever")

    def test_is_assigned_to_who_is_held_out_as_to_anybody(self) -> None:
        asked = catalog(
            campaigns={"tried": campaign(experiment="x")},
            experiments=self.EXPERIMENTS,
            holdouts={"h": EVERYBODY},
        )
        decision = decide(asked, user(), [RENEWED])
        assert [(one.offer_id, one.reason) for one in decision.suppressed] == [(None, LossReason.HOLDOUT)]
        assert [(one.experiment_id, one.variant) for one in decision.assignments] == [("x", "all")]
        assert [one.withheld for one in decision.won] == ["holdout"]


class TestHoldout:
    def held_out(self, **terms: Any) -> tuple[str, ...]:
        decision = decide(catalog(holdouts={"h": {"percent": 100, **terms}}), user(), [RENEWED])
        return candidate(decision, "upgrade").holdouts

    def test_withholds_from_those_in_it(self) -> None:
        assert self.held_out() == ("h",)

    def test_is_about_its_campaigns_only(self) -> None:
        campaigns = {"upgrade": campaign(), "other": campaign(placement="inbox")}
        held = {"h": {"percent": 100, "campaigns": ["other"]}}
        decision = decide(catalog(campaigns=campaigns, holdouts=held), user(), [RENEWED])
        assert (issued(decision), spared(decision)) == (["upgrade"], ["other"])

    @pytest.mark.parametrize(
        ("dates", "held"),
        [
            ({"starts_at": NOW}, ("h",)),
            ({"starts_at": NOW + timedelta(seconds=1)}, ()),
            ({"ends_at": NOW + timedelta(seconds=1)}, ("h",)),
            ({"ends_at": NOW}, ()),
        ],
    )
    def test_runs_from_its_start_until_just_before_its_end(
        self, dates: dict[str, Any], held: tuple[str, ...]
    ) -> None:
        assert self.held_out(**dates) == held

    def test_of_several_the_first_is_the_reason_and_all_are_named(self) -> None:
        decision = decide(catalog(holdouts=dict.fromkeys(("b", "a"), EVERYBODY)), user(), [RENEWED])
        assert verdicts(decision) == {"upgrade": (LossReason.HOLDOUT, "a")}
        assert candidate(decision, "upgrade").holdouts == ("a", "b")

    def test_is_worked_out_once_a_decision(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        monkeypatch.setattr(Holdout, "includes", lambda self, *_: asked.append(self.id))
        campaigns = {"a": campaign(), "b": campaign(placement="inbox")}
        _ = candidates_of(decide(catalog(campaigns=campaigns, holdouts={"h": {"percent": 50}}), user(), [RENEWED]))
        assert asked == ["h"]


class TestPlacesOverTime:
    """A placement that holds `open` keeps its places over time; one that holds `decision`, in one decision."""

    OPEN = trigger("old", ago(minutes=30))

    def decided(self, of: Any = None, holds: str = "open", at_most: int = 1, **campaigns: Any) -> Decision:
        places = {"banner": {"channel": "in_app", "max_triggers": at_most, "holds": holds}}
        asked = catalog(placements=places, campaigns={"old": campaign(), **campaigns})
        return decide(asked, of or user(triggers=(self.OPEN,)), [moment(cause="now")])

    def replaced(self, decision: Decision) -> list[str]:
        return [one.campaign_id for one in decision.replaced]

    def test_are_taken_by_what_is_open_from_before(self) -> None:
        decision = self.decided(old=campaign(state="paused"), new=campaign())
        assert (issued(decision), self.replaced(decision)) == ([], [])
        assert verdicts(decision)["new"] == (LossReason.OUTRANKED, "old")

    def test_are_free_again_in_the_next_decision_where_it_holds_decision(self) -> None:
        decision = self.decided(holds="decision", old=campaign(state="paused"), new=campaign())
        assert (issued(decision), self.replaced(decision)) == (["new"], [])

    def test_go_to_a_higher_priority_which_replaces_the_open_one(self) -> None:
        decision = self.decided(new=campaign(priority=51))
        assert (issued(decision), self.replaced(decision)) == (["new"], ["old"])

    def test_go_to_a_newer_moment_of_the_same_campaign(self) -> None:
        decision = self.decided()
        assert (issued(decision), self.replaced(decision)) == (["old"], ["old"])

    def test_stay_where_the_campaign_may_not_replace(self) -> None:
        decision = self.decided(new=campaign(priority=99, replaces=False), old=campaign(replaces=False))
        assert (issued(decision), self.replaced(decision)) == ([], [])

    def test_of_several_the_lowest_priority_is_replaced(self) -> None:
        held = (trigger("high", ago(minutes=50)), trigger("old", ago(minutes=40)))
        campaigns = {"high": campaign(priority=60, state="paused"), "new": campaign(priority=70)}
        decision = self.decided(user(triggers=held), at_most=2, old=campaign(state="paused"), **campaigns)
        assert (issued(decision), self.replaced(decision)) == (["new"], ["old"])

    @pytest.mark.parametrize("kind", [FeedbackKind.DISMISSED, FeedbackKind.ACCEPTED, FeedbackKind.CONVERTED])
    def test_are_freed_by_an_answer(self, kind: FeedbackKind) -> None:
        answered = self.OPEN._replace(feedback=(Feedback(kind, ago(minutes=5)),))
        decision = self.decided(user(triggers=(answered,)), old=campaign(state="paused"), new=campaign())
        assert (issued(decision), self.replaced(decision)) == (["new"], [])

    def test_are_held_by_what_was_withheld_too(self) -> None:
        of = user(triggers=(self.OPEN._replace(withheld="holdout"),))
        decision = self.decided(of, old=campaign(state="paused"), new=campaign())
        assert verdicts(decision)["new"] == (LossReason.OUTRANKED, "old")


def test_an_offer_expires_no_later_than_its_campaign_ends() -> None:
    ends_at = NOW + timedelta(hours=3)
    (given,) = decide(
        catalog(campaigns={"upgrade": campaign(ends_at=ends_at.isoformat())}), user(), [RENEWED]
    ).issued
    assert given.expires_at == ends_at


class TestFallback:
    def decided(self, of: Any = None, moments: Any = (RENEWED,), **sections: Any) -> Decision:
        given = {"placements": WINTER_ONLY, "offers": OFFERS, "audiences": NOBODY, **sections}
        return decide(catalog(**given), of or user(), list(moments))

    def test_is_for_users_to_whom_no_campaign_of_the_placement_is_open(self) -> None:
        decision = self.decided(campaigns={"upgrade": campaign(audience="nobody")})
        assert verdicts(decision) == {"upgrade": (LossReason.AUDIENCE, "no"), "fallback.banner": (None, None)}
        (shown,) = decision.issued
        assert (shown.offer_id, shown.placement, shown.channel) == ("other", "banner", "in_app")
        assert shown.expires_at == NOW + timedelta(hours=24)

    def test_stands_back_for_the_least_of_campaigns(self) -> None:
        assert issued(self.decided(campaigns={"zebra": campaign(priority=0)})) == ["zebra"]

    @pytest.mark.parametrize("closing", [{"state": "paused"}, {"starts_at": NOW + timedelta(1)}, {"ends_at": NOW}])
    def test_is_for_them_where_the_campaign_does_not_run_either(self, closing: dict[str, Any]) -> None:
        assert issued(self.decided(campaigns={"upgrade": campaign(**closing)})) == ["fallback.banner"]

    def test_is_not_for_who_is_offered_something(self) -> None:
        decision = self.decided()
        assert issued(decision) == ["upgrade"]
        assert verdicts(decision)["fallback.banner"] == (LossReason.FALLBACK, "upgrade")

    @pytest.mark.parametrize(
        "withholding",
        [
            {"holdouts": {"h": {**EVERYBODY, "campaigns": ["upgrade"]}}},
            {"holdouts": {"h": EVERYBODY}},
            {"campaigns": {"upgrade": campaign(cap={"max": 1})}},
            {"campaigns": {"upgrade": campaign(cool_down_hours=24)}},
            {"campaigns": {"upgrade": campaign(suppress_on="dismissed")}},
            {"campaigns": {"upgrade": campaign(quiet_hours={"start": "11:00", "end": "13:00"})}},
        ],
    )
    def test_is_not_for_who_is_held_out_capped_suppressed_or_asleep(self, withholding: dict[str, Any]) -> None:
        known = user(triggers=(trigger(at=ago(hours=1)), reported(FeedbackKind.DISMISSED, ago(days=1))))
        decision = self.decided(known, **withholding)
        assert issued(decision) == []
        assert verdicts(decision)["fallback.banner"] == (LossReason.FALLBACK, "upgrade")

    def test_is_not_for_who_has_it_open(self) -> None:
        closed = {"campaigns": {"upgrade": campaign(audience="nobody")}}
        (shown,) = self.decided(**closed).issued
        later = NOW + timedelta(hours=24)
        before = self.decided(user(now=later - timedelta(seconds=1), triggers=(shown,)), **closed)
        assert (issued(before), verdicts(before)["fallback.banner"][0]) == ([], LossReason.COOL_DOWN)
        assert issued(self.decided(user(now=later, triggers=(shown,)), **closed)) == ["fallback.banner"]

    def test_of_a_user_held_out_of_everything_is_spared_too(self) -> None:
        decision = self.decided(campaigns={"upgrade": campaign(audience="nobody")}, holdouts={"h": EVERYBODY})
        assert (issued(decision), spared(decision)) == ([], ["fallback.banner"])

    def test_is_offered_once_for_several_moments(self) -> None:
        moments = (RENEWED, moment(cause="c2", at=ago(hours=1)))
        decision = self.decided(moments=moments, campaigns={"upgrade": campaign(audience="nobody")})
        assert [one.cause for one in decision.issued] == ["c1"]

    def test_is_silent_where_nobody_listens(self) -> None:
        assert candidates_of(self.decided(moments=[moment(MomentKind.PAUSED)])) == ()

    def test_stands_back_for_any_campaign_open_for_another_moment(self) -> None:
        campaigns = {"upgrade": campaign(audience="nobody"), "paused": campaign(moments=["paused"], priority=1)}
        decision = self.decided(moments=[RENEWED, moment(MomentKind.PAUSED, "c2")], campaigns=campaigns)
        assert issued(decision) == ["paused"]

    def test_is_stopped_by_the_kill_switch(self) -> None:
        assert verdicts(self.decided(kill_switch=True))["fallback.banner"] == (LossReason.KILL_SWITCH, None)


class TestPutOff:
    QUIET = {"start": "11:00", "end": "13:00"}  # noqa: RUF012 - JSON

    def asked(self, **sections: Any) -> Catalog:
        return catalog(
            campaigns={"night": campaign(quiet_hours=self.QUIET), "day": campaign(priority=1)}, **sections
        )

    def test_comes_back_for_the_campaign_that_put_it_off_alone(self) -> None:
        first = decide(self.asked(), user(), [RENEWED])
        assert (issued(first), first.deferred) == (["day"], (Deferred(RENEWED, "night", NOW.replace(hour=13)),))
        then = decide(self.asked(), user(now=NOW.replace(hour=13), triggers=first.issued), first.deferred)
        assert [(one.campaign_id, one.outcome) for one in candidates_of(then)] == [("night", Outcome.ISSUED)]

    def test_keeps_its_id(self) -> None:
        later = decide(self.asked(), user(now=NOW.replace(hour=13)), [Deferred(RENEWED, "night", NOW)])
        awake = decide(catalog(campaigns={"night": campaign()}), user(), [RENEWED])
        assert later.issued[0].trigger_id == awake.issued[0].trigger_id

    def test_is_decided_afresh(self) -> None:
        put_off = [Deferred(RENEWED, "night", NOW)]
        closed = catalog(campaigns={"night": campaign(state="paused")})
        assert verdicts(decide(closed, user(), put_off))["night"][0] == LossReason.STATE
        gone = catalog(campaigns={"day": campaign()})
        assert decide(gone, user(), put_off) == Decision(gone.version)

    def test_that_is_stale_is_on_record_for_that_campaign_alone(self) -> None:
        decision = decide(self.asked(), user(), [], [Deferred(RENEWED, "night", NOW)])
        assert {name: reason for name, (reason, _) in verdicts(decision).items()} == {"night": LossReason.STALE}

    def test_may_be_put_off_again(self) -> None:
        again = decide(self.asked(), user(time_zone="UTC"), [Deferred(RENEWED, "night", NOW)])
        assert [(one.moment, one.campaign_id) for one in again.deferred] == [(RENEWED, "night")]


class TestPolicyThatCannotBeUsed:
    EXPERIMENTS = {  # noqa: RUF012 - JSON
        "x": {"policy": "p", "variants": [{"id": "a", "offer": "annual"}, {"id": "b", "offer": None}]}
    }

    def test_loses_with_its_reason_and_leaves_the_place_to_the_next(self) -> None:
        campaigns = {"tried": campaign(priority=90, experiment="x"), "next": campaign()}
        decision = decide(catalog(campaigns=campaigns, experiments=self.EXPERIMENTS), user(), [RENEWED])
        assert issued(decision) == ["next"]
        assert verdicts(decision)["tried"] == (LossReason.POLICY, "policy p: expected a valid one, found none")

    def test_of_who_is_held_out_takes_nobodys_place(self) -> None:
        campaigns = {"tried": campaign(priority=90, experiment="x"), "next": campaign()}
        asked = catalog(campaigns=campaigns, experiments=self.EXPERIMENTS, holdouts={"h": EVERYBODY})
        assert spared(decide(asked, user(), [RENEWED])) == ["next"]


def test_a_decision_is_the_same_whatever_the_order_of_the_catalog() -> None:
    asked = everything_with()
    listed = {heard: tuple(reversed(them)) for heard, them in asked.listeners.items()}
    other = replace(asked, listeners=listed)
    assert content(decide(asked, user(), [RENEWED])) == content(decide(other, user(), [RENEWED]))
